"""Puts days in place.

Purpose: make the staged day the archived one. Snakemake deletes the old day just
         before. The new one is on disk by then.
Needs:   <parquet>/.staging/<dataset>/dt=<dt>
Makes:   <parquet>/<dataset>/dt=<dt>, by one rename.
"""


rule extract:
    input:
        "<parquet>/.staging/{dataset}/dt={dt}",
    output:
        directory("<parquet>/{dataset}/dt={dt}"),
    log:
        "<markers>/log/{dataset}/dt={dt}.extract.log",
    message:
        "Archiving {wildcards.dataset} {wildcards.dt}"
    run:
        this_run.extract(**wildcards, staged=input[0], day=output[0], job=log[0])
