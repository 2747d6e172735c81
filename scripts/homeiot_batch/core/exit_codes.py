"""What a run's exit code means.

A test holds the tables in README.md and docs/reference/commands.md to it.
"""

DONE = 0
FAILED = 1
USAGE = 2
BUSY = 75

MEANINGS = {
    DONE: "all that was asked for is done, or was done before",
    FAILED: "a day failed or was refused, or a setting cannot be used. "
    "The last lines name it and the cause",
    USAGE: "an option does not exist or lacks its value",
    BUSY: "another run held the archive for longer than LOCK_WAIT_S. Nothing was done",
}
