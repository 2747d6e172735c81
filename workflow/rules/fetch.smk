"""Reads days from the source.

Purpose: stage one local day, proven whole; a day that is in place is not touched.
Needs:   the source that INFLUX_URL names; and, to read a day again that was read before it was over, the
         note of it in <parquet>/.early/<dataset>.
Makes:   <parquet>/.staging/<dataset>/dt=<dt>, by one rename; the extract rule moves it away.
"""


rule fetch:
    input:
        run_of_archive.note_of_early_read,
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
