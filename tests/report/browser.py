"""A headless Chromium, driven over the DevTools protocol through a pipe.

It shows what a page looks like, logs on its console and asks the network for.

python -m tests.report.browser FILE OUTPUT.png [--width 390] [--dark] [--pdf] [--height 0] [--tab 1]
"""

import argparse
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
]
PHONE, DESKTOP = 390, 1280


class Browser:
    """One page at a time. `events` are the DevTools events since it was opened."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self.events: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        # its helpers may still write when it has ended
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        asked, self._write = os.pipe()
        self._read, answered = os.pipe()
        # DevTools reads from descriptor 3 and writes to 4
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec "$@" 3<&{asked} 4>&{answered}',
                "sh",
                CHROMIUM,
                *FLAGS,
                f"--user-data-dir={self._profile.name}",
                "about:blank",
            ],
            pass_fds=(asked, answered),
            stderr=subprocess.DEVNULL,
        )
        os.close(asked)
        os.close(answered)
        self._rest = b""
        self._session = ""

    def __enter__(self) -> Self:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=120)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a DevTools command."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda found: found.get("id") == number)
        assert "error" not in answer, answer
        return answer["result"]

    def open(
        self, url: str, width: int = DESKTOP, *, dark: bool = False, height: int = 900
    ) -> None:
        """Load the page and wait for it."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.events.clear()
        self.call("Page.navigate", url=url)
        self._until(lambda found: found.get("method") == "Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, file: Path, height: int = 0) -> None:
        """A picture of the page: of all of it, or of its first `height` pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(height, size["height"]) if height else size["height"],
            "scale": 1,
        }
        image = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        file.write_bytes(base64.b64decode(image["data"]))

    def _until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            while b"\0" not in self._rest:
                if not (read := os.read(self._read, 1 << 20)):
                    raise EOFError("Chromium has ended")
                self._rest += read
            line, _, self._rest = self._rest.partition(b"\0")
            found = json.loads(line)
            if "method" in found:
                self.events.append(found)
            if is_it(found):
                return found
        raise TimeoutError("Chromium does not answer")


def main() -> None:
    """Take a picture of a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--width", type=int, default=DESKTOP)
    parser.add_argument("--height", type=int, default=0)
    parser.add_argument("--tab", type=int, default=1)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--pdf", action="store_true")
    arguments = parser.parse_args()
    with Browser() as browser:
        browser.open(arguments.file.absolute().as_uri(), arguments.width, dark=arguments.dark)
        if arguments.tab > 1:
            browser.evaluate(f"document.getElementById('tab-{arguments.tab}').click()")
        if arguments.pdf:
            arguments.output.write_bytes(base64.b64decode(browser.call("Page.printToPDF")["data"]))
        else:
            browser.screenshot(arguments.output, arguments.height)


if __name__ == "__main__":
    main()
