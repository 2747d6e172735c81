"""The macros are small, and each is described with its arguments."""

import re

import yaml

from homeiot_batch.config import ROOT

FOLDER = ROOT / "dbt/macros"
FILES = sorted(FOLDER.rglob("*.sql"))
MOST_LINES = 150


def test_every_macro_is_described_with_its_arguments() -> None:
    """In the order in which it takes them. Nothing is described that is not there."""
    text = "".join(file.read_text() for file in FILES)
    macros = {
        name: re.findall(r"(\w+)(?:=[^,]*)?", arguments)
        for name, arguments in re.findall(r"{% macro (\w+)\((.*?)\)", text)
    }
    listed = yaml.safe_load((FOLDER / "_macros.yml").read_text())["macros"]
    described = {
        macro["name"]: [argument["name"] for argument in macro.get("arguments", [])]
        for macro in listed
    }
    assert described == macros
    assert all(macro["description"] for macro in listed)


def test_no_file_is_long() -> None:
    """One topic a file."""
    lines = {file.name: len(file.read_text().splitlines()) for file in FILES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
