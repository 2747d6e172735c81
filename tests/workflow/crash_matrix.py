"""What is tested at which boundary of a run, as data.

The tests run it, and docs/reliability.md shows it.

python -m tests.workflow.crash_matrix      rewrites the table in docs/reliability.md
"""

import re

from homeiot_batch.config import ROOT
from homeiot_batch.core.fault_points import POINTS

PAGE = ROOT / "docs/reliability.md"
TABLE = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- /matrix -->)", re.DOTALL)
EVENTS = {
    "exception": "exception",
    "kill": "SIGKILL",
    "terminate": "SIGTERM",
    "interrupt": "Ctrl-C",
    "disk_full": "disk full",
}

# boundaries that are no fault points of ours, each event with the test that plays it
ELSEWHERE = {
    "Snakemake's delete: the old day's file is gone, its folder not yet": {
        "exception": "not applicable: Snakemake's own code",
        "kill": "test_crashes.py::test_killed_inside_snakemakes_delete",
        "terminate": "not applicable: waits for its end",
        "interrupt": "not applicable: waits for its end",
        "disk_full": "not applicable: needs no room",
    },
    "dbt: it is building": {
        "exception": "test_crashes.py::test_dbt_fails",
        "kill": "test_crashes.py::test_killed_in_dbt",
        "terminate": "test_crashes.py::test_ended_in_dbt",
        "interrupt": "test_crashes.py::test_ended_in_dbt",
        "disk_full": "gap: only as dbt's own failure",
    },
}


def cells() -> list[tuple[str, str]]:
    """Every (point, event) that test_crash_matrix.py plays."""
    return [(point, event) for point in POINTS for event in EVENTS]


def table() -> str:
    """The matrix as a Markdown table: boundaries in the order of a run."""
    rows = {meaning: dict.fromkeys(EVENTS, "tested") for meaning in POINTS.values()}
    for meaning, tests in ELSEWHERE.items():
        rows[meaning] = {event: "tested" if "::" in said else said for event, said in tests.items()}
    order = [meaning.split(":")[0] for meaning in POINTS.values()]
    ordered = sorted(rows, key=lambda meaning: order.index(meaning.split(":")[0]))
    lines = [
        f"| {meaning} | {' | '.join(rows[meaning][event] for event in EVENTS)} |"
        for meaning in ordered
    ]
    return (
        "\n".join(
            [
                f"| boundary | {' | '.join(EVENTS.values())} |",
                "| --- " * (len(EVENTS) + 1) + "|",
                *lines,
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda _: table(), PAGE.read_text()))
