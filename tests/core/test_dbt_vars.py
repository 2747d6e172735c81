"""The vars of the dbt project that a house sets."""

from typing import Any

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.errors import SettingsError

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.fixture(autouse=True)
def project(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dbt project with a var of each kind."""
    known = (
        "{limit: 50, noise: 0.005, turn: null, strict: true, rule: soft, unit: kWh, sources: {}}"
    )
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt/dbt_project.yml").write_text(f"vars: {known}\n")
    monkeypatch.setattr("homeiot_batch.config.ROOT", tmp_path)
    (tmp_path / "config.yaml").write_text(
        "datasets: {climate: {measurement: m, fields: {t: double}}}\n"
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"limit": 10, "noise": 0, "turn": 100000, "strict": False, "rule": "hard"},
        {"turn": None, "sources": {}},
        {"sources": {"solar": {"kind": "solar", "limit": 3.5}, "a's": {"turn": None}}},
    ],
)
def test_vars_of_the_project_are_taken(given: dict[str, Any]) -> None:
    """As they are. The ones that are not given stay those of the project."""
    assert load_settings({"dbt_vars": given}).dbt_vars == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limmit": 10}, "has no var 'limmit'; did you mean limit?"),
        ({"LIMIT": 10}, "has no var 'LIMIT'; did you mean limit?"),
        ({"x": 10}, "has no var 'x'; known are limit, noise, turn, strict, rule, unit, sources"),
        ({"limit": "10"}, "limit='10' is no number from 0 on; write one like 50"),
        ({"limit": -1}, "limit=-1 is no number from 0 on; write one like 50"),
        ({"limit": None}, "limit=None is no number from 0 on; write one like 50"),
        ({"limit": True}, "limit=True is no number from 0 on; write one like 50"),
        ({"limit": float("nan")}, "limit=nan is no number from 0 on; write one like 50"),
        ({"limit": float("inf")}, "limit=inf is no number from 0 on; write one like 50"),
        ({"limit": [1]}, "limit=[1] is no number from 0 on; write one like 50"),
        ({"turn": "never"}, "turn='never' is no number from 0 on; write one like 1"),
        ({"strict": "yes"}, "strict='yes' is not true or false; write one"),
        ({"unit": "wh"}, "unit='wh' is none of kWh, Wh, MWh; write one of them"),
        ({"sources": {"a": {"unit": "W"}}}, "sources.a.unit='W' is none of kWh, Wh, MWh; write"),
        ({"rule": 1}, "rule=1 is not a text; write one"),
        ({"sources": ["a"]}, "sources=['a'] names no sources; write sources: {meter1: {...}}"),
        ({"sources": {"a": 5}}, "sources: 'a' has no vars of its own; write sources: {a: {...}}"),
        ({"sources": {1: {}}}, "sources: 1 has no vars of its own; write sources: {1: {...}}"),
        ({"sources": {"a": {"kimd": "x"}}}, "sources.a has no 'kimd'; did you mean kind?"),
        ({"sources": {"a": {"sources": {}}}}, "sources.a has no 'sources'; known are kind, limit"),
        ({"sources": {"a": {"limit": "3"}}}, "sources.a.limit='3' is no number from 0 on; write"),
        ({"sources": {"a": {"kind": 3}}}, "sources.a.kind=3 is not a text; write one"),
    ],
)
def test_what_is_no_var_is_refused(given: dict[str, Any], message: str) -> None:
    """By name, with what to write: dbt would take any name, and build with the default."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"dbt_vars": given})
    assert str(caught.value).startswith(f"--config: dbt_vars {message}")
