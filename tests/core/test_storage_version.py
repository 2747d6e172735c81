"""The version of the read copy's file: what is accepted, and what a mistyped one is told."""

import duckdb
import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.storage_version import OLDEST, refuse_unknown
from homeiot_batch.errors import SettingsError

pytestmark = pytest.mark.usefixtures("clean_environment")


def test_the_oldest_is_the_default() -> None:
    """As many readers as possible can open the copy, whoever says nothing."""
    assert load_settings().read_copy_storage_version == OLDEST == "v1.0.0"


@pytest.mark.parametrize("version", ["v1.0.0", "v1.1.3", "v1.4.5", "v1.5.6", "v2.0.0", "latest"])
def test_what_duckdb_can_write_is_accepted(version: str) -> None:
    """Each of these versions, or whatever DuckDB's own is."""
    refuse_unknown(version)


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("1.4", "did you mean v1.4.0?"),
        (1.4, "did you mean v1.4.0?"),
        (1, "did you mean v1.0.0?"),
        ("1.4.5", "did you mean v1.4.5?"),
        ("V1.5.6", "did you mean v1.5.6?"),
        (" v1.0.0", "did you mean v1.0.0?"),
        ("v1.2.0.1", "did you mean v1.2.0?"),
        ("Latest", "did you mean latest?"),
        ("v2", "did you mean v2.0.0?"),
        ("v0,9", "give a version of DuckDB like v1.0.0, or latest"),
        ("newest", "give a version of DuckDB like v1.0.0, or latest"),
        ("'; DROP TABLE x", "give a version of DuckDB like v1.0.0, or latest"),
    ],
)
def test_a_near_miss_is_told_what_is_meant(version: object, hint: str) -> None:
    """The whole message: where the value came from, the value, and what to give."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"read_copy_storage_version": version})
    assert str(caught.value) == (
        f"--config: read_copy_storage_version={str(version)!r} is no storage version of "
        f"DuckDB {duckdb.__version__}; {hint}"
    )


def test_a_version_that_names_no_format_is_refused() -> None:
    """DuckDB takes v0.9.2, but its file is one that only 1.0 and later are sure to open."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"read_copy_storage_version": "v0.9.2"})
    assert str(caught.value) == (
        "--config: read_copy_storage_version='v0.9.2' is older than any file that DuckDB writes; "
        "the oldest is v1.0.0"
    )


def test_a_version_from_the_environment_is_traced_to_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As every setting is."""
    monkeypatch.setenv("READ_COPY_STORAGE_VERSION", "1.4")
    with pytest.raises(
        SettingsError, match="^environment variable READ_COPY_STORAGE_VERSION: .* v1.4.0"
    ):
        load_settings()
