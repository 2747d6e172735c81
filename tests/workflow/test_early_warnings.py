"""Warnings that are handed over from the nightly command to the workflow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.workflow.early_warnings import VARIABLE, hand_over, received

READ = (
    "import json; from homeiot_batch.workflow.early_warnings import received; "
    "print(json.dumps(received()))"
)


@pytest.mark.parametrize("warnings", [[], ["a\nb", "é 居間"], ["of a day"] * 20_000])
def test_another_process_receives_what_is_handed_over(warnings: list[str]) -> None:
    """However many there are: more than the kernel passes in a variable. The file then goes."""
    with hand_over(warnings) as environment:
        done = subprocess.run(
            [sys.executable, "-c", READ],
            env=environment,
            capture_output=True,
            check=True,
        )
    assert json.loads(done.stdout) == warnings
    assert not Path(environment[VARIABLE]).exists()


@pytest.mark.parametrize("content", [None, "", "no JSON"])
def test_what_cannot_be_read_is_no_warning(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that nobody handed anything to, or whose file is gone, goes on."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert received() == []
    file = tmp_path / "warnings.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setitem(os.environ, VARIABLE, str(file))
    assert received() == []
