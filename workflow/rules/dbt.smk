"""Builds the tables.

Purpose: run dbt on the raw tables once all days of the run are loaded.
Needs:   the markers of the run's days and of every other archived day, and <markers>/LAST
Makes:   <markers>/dbt.json, after dbt has built and tested every model.
"""


rule dbt:
    input:
        run_of_archive.models_inputs,
    output:
        "<markers>/dbt.json",
    log:
        "<markers>/log/dbt.log",
    resources:
        duckdb=1,
    message:
        "Building the tables"
    run:
        run_of_archive.build(marker=output[0], job=log[0])
