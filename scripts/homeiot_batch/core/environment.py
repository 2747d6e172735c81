"""The environment of the programs that a run starts, without options that would change them."""

import os

OPTIONS = ("DBT_", "SNAKEMAKE_")
# of Python: what it warns of, leaves out, or does when a program has ended
BEHAVIOUR = {"PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONDEVMODE"}
# without folders of zone files Python takes the rules of the package tzdata, as this process does
ZONE_RULES = {"PYTHONTZPATH": ""}


def plain_environment() -> dict[str, str]:
    """The variables of this process without options for dbt, Snakemake or Python.

    With them, Python takes the zone rules of the package tzdata.

    `DBT_EMPTY=1` of another project would build empty tables, a Snakemake profile of a cluster
    would send the house's jobs there.
    """
    plain = {name: value for name, value in os.environ.items() if not _is_option(name)}
    return plain | ZONE_RULES


def _is_option(name: str) -> bool:
    return name in BEHAVIOUR or name.startswith(OPTIONS)
