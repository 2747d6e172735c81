"""Publishes the read copy.

Purpose: give Grafana, notebooks and the DuckDB command line a file that no run locks.
Needs:   <markers>/dbt.json
Makes:   <markers>/read_copy.json, after one rename has replaced home_energy.read.duckdb beside
         the database. The file itself is no output: Snakemake would delete it first, and its
         readers would find none.
"""


rule publish:
    input:
        "<markers>/dbt.json",
    output:
        report(
            "<markers>/read_copy.json",
            caption="../report/publish.rst",
            category="Tables",
            labels={"step": "read copy published"},
        ),
    log:
        "<markers>/log/publish.log",
    priority: -1  # with all threads: while no day is being replaced
    threads: workflow.cores
    resources:
        duckdb=1,
    message:
        "Publishing the read copy"
    run:
        this_run.publish(marker=output[0], job=log[0])
