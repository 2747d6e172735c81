"""A house's readings, day by day: InfluxDB or an export -> Parquet -> DuckDB -> daily tables.

Paths:  <parquet>/<dataset>/dt=YYYY-MM-DD           one local day, one file, kept for ever
        <parquet>/.staging/<dataset>/dt=YYYY-MM-DD  the same, read whole but not in place yet
        <markers>/<dataset>/dt=YYYY-MM-DD.json      the day is loaded into DuckDB
        <markers>/dbt.json                          the tables are built
        <markers>/read_copy.json                    they are published for readers
        <markers>/report.json                       the report shows them
where <parquet> is PARQUET_BASE_DIR, <markers> is MARKER_DIR, and config.yaml declares <dataset>.

Use:    snakemake                                            each day of the range, then tables
        snakemake yesterday                                  the day that just ended, then tables
        snakemake --until load --config start=A end=B        a range, without the tables
        snakemake --forcerun extract --config start=A end=B  read days again (load: load again)
        snakemake --report data/report/run.html              days, checksums and times of a run
"""

from snakemake.utils import min_version

from homeiot_batch.workflow.cluster import send_to_nodes
from homeiot_batch.workflow.rate_limit import lift_rate_limit
from homeiot_batch.workflow.start import open_run
from homeiot_batch.config import ROOT

min_version("9.27")


# --directory goes before it, and then takes Snakemake's own notes; the archive stays where it is
workdir: ROOT


this_run = open_run(config, workflow)


pathvars:
    parquet=str(this_run.layout.parquet),
    markers=str(this_run.layout.markers),


wildcard_constraints:
    dataset="|".join(this_run.settings.datasets),
    dt=r"\d{4}-\d{2}-\d{2}",


report: "workflow/report/workflow.rst"


# on a cluster, nodes only read: what touches the archive and the database stays in one process
localrules:
    all,
    yesterday,
    ask_for_tables,
    extract,
    load,
    dbt,
    publish,
    report,


onstart:
    send_to_nodes(this_run, workflow)
    lift_rate_limit(workflow)
    this_run.start_dbt_early(list(workflow.dag.needrun_jobs()))


include: "workflow/rules/fetch.smk"
include: "workflow/rules/extract.smk"
include: "workflow/rules/load.smk"
include: "workflow/rules/ask_for_tables.smk"
include: "workflow/rules/dbt.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/report.smk"


# If the tables are there, Snakemake does not check whether their days are. So each target names the
# archived days and the markers too.
rule all:
    default_target: True
    input:
        this_run.paths_of_range,
        this_run.other_unloaded,
        this_run.tables_request,
        "<markers>/dbt.json",
        "<markers>/read_copy.json",
        "<markers>/report.json",
    message:
        "All days of the range, and their tables"


rule yesterday:
    input:
        this_run.day_paths(this_run.scope.days(["yesterday"])),
        this_run.other_unloaded,
        this_run.tables_request,
        "<markers>/dbt.json",
        "<markers>/read_copy.json",
        "<markers>/report.json",
    message:
        "Yesterday, and its tables"
