"""Loads days into DuckDB.

Purpose: replace the day's rows by those of its Parquet file, in one transaction.
Needs:   <parquet>/<dataset>/dt=<dt>
Makes:   <markers>/<dataset>/dt=<dt>.json, after the commit, and <markers>/LAST, which is newer
         than <markers>/dbt.json after every load.
"""


rule load:
    input:
        "<parquet>/{dataset}/dt={dt}",
    output:
        report(
            "<markers>/{dataset}/dt={dt}.json",
            caption="../report/load.rst",
            category="Archived days",
            subcategory="{dataset}",
            labels={"day": "{dt}"},
        ),
    log:
        "<markers>/log/{dataset}/dt={dt}.load.log",
    resources:
        duckdb=1,
    message:
        "Loading {wildcards.dataset} {wildcards.dt}"
    run:
        this_run.load(**wildcards, day=input[0], marker=output[0], job=log[0])
