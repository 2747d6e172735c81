"""What a run's exit code means.

A test holds the tables in README.md and docs/reference/commands.md to it.
"""

DONE = 0
FAILED = 1
USAGE = 2
BUSY = 75

MEANINGS = {
    DONE: "all that was asked for is done, or was done before",
    FAILED: "a day failed or was refused, or a setting cannot be used: "
    "the last lines say which and why",
    USAGE: "an option that does not exist, or without its value",
    BUSY: "another run holds the archive, and still did after LOCK_WAIT_S: nothing was done",
}
