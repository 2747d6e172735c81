"""The environment of the programs that a run starts, without options that would change them."""

import os

OPTIONS = ("DBT_", "SNAKEMAKE_")
# of Python: what it warns of, leaves out, or does when a program has ended
BEHAVIOUR = {"PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONDEVMODE"}


def plain_environment() -> dict[str, str]:
    """The variables of this process without options for dbt, Snakemake or Python.

    `DBT_EMPTY=1` of another project would build empty tables, a Snakemake profile of a cluster
    would send the house's jobs there.
    """
    return {name: value for name, value in os.environ.items() if not _is_option(name)}


def _is_option(name: str) -> bool:
    return name in BEHAVIOUR or name.startswith(OPTIONS)
