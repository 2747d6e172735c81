"""Failures of many days as one message."""

from homeiot_batch.workflow.same_failures import joined


def test_days_with_the_same_reason_are_one_message() -> None:
    """Also where the reason names the day. Other reasons, jobs and datasets stay apart."""
    failures = [
        *(f"fetch power 2026-11-{day:02}: x.lp line 5 is damaged" for day in (9, 7, 8)),
        *(f"fetch power 2026-12-0{day}: 2026-12-0{day} is not in it" for day in (1, 2)),
        "fetch climate 2026-11-07: x.lp line 5 is damaged",
        "load power 2026-11-07: x.lp line 5 is damaged",
        "dbt: no tables",
    ]
    assert joined(failures) == [
        "dbt: no tables",
        "fetch climate 2026-11-07: x.lp line 5 is damaged",
        "fetch power 2026-11-07 to 2026-11-09 (3 days): x.lp line 5 is damaged",
        "fetch power 2026-12-01 to 2026-12-02 (2 days): 2026-12-01 is not in it",
        "load power 2026-11-07: x.lp line 5 is damaged",
    ]
