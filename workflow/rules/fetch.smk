"""Reads days from the source.

Purpose: stage one local day, proven whole; a day that is in place is not touched.
Needs:   the source that INFLUX_URL names.
Makes:   <parquet>/.staging/<dataset>/dt=<dt>, by one rename; the extract rule moves it away.
"""


rule fetch:
    output:
        temp(directory("<parquet>/.staging/{dataset}/dt={dt}")),
    log:
        "<markers>/log/{dataset}/dt={dt}.fetch.log",
    resources:
        influx=1,
    message:
        "Reading {wildcards.dataset} {wildcards.dt}"
    run:
        run_of_archive.fetch(**wildcards, staged=output[0], job=log[0])
