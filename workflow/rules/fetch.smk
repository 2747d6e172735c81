"""Reads days from the source.

Purpose: stage one local day, proven whole. A day that is in place is not touched.
Needs:   the source that INFLUX_URL names. A day that was read before it was over is read again if
         its note is in <parquet>/.early/<dataset>.
Makes:   <parquet>/.staging/<dataset>/dt=<dt>, by one rename. The extract rule moves it away.
"""


rule fetch:
    input:
        this_run.note_of_early_read,
    output:
        temp(directory("<parquet>/.staging/{dataset}/dt={dt}")),
    log:
        "<markers>/log/{dataset}/dt={dt}.fetch.log",
    resources:
        influx=1,
    message:
        "Reading {wildcards.dataset} {wildcards.dt}"
    run:
        this_run.fetch(**wildcards, staged=output[0], job=log[0])
