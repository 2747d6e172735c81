"""Writes the report.

Purpose: give the people of the house one page that opens from disk.
Needs:   <markers>/read_copy.json
Makes:   <markers>/report.json, after one rename has replaced index.html in REPORT_DIR. The page
         itself is no output: Snakemake would delete it first, and its readers would find none.
         Before it, the pages of the months that have changed.
"""


rule report:
    input:
        "<markers>/read_copy.json",
    output:
        report(
            "<markers>/report.json",
            caption="../report/report.rst",
            category="Tables",
            labels={"step": "report written"},
        ),
    log:
        "<markers>/log/report.log",
    message:
        "Writing the report"
    run:
        this_run.report(marker=output[0], job=log[0])
