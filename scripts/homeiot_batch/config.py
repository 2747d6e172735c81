"""The settings: one model, filled from --config, the environment, files and defaults.

Each goes before those after it. Of the files, the house's config.yaml goes before the checkout's.
"""

import contextlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from homeiot_batch.core.datasets import SHIPPED_DATASET, Dataset, is_dataset_name
from homeiot_batch.core.days import parse_day
from homeiot_batch.core.dbt_vars import refuse_unknown_vars
from homeiot_batch.core.duckdb_connections import Limits, set_limits
from homeiot_batch.core.environment import plain_environment
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.meter_checks import refuse_wrong_meters
from homeiot_batch.core.meters import Meter, Power, Register
from homeiot_batch.core.near_names import hint
from homeiot_batch.core.settings_files import declared_settings
from homeiot_batch.core.storage_version import OLDEST, refuse_unknown
from homeiot_batch.errors import SettingsError
from homeiot_batch.words.languages import LANGUAGES, Language, language_of

ROOT = Path(__file__).resolve().parents[2]
HOUSE_DIR = Path("data/house")
OWN_SETTINGS = "config.yaml"
UNKNOWN_KEY = "extra_forbidden"  # as pydantic names the problem
# names that mean something else to DuckDB, dbt or the read copy
TAKEN_CATALOGS = {"archive", "copy", "main", "system", "temp"}


def _day(value: object) -> date:
    try:
        return parse_day(value, "")
    except SettingsError:
        raise ValueError("is not a date; give an existing day as YYYY-MM-DD") from None


def _time_of_day(value: object) -> object:
    if isinstance(value, time):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        # YAML takes 10:30 without quotes for a number of minutes, but 00:10 for a text
        value = f"{value // 60}:{value % 60:02}"
    if match := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value), re.ASCII):
        return time(int(match[1]), int(match[2]))
    raise ValueError("is not a time of day; give HH:MM, like 00:10")


def from_checkout(path: Path) -> Path:
    """The same place seen from the working directory: a relative path starts at the checkout."""
    if Path.cwd() == ROOT:
        return path
    return ROOT / path


Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=str)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day, json_schema_input_type=str)]
Place = Annotated[Path, AfterValidator(from_checkout)]


def _env(default: Any, description: str, **constraints: Any) -> Any:
    """A setting that the environment variable of its own name, in capitals, may give."""
    return Field(default, description=description, json_schema_extra={"env": True}, **constraints)


def _place(default: Path, description: str) -> Any:
    """A path that the environment may give, and whose default starts at the checkout too."""
    return _env(default, description, validate_default=True)


def _secret(description: str) -> Any:
    """A setting that only the environment may give."""
    return Field(None, description=description, json_schema_extra={"env": True, "secret": True})


class Settings(BaseSettings):
    """Everything that can be set. Relative paths start at the checkout."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, validate_default=False
    )

    influx_url: str = _env(
        "http://localhost:8086",
        "Where the readings are. InfluxDB: http or https, with the path that a proxy gives it. "
        "An export: `file:///path` or the path of a file or folder of line protocol.",
    )
    influx_bucket: str = _env(
        "home_energy", "Database (InfluxDB 1.x) or bucket (2.x).", min_length=1
    )
    influx_token: SecretStr | None = _secret("Token of InfluxDB 2.x. Environment only.")
    influx_token_file: Place | None = _env(None, "File with the token, instead of INFLUX_TOKEN.")
    influx_username: str | None = _env(None, "User of InfluxDB 1.x, if it asks for one.")
    influx_password: SecretStr | None = _secret("The user's password. Environment only.")
    influx_password_file: Place | None = _env(
        None, "File with the password, instead of INFLUX_PASSWORD."
    )
    influx_retention_policy: str | None = _env(
        None, "Retention policy to read. If not set, the database's default one."
    )
    influx_measurement: str | None = _env(
        None, f"Measurement of `{SHIPPED_DATASET}`, instead of the declared one (`power`)."
    )
    influx_ca_file: Place | None = _env(
        None, "Certificate authority to verify an https server with, if not a public one."
    )
    influx_timeout_s: float = _env(
        60.0, "Seconds without a byte after which a request is given up.", gt=0
    )
    influx_retries: int = _env(
        3,
        "Attempts per day if the answer is incomplete, and per query if the server is busy.",
        ge=1,
        le=20,
    )
    influx_chunk_rows: int = _env(10_000, "Rows per response chunk.", ge=1)
    source_default: str | None = _env(
        None,
        f"`source` of a reading without that tag in `{SHIPPED_DATASET}`, "
        "instead of the declared one (`meter1`).",
    )
    duckdb_path: Place = _place(Path("data/duckdb/home_energy.duckdb"), "The DuckDB file.")
    parquet_base_dir: Place = _place(
        Path("data/parquet"), "Folder of the archive: `<dataset>/dt=YYYY-MM-DD/`."
    )
    marker_dir: Place = _place(Path("data/markers"), "Folder of the per-day load markers and logs.")
    report_dir: Place = _place(Path("data/report"), "Folder of the report, `index.html`.")
    report_language: Language | None = _env(
        None,
        "Language of the report, of headers in exports and of messages: `en` or `ja`. If not set: "
        "Japanese in Asia/Tokyo, English elsewhere.",
    )
    house_dir: Path = _env(
        HOUSE_DIR,
        "Folder of your settings: `config.yaml` and `tariffs.csv`. Do not set it in `config.yaml`.",
    )
    parquet_compression: Literal["zstd", "snappy", "gzip", "brotli", "lz4", "none"] = _env(
        "zstd", "Compression of the Parquet files."
    )
    parquet_row_group_size: int = _env(131_072, "Most rows in a Parquet row group.", ge=1)
    tz: str = _env(
        "Asia/Tokyo",
        "The house's time zone, an IANA name. Fixed for an archive from its first day on.",
    )
    archive_start: Day | None = _env(
        None, "First day of the archive: where a range without `start` begins."
    )
    start: Day | None = Field(
        None,
        description="First local day of the range. If not set: `archive_start`, or the first "
        "archived day, or yesterday.",
    )
    end: Day | None = Field(
        None, description="Last local day of the range, included. If not set: yesterday."
    )
    allow_shrink: bool = Field(
        False,
        description="Allow the days of `start` to `end` to be replaced by days with fewer "
        "readings. It is recorded.",
    )
    lock_wait_s: float = _env(
        60.0, "Seconds to wait for another run to end before giving up.", ge=0
    )
    duckdb_wait_s: float = _env(
        60.0, "Seconds to wait for another process that has the DuckDB file open.", ge=0
    )
    duckdb_memory_limit: str = _env(
        "2GB",
        "Most memory for DuckDB in a run, and in dbt while it builds the tables. It puts the "
        "rest on disk.",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
    )
    read_copy_storage_version: str = _env(
        OLDEST,
        "Oldest DuckDB version that can open the read copy.",
    )
    lookback_days: int = _env(
        7,
        "Days before yesterday that the nightly command checks for late points.",
        ge=0,
        le=3650,
    )
    schedule: TimeOfDay = _env(
        "00:10",
        "Local time of the house, HH:MM, at which `homeiot every-night` runs the nightly command. "
        "Some minutes after midnight, since a day is archived only when it is over by all clocks.",
        validate_default=True,
    )
    healthcheck_url: SecretStr | None = _secret(
        "Address that the nightly command pings, in the form of healthchecks.io. Environment only."
    )
    notify_url: SecretStr | None = _secret(
        "Where the nightly command sends messages: addresses of Apprise, with spaces or line ends "
        "between several. Environment only."
    )
    notify_url_file: Place | None = _env(
        None, "File with the addresses, instead of NOTIFY_URL. It may have a line for each."
    )
    notify_monthly: bool = _env(
        False, "Also send the energy of each month when it is over, to the same addresses."
    )
    mirror_url: str | None = _env(
        None,
        "Place of the second copy, for `homeiot mirror` and the nightly command: a folder on "
        "another disk or machine, or `s3://BUCKET/PREFIX`.",
    )
    mirror_endpoint: str | None = _env(
        None, "Address of the S3 server (http or https), if it is not that of Amazon."
    )
    mirror_region: str | None = _env(
        None, "Region of the bucket, `us-east-1` if not set. Most servers of one's own ignore it."
    )
    mirror_access_key: SecretStr | None = _secret("Access key of the S3 server. Environment only.")
    mirror_access_key_file: Place | None = _env(
        None, "File with the access key, instead of MIRROR_ACCESS_KEY."
    )
    mirror_secret_key: SecretStr | None = _secret("The key's secret. Environment only.")
    mirror_secret_key_file: Place | None = _env(
        None, "File with the secret, instead of MIRROR_SECRET_KEY."
    )
    mirror_ca_file: Place | None = _env(
        None, "Certificate authority to verify an https S3 server with, if not a public one."
    )
    log_format: Literal["keyvalue", "json"] = _env("keyvalue", "Form of the log lines.")
    now: datetime | None = Field(
        None, description="Time to use as now (ISO 8601 with offset), for drills and tests."
    )
    dbt_vars: dict[str, Any] = Field(
        {},
        description="How the tables are built: values for the vars of `dbt/dbt_project.yml`.",
    )
    datasets: dict[str, Dataset] = Field(
        {}, validate_default=True, description="The datasets to archive, by name. See config.yaml."
    )
    meters: dict[str, Meter] = Field(
        {},
        description="The meters of the tables, by name: which series of the datasets they are.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """--config, then the documented environment variables, then what the files declare."""
        assert isinstance(init_settings, InitSettingsSource)
        overrides = dict(init_settings.init_kwargs)
        declared = dict(overrides.pop("declared"))
        return (
            InitSettingsSource(settings_cls, overrides),
            _Environment(settings_cls),
            InitSettingsSource(settings_cls, declared),
        )

    @field_validator("influx_url")
    @classmethod
    def _url_has_no_credentials(cls, url: str) -> str:
        if re.match(r"https?://", url) and re.search(r"[@?#]", url):
            raise ValueError(
                "holds @, ? or #; give user and password as INFLUX_USERNAME and INFLUX_PASSWORD, "
                "and the address alone"
            )
        if "://" in url and not re.match(r"(https?|file)://", url):
            raise ValueError("is neither http://, https://, file:// nor a path")
        if re.match(r"file://[^/]", url):
            raise ValueError("names a host; give file:///path, or the path alone")
        if "://" in url:
            return url
        return str(from_checkout(Path(url)))

    @field_validator("mirror_endpoint")
    @classmethod
    def _is_an_address_alone(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^/@?#\s]+/?", url):
            raise ValueError("is not http:// or https:// with a host, and a port if needed, alone")
        return url

    @field_validator("parquet_base_dir", "marker_dir", "duckdb_path", "report_dir")
    @classmethod
    def _path_is_plain(cls, path: Path) -> Path:
        if re.search(r"[][{}?*]", str(path)):
            raise ValueError(
                "holds one of {}[]*?, which mean something else to Snakemake and DuckDB; "
                "choose a path without"
            )
        return path

    @field_validator("parquet_base_dir", "marker_dir")
    @classmethod
    def _names_no_pathvar(cls, path: Path) -> Path:
        if re.search("[<>]", str(path)):
            raise ValueError(
                "holds < or >, which mark names in Snakemake's paths; choose a path without"
            )
        return path

    @field_validator("parquet_base_dir", "duckdb_path")
    @classmethod
    def _is_a_path_to_duckdb(cls, path: Path) -> Path:
        real_path = path.resolve()
        if "\\" in str(real_path):
            raise ValueError(
                f"is {real_path}, where DuckDB takes a backslash for a slash; choose a path without"
            )
        return path

    @field_validator("duckdb_path")
    @classmethod
    def _names_no_catalog(cls, path: Path) -> Path:
        # what DuckDB calls the database; of a link, by the file that it leads to
        names = {_catalog(path), _catalog(path.resolve())}
        has_quote = re.search("['\"]", path.name)
        if names & TAKEN_CATALOGS or has_quote or path.stem.endswith(".read"):
            taken = ", ".join(sorted(TAKEN_CATALOGS))
            raise ValueError(
                f"gives the database a name that cannot be used ({taken}, one with a quote, or "
                "that of a read copy); name the file otherwise"
            )
        return path

    @field_validator("tz")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(
                "is not the IANA name of a time zone; give one like Asia/Tokyo or Europe/Berlin"
            )
        return name

    @field_validator("read_copy_storage_version")
    @classmethod
    def _is_a_storage_version(cls, version: str) -> str:
        refuse_unknown(version)
        return version

    @field_validator("now")
    @classmethod
    def _has_an_offset(cls, now: datetime | None) -> datetime | None:
        if now is None:
            return None
        if now.tzinfo is None:
            raise ValueError("has no offset from UTC; give one, like 2026-11-23T00:10:00+09:00")
        if not 1971 <= now.year <= 2261:
            raise ValueError(
                "lies outside of the years 1971 to 2261, which InfluxDB's nanoseconds span"
            )
        return now

    @field_validator("dbt_vars")
    @classmethod
    def _are_vars(cls, given: dict[str, Any]) -> dict[str, Any]:
        refuse_unknown_vars(given, ROOT / "dbt")
        return given

    @field_validator("datasets", mode="after")
    @classmethod
    def _named(cls, datasets: dict[str, Dataset]) -> dict[str, Dataset]:
        if not datasets:
            raise ValueError(
                "declares no dataset; give at least one, the shipped config.yaml shows how"
            )
        for name in datasets:
            if not is_dataset_name(name):
                raise ValueError(
                    f"{name!r} cannot name a dataset; use small letters, digits and _, no name "
                    "that is taken, and no part twenty times in a row"
                )
        shipped = datasets.get(SHIPPED_DATASET)
        if shipped is not None and shipped.missing not in (None, 0.0):
            raise ValueError(
                f"{SHIPPED_DATASET}.missing={shipped.missing:g} would pass for readings; "
                "give 0.0 or null"
            )
        return {name: dataset.named(name) for name, dataset in datasets.items()}

    @field_validator("meters", mode="after")
    @classmethod
    def _name_series_that_exist(
        cls, meters: dict[str, Meter], info: ValidationInfo
    ) -> dict[str, Meter]:
        datasets = info.data.get("datasets")
        if datasets is not None:  # else the mistake is there
            refuse_wrong_meters(meters, datasets, info.data.get("dbt_vars") or {})
        return meters

    @model_validator(mode="after")
    def _shipped_dataset_follows_the_environment(self) -> "Settings":
        shipped = self.datasets.get(SHIPPED_DATASET)
        if shipped is not None:
            changes: dict[str, object] = {}
            if self.influx_measurement:
                changes["measurement"] = self.influx_measurement
            if self.source_default and "source" in shipped.tags:
                changes["tags"] = {**shipped.tags, "source": self.source_default}
            self.datasets[SHIPPED_DATASET] = shipped.model_copy(update=changes)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The house's zone."""
        return ZoneInfo(self.tz)

    @property
    def language(self) -> Language:
        """The language that people of the house read."""
        return self.report_language or language_of(self.tz)

    @property
    def layout(self) -> Layout:
        """Where everything of the archive lies."""
        return Layout(
            parquet=self.parquet_base_dir,
            markers=self.marker_dir,
            database=self.duckdb_path,
            report_folder=self.report_dir,
            house=ROOT / self.house_dir,
        )

    @property
    def is_server(self) -> bool:
        """Whether the source is an InfluxDB, not an export."""
        return self.influx_url.startswith(("http://", "https://"))

    def may_shrink(self, day: date) -> bool:
        """Whether this local day may be replaced by a smaller one.

        `allow_shrink` holds for the days of `start` to `end` alone: a run may read others too.
        """
        if not (self.allow_shrink and self.start and self.end):
            return False
        return self.start <= day <= self.end

    def instant(self) -> datetime:
        """Now, UTC. `now` if it is set."""
        now = self.now or datetime.now(UTC)
        return now.astimezone(UTC)

    def token(self) -> str | None:
        """The token from INFLUX_TOKEN or the file that INFLUX_TOKEN_FILE names."""
        token = _revealed(self.influx_token, self.influx_token_file, "INFLUX_TOKEN_FILE")
        if not token:
            return token
        if not token.isascii() or not token.isprintable():
            raise SettingsError(
                "INFLUX_TOKEN, or the file that INFLUX_TOKEN_FILE names, holds more than one line "
                "of ASCII; give the token alone"
            )
        return token

    def password(self) -> str | None:
        """The password from INFLUX_PASSWORD or the file that INFLUX_PASSWORD_FILE names."""
        return _revealed(self.influx_password, self.influx_password_file, "INFLUX_PASSWORD_FILE")

    def mirror_keys(self) -> tuple[str | None, str | None]:
        """Access key and secret of the S3 server, from the variables or the files they name."""
        access = _revealed(
            self.mirror_access_key, self.mirror_access_key_file, "MIRROR_ACCESS_KEY_FILE"
        )
        secret = _revealed(
            self.mirror_secret_key, self.mirror_secret_key_file, "MIRROR_SECRET_KEY_FILE"
        )
        return access, secret

    def notify_urls(self) -> list[str]:
        """The addresses of NOTIFY_URL or of the file that NOTIFY_URL_FILE names. Each a secret."""
        text = _revealed(self.notify_url, self.notify_url_file, "NOTIFY_URL_FILE")
        if text is None:
            return []
        return text.split()


class _Environment(EnvSettingsSource):
    """Only the variables that are documented, by their exact names.

    An empty one counts as not set.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if not has_variable(field):
            return None, field_name, False
        value = os.environ.get(field_name.upper())
        return value or None, field_name, False


def has_variable(field: FieldInfo) -> bool:
    """Whether the setting may come from the environment."""
    return _is_marked(field, "env")


def is_secret(field: FieldInfo) -> bool:
    """Whether the setting may come from the environment only."""
    return _is_marked(field, "secret")


def environment_without_secrets() -> dict[str, str]:
    """The plain environment of this process without the settings that are secrets."""
    environment = plain_environment()
    for name, field in Settings.model_fields.items():
        if is_secret(field):
            environment.pop(name.upper(), None)
    return environment


def _is_marked(field: FieldInfo, mark: str) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(mark))


def _catalog(path: Path) -> str:
    """The name that DuckDB gives the database in this file, in small letters."""
    name, *_ = path.name.split(".")
    return name.lower()


def _revealed(value: SecretStr | None, file: Path | None, variable: str) -> str | None:
    """The secret, from the variable itself or else from the file that another one names."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    origin = f"{variable}={str(file)!r}"
    text = _secret_text(file, origin)
    if not text:
        raise SettingsError(f"{origin} is empty; write the secret into it, or name another file")
    return text


def _secret_text(file: Path, origin: str) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        reason = error.strerror
    except ValueError:
        reason = "not text"
    raise SettingsError(f"{origin} cannot be read ({reason}); name a readable file")


def load_settings(
    overrides: Mapping[str, Any] | None = None, config_yaml: Path | None = None
) -> Settings:
    """The settings of this run. `overrides` are what --config gave. SettingsError is one line."""
    given = dict(overrides or {})
    shipped = config_yaml or ROOT / "config.yaml"
    _refuse_misplaced_secrets(given, "--config")
    for key, value in given.items():
        if value is None or value == "":
            raise SettingsError(f"--config {key}= is empty; give a value or leave it out")
    declared = declared_settings([shipped, _house_folder(given) / OWN_SETTINGS])
    origins = {name: shown_path(file) for name, file in declared.files.items()}
    for name, file in origins.items():
        _refuse_misplaced_secrets([name], file)
        _refuse_misplaced(name, file)
    try:
        settings = Settings(declared=declared.values, **given)  # ty: ignore[unknown-argument]
    except ValidationError as error:
        raise SettingsError(_one_line(error, given, origins)) from None
    _refuse_shrinking_anything(settings)
    set_limits(Limits(settings.duckdb_memory_limit, settings.layout.spill))
    return settings


def settings_for_messages(given: Mapping[str, Any]) -> Settings:
    """What messages need, where the settings as a whole are refused. All else is as by default.

    Nothing of it is checked but the form of the paths.
    """
    values: Mapping[str, Any] = {}
    with contextlib.suppress(SettingsError):
        folder = ROOT / str(given.get("house_dir") or os.environ.get("HOUSE_DIR") or HOUSE_DIR)
        values = declared_settings([ROOT / "config.yaml", folder / OWN_SETTINGS]).values
    found: dict[str, object] = {}
    named: dict[str, str] = {}
    for name in ("marker_dir", "notify_url_file", "tz", "report_language"):
        value = given.get(name) or os.environ.get(name.upper()) or values.get(name)
        if value:
            named[name] = str(value)
    for name in ("marker_dir", "notify_url_file"):
        if name in named:
            found[name] = from_checkout(Path(named[name]))
    if "tz" in named:
        found["tz"] = named["tz"]
    if named.get("report_language") in LANGUAGES:
        found["report_language"] = named["report_language"]
    url = os.environ.get("NOTIFY_URL")
    if url:
        found["notify_url"] = SecretStr(url)
    return Settings.model_construct(None, **found)


def _house_folder(given: Mapping[str, Any]) -> Path:
    """The folder of what the user sets. SettingsError for one that was named and is not there."""
    named = given.get("house_dir") or os.environ.get("HOUSE_DIR")
    folder = ROOT / str(named or HOUSE_DIR)
    if named and not folder.is_dir():
        raise SettingsError(
            f"HOUSE_DIR={str(named)!r} is no folder; make it, or name the one that has what you set"
        )
    return folder


def overridden_settings(settings: Settings) -> list[str]:
    """What the files declare to no effect, because a variable goes before it. A line for each."""
    declared = declared_settings([ROOT / "config.yaml", settings.layout.house / OWN_SETTINGS])
    found = []
    for name, file in declared.files.items():
        variable = name.upper()
        value = os.environ.get(variable, "")
        is_other = value not in ("", str(declared.values[name]))
        if is_other and has_variable(Settings.model_fields[name]):
            found.append(
                f"{name} in {shown_path(file)} has no effect: the variable {variable} is set to "
                "another value and goes before it; remove one of both"
            )
    return found


def shown_path(file: Path) -> str:
    """The path as a user writes it: from the checkout on, where the file lies in there."""
    if file.is_relative_to(ROOT):
        return str(file.relative_to(ROOT))
    return str(file)


def given_settings(pairs: Sequence[str]) -> dict[str, object]:
    """What KEY=VALUE on a command line means, read as Snakemake reads it."""
    parts = [pair.partition("=") for pair in pairs]
    for name, equals, _ in parts:
        if not equals:
            raise SettingsError(f"--config {name} gives no value; write KEY=VALUE")
    return {name: yaml.safe_load(value) for name, _, value in parts}


def _refuse_misplaced_secrets(given: Collection[str], origin: str) -> None:
    for name, field in Settings.model_fields.items():
        if is_secret(field) and name in given:
            raise SettingsError(
                f"{name} does not belong in {origin}, where others can read it; "
                f"set {name.upper()} instead"
            )


def _refuse_misplaced(name: str, file: str) -> None:
    """SettingsError for what cannot stand in a file."""
    if name in ("allow_shrink", "now"):
        raise SettingsError(
            f"{name} in {file} would hold for every run; "
            f"give it for one run, by --config {name}=..."
        )
    if name == "house_dir":
        raise SettingsError(
            f"house_dir in {file} would name the folder that config.yaml is read from; "
            "set HOUSE_DIR instead"
        )


def _refuse_shrinking_anything(settings: Settings) -> None:
    """A permission that was meant for one day must not take what another one holds."""
    if settings.allow_shrink and not (settings.start and settings.end):
        raise SettingsError(
            "allow_shrink=true does not say for which days; give --date, or --from and --to "
            "(snakemake: start and end) with it"
        )


def _one_line(error: ValidationError, given: Mapping[str, Any], declared: Mapping[str, str]) -> str:
    problem = _first_problem(error)
    # a single series is a list of one: its number would confuse
    where = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    name, *inner = where or [""]
    origin = _origin(name, given, declared)
    key = ".".join(where)
    if problem["type"] == UNKNOWN_KEY:
        known = _known_keys(name, inner)
        return f"{origin}: there is no setting {key!r}; {hint(where[-1], known)}"
    shown = _shown_value(name, problem["input"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{origin}: {key}{shown} {message}"


def _first_problem(error: ValidationError) -> ErrorDetails:
    """An unknown key, because other problems may follow from it, or else the first problem."""
    problems = error.errors(include_url=False)
    unknown = [problem for problem in problems if problem["type"] == UNKNOWN_KEY]
    first, *_ = unknown or problems
    return first


def _known_keys(name: str, inner: Sequence[str]) -> Collection[str]:
    """The keys that may stand where an unknown one was found."""
    if name == "datasets" and inner:
        return Dataset.model_fields
    if name == "meters" and inner:
        return _keys_of_a_meter(inner)
    return Settings.model_fields


def _keys_of_a_meter(inner: Sequence[str]) -> Collection[str]:
    """The keys of a meter, or those of one of its series."""
    model = Meter
    if len(inner) > 2:
        model = Power if inner[1] == "power" else Register
    return [field.alias or name for name, field in model.model_fields.items()]


def _shown_value(name: str, value: object) -> str:
    """The value as a message shows it, or "" where it may hold a secret, or is long."""
    field = Settings.model_fields.get(name)
    if field is None or is_secret(field) or isinstance(value, dict):
        return ""
    text = str(value)
    if re.search(r"[@?#]", text):
        return ""
    return f"={text!r}"


def _origin(name: str, given: Mapping[str, Any], declared: Mapping[str, str]) -> str:
    field = Settings.model_fields.get(name)
    if name in given:
        return "--config"
    if field is not None and has_variable(field) and os.environ.get(name.upper()):
        return f"environment variable {name.upper()}"
    return declared.get(name, "config.yaml")
