"""Asks for the tables.

Purpose: let a run build and publish that loads only days which the tables do not wait for.
Needs:   nothing
Makes:   <markers>/tables.asked, which is gone when the tables are built.
"""


rule ask_for_tables:
    output:
        temp("<markers>/tables.asked"),
    log:
        "<markers>/log/ask_for_tables.log",
    message:
        "Asking for the tables"
    run:
        this_run.ask_for_tables(output[0], job=log[0])
