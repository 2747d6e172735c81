"""The house's own config.yaml beside the one of the checkout, and mistakes in either."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from homeiot_batch.config import ROOT, load_settings
from homeiot_batch.core.house_folder import unread_files
from homeiot_batch.errors import SettingsError

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.fixture
def own() -> Path:
    """The config.yaml of the house's own folder, which is not there yet."""
    return load_settings().layout.house / "config.yaml"


def test_the_houses_keys_go_before_those_of_the_checkout(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key by key: what the house does not set stays. Environment and --config go before both."""
    shipped = tmp_path / "config.yaml"
    datasets = yaml.safe_load((ROOT / "config.yaml").read_text())
    shipped.write_text(yaml.safe_dump({**datasets, "influx_bucket": "shipped", "tz": "Asia/Seoul"}))
    own.write_text("influx_bucket: own\n")
    settings = load_settings({}, shipped)
    assert (settings.influx_bucket, settings.tz) == ("own", "Asia/Seoul")
    assert list(settings.datasets) == ["raw_meter_readings"]
    monkeypatch.setenv("INFLUX_BUCKET", "environment")
    assert load_settings({}, shipped).influx_bucket == "environment"
    assert load_settings({"influx_bucket": "option"}, shipped).influx_bucket == "option"


def test_a_key_is_replaced_whole(own: Path) -> None:
    """Who declares datasets has these and no others: the shipped one can be left out."""
    own.write_text("datasets: {climate: {measurement: m, fields: {t: double}}}\n")
    assert list(load_settings().datasets) == ["climate"]


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n", "\ufeff", "{}"])
def test_a_house_that_sets_nothing_has_the_checkouts_settings(
    own: Path, content: str | None
) -> None:
    """The folder may be empty, and so may the file."""
    before = load_settings()
    if content is not None:
        own.write_text(content)
    assert load_settings() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tz: Asia/Tokio\n", ": tz='Asia/Tokio' is not the IANA name of a time zone"),
        ("strat: 2026-11-01\n", ": there is no setting 'strat'; did you mean start?"),
        ("datasets: [", " cannot be read: line 1, column 12: "),
        ("tz:\n\t- x", " cannot be read: line 2, column 1: found character '\\t' that cannot"),
        (
            "tz: Asia/Tokyo\nlookback_days: 3\ntz: Asia/Seoul\n",
            " cannot be read: line 3, column 1: the key 'tz' stands twice; correct it there",
        ),
        (
            "datasets:\n  a: {measurement: m, fields: {x: double, x: string}}\n",
            " cannot be read: line 2, column 43: the key 'x' stands twice; correct it there",
        ),
        (
            "datasets:\n  yes: {measurement: m, fields: {x: double}}\n",
            " cannot be read: line 2, column 3: YAML takes 'yes' for True; write it in quotes",
        ),
        (
            "datasets:\n  a: {measurement: m, fields: {off: double}}\n",
            " cannot be read: line 2, column 32: YAML takes 'off' for False; write it",
        ),
        ("- tz\n", " does not consist of settings; write a line `name: value` for each"),
        ("1: x\n", " does not consist of settings; write a line `name: value` for each"),
        ("just words\n", " does not consist of settings; write a line `name: value` for each"),
        ("? [a, b]\n: x\n", " cannot be read: line 1, column 3: found unhashable key; correct"),
        ("influx_token: hush\n", "influx_token does not belong in "),
        ("allow_shrink: true\n", "allow_shrink in "),
        (
            "house_dir: elsewhere\n",
            " would name the folder that config.yaml is read from; set HOUSE_DIR instead",
        ),
    ],
)
def test_a_mistake_is_named_with_the_file(own: Path, content: str, message: str) -> None:
    """One line that names the house's file, not the checkout's of the same name."""
    own.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert message in str(caught.value)
    assert str(own) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_bytes_that_are_no_text_are_named(own: Path) -> None:
    """A file that was saved in the encoding of an old editor."""
    own.write_bytes("tz: Asia/Tokyo # 東京\n".encode("shift_jis"))
    with pytest.raises(SettingsError, match=r"config.yaml cannot be read: [^\n]*$"):
        load_settings()


def test_a_folder_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped HOUSE_DIR would leave every setting at its default without a word."""
    monkeypatch.setenv("HOUSE_DIR", "data/huose")
    with pytest.raises(SettingsError, match="^HOUSE_DIR='data/huose' is no folder; make it, or"):
        load_settings()
    with pytest.raises(SettingsError, match="^HOUSE_DIR='/nowhere' is no folder; make it, or"):
        load_settings({"house_dir": "/nowhere"})


@pytest.mark.parametrize("file", ["config.yaml", "tariffs.csv"])
def test_git_leaves_the_houses_files_alone(file: str, tmp_path: Path) -> None:
    """They show up in no `git status`, and no `git pull` is in their way."""
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for command in (["init", "--quiet"], ["check-ignore", "--quiet", f"data/house/{file}"]):
        assert subprocess.run(["git", *command], cwd=tmp_path, check=False).returncode == 0


def test_files_that_look_like_settings_are_named(own: Path, tmp_path: Path) -> None:
    """`config.yml` would change nothing. Notes and hidden files are of no interest."""
    folder = own.parent
    names = ["config.yaml", "tariffs.csv", "config.yml", "Tariffs.csv", "tariffs.xlsx", "notes.txt"]
    for name in [*names, ".~lock.tariffs.csv", "~tariffs.xlsx"]:
        (folder / name).touch()
    assert unread_files(folder) == ["Tariffs.csv", "config.yml", "tariffs.xlsx"]
    assert unread_files(tmp_path / "nowhere") == []
