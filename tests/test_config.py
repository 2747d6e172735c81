"""Settings: precedence, refusals, secrets."""

from pathlib import Path

import pytest

from homeiot_batch.config import ROOT, Settings, has_variable, load_settings
from homeiot_batch.errors import SettingsError

SHIPPED = (ROOT / "config.yaml").read_text()


pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.fixture
def config_yaml(tmp_path: Path) -> Path:
    """A config.yaml of its own."""
    file = tmp_path / "config.yaml"
    file.write_text(SHIPPED + "influx_bucket: from_yaml\n")
    return file


def test_command_line_goes_before_environment_before_file_before_default(
    config_yaml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source gives way to the one above it."""
    assert Settings.model_fields["influx_bucket"].default == "home_energy"
    assert load_settings({}, config_yaml).influx_bucket == "from_yaml"
    monkeypatch.setenv("INFLUX_BUCKET", "from_env")
    assert load_settings({}, config_yaml).influx_bucket == "from_env"
    assert load_settings({"influx_bucket": "from_cli"}, config_yaml).influx_bucket == "from_cli"


def test_the_requests_variables_are_read_under_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables of the request, and those that were added."""
    named = (
        "INFLUX_URL INFLUX_BUCKET INFLUX_TOKEN INFLUX_USERNAME INFLUX_PASSWORD INFLUX_MEASUREMENT "
        "DUCKDB_PATH PARQUET_BASE_DIR "
    )
    named += "PARQUET_COMPRESSION PARQUET_ROW_GROUP_SIZE TZ SOURCE_DEFAULT"
    named += " INFLUX_RETENTION_POLICY MARKER_DIR INFLUX_TOKEN_FILE INFLUX_PASSWORD_FILE"
    variables = {
        name.upper() for name, field in Settings.model_fields.items() if has_variable(field)
    }
    assert set(named.split()) <= variables
    monkeypatch.setenv("INFLUX_MEASUREMENT", "strom")
    monkeypatch.setenv("SOURCE_DEFAULT", "keller")
    monkeypatch.setenv("PARQUET_ROW_GROUP_SIZE", "500")
    settings = load_settings()
    dataset = settings.datasets["raw_meter_readings"]
    assert (dataset.measurement, dataset.tags, settings.parquet_row_group_size) == (
        "strom",
        {"source": "keller"},
        500,
    )


def test_undocumented_and_empty_variables_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stray END or DATASETS changes nothing.

    An empty variable, as compose passes it on, counts as not set.
    """
    for name, value in {
        "END": "nonsense",
        "START": "2020-01-01",
        "DATASETS": "{}",
        "ALLOW_SHRINK": "true",
        "NOW": "x",
        "INFLUX_URL": "",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.start, settings.end, settings.allow_shrink, settings.now) == (
        None,
        None,
        False,
        None,
    )
    assert settings.influx_url == "http://localhost:8086"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strat": "2026-11-01"}, "--config: there is no setting 'strat'; did you mean start?"),
        (
            {"start": "2026-13-01"},
            "--config: start='2026-13-01' is not a date; give an existing day as YYYY-MM-DD",
        ),
        (
            {"start": 20261101},
            "--config: start='20261101' is not a date; give an existing day as YYYY-MM-DD",
        ),
        ({"start": None}, "--config start= is empty; give a value or leave it out"),
        (
            {"tz": "JST-9"},
            (
                "--config: tz='JST-9' is not the IANA name of a time zone; give one like "
                "Asia/Tokyo or "
                "Europe/Berlin"
            ),
        ),
        (
            {"tz": ":/etc/localtime"},
            "--config: tz=':/etc/localtime' is not the IANA name of a time zone",
        ),
        (
            {"influx_url": "http://me:hush@h:1"},
            "holds @, ? or #; give user and password as INFLUX_USERNAME and INFLUX_PASSWORD",
        ),
        ({"influx_url": "http://me:hu/hush@h:1"}, "--config: influx_url holds @, ? or #"),
        ({"influx_url": "http://h:1/?u=me&p=hush"}, "--config: influx_url holds @, ? or #"),
        ({"influx_url": "file://me:hush@h/x"}, "--config: influx_url names a host"),
        ({"parquet_base_dir": "a{b}"}, "parquet_base_dir='a{b}' holds one of {}[]*?"),
        ({"duckdb_path": "a[1].duckdb"}, "duckdb_path='a[1].duckdb' holds one of {}[]*?"),
        (
            {"duckdb_path": "x/Archive.2026.duckdb"},
            (
                "duckdb_path='x/Archive.2026.duckdb' gives the database a name that cannot be used "
                "(archive, copy, "
            ),
        ),
        (
            {"duckdb_path": "temp"},
            "duckdb_path='temp' gives the database a name that cannot be used",
        ),
        ({"duckdb_path": "a'b.duckdb"}, "gives the database a name that cannot be used"),
        (
            {"duckdb_path": 'a"b.duckdb'},
            "one with a quote, or that of a read copy); name the file otherwise",
        ),
        (
            {"duckdb_path": "a.read.duckdb"},
            "duckdb_path='a.read.duckdb' gives the database a name that cannot be used",
        ),
        (
            {"now": "9999-12-31T23:00:00Z"},
            "now='9999-12-31T23:00:00Z' lies outside of the years 1971 to 2261",
        ),
        (
            {"datasets": {"raw_meter_readings": {"missing": -1}}},
            "raw_meter_readings.missing=-1 would pass for readings",
        ),
        (
            {"datasets": {"fct_x": {"measurement": "m", "fields": {"x": "double"}}}},
            "'fct_x' cannot name a dataset",
        ),
        (
            {"datasets": {"built_loads": {"measurement": "m", "fields": {"x": "double"}}}},
            "'built_loads' cannot name a dataset",
        ),
        (
            {"datasets": {"rebuilt_days": {"measurement": "m", "fields": {"x": "double"}}}},
            "'rebuilt_days' cannot name a dataset",
        ),
        (
            {"datasets": {"log": {"measurement": "m", "fields": {"x": "double"}}}},
            "'log' cannot name a dataset",
        ),
        (
            {"datasets": {"ab" * 20: {"measurement": "m", "fields": {"x": "double"}}}},
            "'abababababababababababababababababababab' cannot name a dataset",
        ),
        (
            {"influx_url": "ftp://h"},
            "influx_url='ftp://h' is neither http://, https://, file:// nor a path",
        ),
        ({"now": "2026-01-01T00:00:00"}, "has no offset from UTC"),
        (
            {"influx_token": "hush"},
            (
                "influx_token does not belong in --config, where others can read it; set "
                "INFLUX_TOKEN "
                "instead"
            ),
        ),
        (
            {"datasets": {"a": {"measurement": "m", "feilds": {}}}},
            "there is no setting 'datasets.a.feilds'; did you mean fields?",
        ),
        (
            {"datasets": {"A b": {"measurement": "m", "fields": {"x": "double"}}}},
            "'A b' cannot name a dataset",
        ),
        (
            {"datasets": {"a": {"measurement": "m", "fields": {"Time": "double"}}}},
            "column 'Time' is empty, reserved",
        ),
        (
            {"datasets": {"a": {"measurement": "m", "fields": {"x": "boolean"}, "missing": 0}}},
            "missing: a number can only stand in for",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(given: dict[str, object], message: str) -> None:
    """The line names the value, where it came from and what to do. It shows no secret."""
    with pytest.raises(SettingsError) as caught:
        load_settings(given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_wrong_variable_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value from the environment is traced to its variable."""
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(SettingsError, match="environment variable LOG_FORMAT: log_format='xml'"):
        load_settings()


def test_a_secret_in_config_yaml_is_refused(tmp_path: Path) -> None:
    """config.yaml is for reading by others."""
    file = tmp_path / "config.yaml"
    file.write_text(SHIPPED + "influx_password: hush\n")
    with pytest.raises(SettingsError, match="influx_password does not belong in .*config.yaml"):
        load_settings({}, file)


def test_secrets_come_from_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's content without its line end. A file that is not there is named."""
    (tmp_path / "token").write_text("hush\n")
    monkeypatch.setenv("INFLUX_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("INFLUX_PASSWORD_FILE", str(tmp_path / "none"))
    settings = load_settings()
    assert settings.token() == "hush"
    assert "hush" not in repr(settings)
    (tmp_path / "token").write_text("hush\nhush\n")
    with pytest.raises(
        SettingsError, match="INFLUX_TOKEN_FILE names, holds more than one line of ASCII"
    ) as caught:
        settings.token()
    assert "hush" not in str(caught.value)
    with pytest.raises(SettingsError, match="INFLUX_PASSWORD_FILE=.*none.* cannot be read"):
        settings.password()
    (tmp_path / "token").write_text("\n")
    with pytest.raises(
        SettingsError, match="INFLUX_TOKEN_FILE=.*token' is empty; write the secret into it"
    ):
        settings.token()


@pytest.mark.parametrize("line", ["allow_shrink: true", "now: 2026-11-24T00:00:00+09:00"])
def test_what_is_meant_for_one_run_cannot_be_made_lasting(tmp_path: Path, line: str) -> None:
    """In config.yaml a permission to shrink would hold for every night."""
    file = tmp_path / "config.yaml"
    file.write_text(SHIPPED + line + "\n")
    with pytest.raises(
        SettingsError, match="would hold for every run; give it for one run, by --config"
    ):
        load_settings({}, file)


@pytest.mark.parametrize("content", [None, "", "datasets: {}", "tz: Asia/Tokyo"])
def test_a_config_without_datasets_is_refused(tmp_path: Path, content: str | None) -> None:
    """A file that is missing, empty, or declares nothing is refused.

    It would archive nothing, and call it done.
    """
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=r"config.yaml: datasets.* declares no dataset"):
        load_settings({}, file)


def test_a_broken_config_yaml_is_one_line(tmp_path: Path) -> None:
    """YAML that cannot be parsed is a user's mistake, not a traceback."""
    file = tmp_path / "config.yaml"
    file.write_text("datasets: [")
    with pytest.raises(SettingsError, match=r"config.yaml cannot be read: [^\n]*$"):
        load_settings({}, file)


def test_relative_places_start_at_the_checkout(
    tmp_path: Path, clean_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another folder every path is the checkout's, given or not. In the checkout none changes.

    There targets name the days by the paths as they were set.
    """
    given = {
        "influx_url": "exports/house.lp",
        "influx_token_file": "secrets/token",
        "influx_password_file": "/etc/password",
        "report_dir": "pages",
    }
    wanted = {
        "influx_url": "exports/house.lp",
        "influx_token_file": Path("secrets/token"),
        "influx_password_file": Path("/etc/password"),
        "influx_ca_file": None,
        "report_dir": Path("pages"),
        "parquet_base_dir": Path("data/parquet"),
        "marker_dir": Path("data/markers"),
        "duckdb_path": Path("data/duckdb/home_energy.duckdb"),
    }
    monkeypatch.chdir(ROOT)
    here = load_settings(given)
    assert {name: getattr(here, name) for name in wanted} == wanted
    monkeypatch.chdir(tmp_path)
    there = load_settings(given)
    assert {name: getattr(there, name) for name in wanted} == {
        name: value and type(value)(ROOT / value) for name, value in wanted.items()
    }
    for url in ("http://localhost:8086", "file:///srv/exports"):
        assert load_settings({"influx_url": url}).influx_url == url


@pytest.mark.parametrize(
    ("place", "path", "reason"),
    [
        ("parquet_base_dir", "/srv/a<b>", "holds < or >, which mark names in Snakemake's paths"),
        ("marker_dir", "/srv/a<b>", "holds < or >, which mark names in Snakemake's paths"),
        (
            "parquet_base_dir",
            "/srv/a\\b",
            "is /srv/a\\b, where DuckDB takes a backslash for a slash",
        ),
        ("duckdb_path", "/srv/a\\b/c.db", "is /srv/a\\b/c.db, where DuckDB takes a backslash for"),
    ],
)
def test_paths_that_snakemake_or_duckdb_read_otherwise(place: str, path: str, reason: str) -> None:
    """Named with the setting they came from."""
    with pytest.raises(SettingsError) as error:
        load_settings({place: path})
    assert str(error.value).startswith(f"--config: {place}={path!r} {reason}")
    assert str(error.value).endswith("; choose a path without")


def test_a_link_to_a_database_of_a_taken_name(tmp_path: Path) -> None:
    """DuckDB names a database by the file that a link leads to."""
    link = tmp_path / "house.duckdb"
    link.symlink_to(tmp_path / "archive.duckdb")
    with pytest.raises(SettingsError, match="gives the database a name that cannot be used"):
        load_settings({"duckdb_path": str(link)})
    link.unlink()
    link.symlink_to(tmp_path / "other.duckdb")
    assert load_settings({"duckdb_path": str(link)}).duckdb_path == link
