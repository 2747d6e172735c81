"""The second copy at the end of the nightly command. What fails there fails no night."""

import sys

from homeiot_batch.commands.mirror import mirror_now, summary
from homeiot_batch.config import Settings
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, printable


def mirror_after_night(settings: Settings) -> str:
    """Copy what is new, and print what was done. Why it is not up to date then, or ""."""
    try:
        done = mirror_now(settings)
    except (HomeIotError, OSError) as error:
        return _warned([str(error)])
    except Exception as error:  # noqa: BLE001 - the night is over, and good, whatever this is
        return _warned(
            [f"a fault of the program ({type(error).__name__}: {printable(str(error))})"]
        )
    print(summary(done), file=sys.stderr)
    return _warned(done.problems)


def _warned(problems: list[str]) -> str:
    """The first of the problems and how many more there are, after a warning of each."""
    for problem in problems:
        line = f"warning: the second copy is not up to date: {problem}"
        print(explained(line), file=sys.stderr)
    if len(problems) > 1:
        return f"{problems[0]} (and {len(problems) - 1} more)"
    return "".join(problems)
