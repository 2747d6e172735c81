"""Builds the tables.

Purpose: run dbt on the raw tables once all days of the run are loaded. Days of other datasets are
         loaded by then, or have failed.
Needs:   the markers of the datasets that the tables are built from, of the run's days and of every
         other archived day, and <markers>/LAST.
Makes:   <markers>/dbt.json, after dbt has built and tested every model.
"""


rule dbt:
    input:
        this_run.models_inputs,
    output:
        report(
            "<markers>/dbt.json",
            caption="../report/dbt.rst",
            category="Tables",
            labels={"step": "tables built"},
        ),
    log:
        "<markers>/log/dbt.log",
    priority: -1  # with all threads: after everything else, also what it does not need
    threads: workflow.cores
    resources:
        duckdb=1,
    message:
        "Building the tables"
    run:
        this_run.build(marker=output[0], job=log[0])
