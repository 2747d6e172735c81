"""What the Snakemake workflow catalogue asks for."""

import re
import subprocess

import yaml

from homeiot_batch.config import ROOT
from tests.house import SNAKEMAKE, House

TWO_DAYS = ["--config", "start=2026-11-01", "end=2026-11-02"]


def planned_jobs(house: House, snakefile: str) -> dict[str, int]:
    """How many jobs of each rule a dry run of two days lists."""
    command = [SNAKEMAKE, "--snakefile", snakefile, "--dry-run", "--quiet", "rules", *TWO_DAYS]
    done = subprocess.run(
        command, cwd=ROOT, env=house.env(), capture_output=True, text=True, check=True
    )
    rows = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def test_the_catalogues_snakefile_is_the_workflow(house: House) -> None:
    """It has the same default target, with the same jobs."""
    steps = dict.fromkeys(("fetch", "extract", "load"), 2)
    tables = dict.fromkeys(("dbt", "publish", "report", "all"), 1)
    everything = steps | tables | {"total": 10}
    assert planned_jobs(house, "Snakefile") == everything
    assert planned_jobs(house, "workflow/Snakefile") == everything


def test_the_catalogue_finds_its_files() -> None:
    """The usage file has the keys that the catalogue reads, and the configuration has a page."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert "config.yaml" in (ROOT / "config/README.md").read_text()
