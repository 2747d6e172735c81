"""The catalogues: each language has every word, every word is used, and its names are the same."""

import re
from pathlib import Path

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.errors import SettingsError
from homeiot_batch.words.languages import LANGUAGES, Language, language_of
from homeiot_batch.words.phrases import FOLDER, read_catalogue

CODE = FOLDER.parent
CATALOGUES = sorted(file.stem for file in (FOLDER / "en").glob("*.toml"))
# who uses a catalogue. That of formats is used by all
USERS = {
    "report": ["report"],
    "export": ["export"],
    "messages": ["messages", "commands/notify.py"],
}
# the forms of dates, which may use any of the parts of one
DATES = ("date", "date_long", "date_short", "date_axis", "date_plain", "month_of_year")
PARTS = {"day", "year", "weekday", "month", "month_short", "month_number"}
# words whose names are put together: of a kind, a step of a day, or a number
MADE = {"what_bought", "what_sold", "fetch", "extract", "load"}
MADE |= {"new_one", "new_many", "over_one", "over_many"}
# words whose names stand in a table, or are chosen before they are asked for
CHOSEN = {"date", "month_of_year", "money", "money_by_name", "run_code", "run_fault", "run_ended"}
CHOSEN |= {"retention_one_day", "retention_many_days", "behind", "behind_one", "source_silent"}
CHOSEN |= {"source_silent_today", "source_silent_one", "more", "less", "same", "usual"}
CHOSEN |= {"day_23", "day_25", "caveat_reset", "caveat_resets", "caveat_step_back"}
CHOSEN |= {"caveat_step_backs", "caveat_backwards", "caveat_backwards_often", "caveat_glitch"}
CHOSEN |= {"caveat_glitches", "highest_day", "lowest_day", "days_unit", "months_unit", "gap"}
CHOSEN |= {"produced", "charged", "discharged", "self_consumption"}
OTHERS = [language for language in LANGUAGES if language != "en"]


def texts(language: Language, catalogue: str) -> dict[str, str]:
    """The words by key. No currency: any may have a name."""
    found = read_catalogue(language, catalogue).texts
    return {key: text for key, text in found.items() if not key.startswith("currencies.")}


def names_in(text: str) -> set[str]:
    """The names in braces."""
    return set(re.findall(r"\{(\w*)(?::\w*)?\}", text))


def code_of(catalogue: str) -> str:
    """The code and the templates that use the catalogue."""
    folders = USERS.get(catalogue, sum(USERS.values(), ["words"]))
    files: list[Path] = []
    for folder in folders:
        place = CODE / folder
        files += [place] if place.is_file() else [*place.rglob("*.py"), *place.rglob("*.j2")]
    return "".join(file.read_text() for file in files)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_folder_with_all_catalogues(language: Language) -> None:
    """And no folder is there of a language that cannot be set."""
    assert sorted(file.stem for file in (FOLDER / language).iterdir()) == CATALOGUES
    folders = [file.name for file in FOLDER.iterdir() if list(file.glob("*.toml"))]
    assert sorted(folders) == sorted(LANGUAGES)


@pytest.mark.parametrize("catalogue", CATALOGUES)
@pytest.mark.parametrize("language", OTHERS)
def test_no_language_lacks_a_word(language: Language, catalogue: str) -> None:
    """Nor has it one more, an empty one, or a list of another length."""
    other = texts(language, catalogue)
    assert list(other) == list(texts("en", catalogue))
    assert [key for key, text in other.items() if not text] == []
    lists = [read_catalogue(one, catalogue).lists for one in ("en", language)]
    english, translated = [{key: len(names) for key, names in one.items()} for one in lists]
    assert translated == english


@pytest.mark.parametrize("catalogue", CATALOGUES)
@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_has_the_names_of_the_english_one(language: Language, catalogue: str) -> None:
    """A figure that a sentence lacks would be a figure that nobody sees."""
    english = {name: names_in(word) for name, word in texts("en", catalogue).items()}
    other = {name: names_in(word) for name, word in texts(language, catalogue).items()}
    for name in DATES:
        assert english.pop(name, set()) <= PARTS
        assert other.pop(name, set()) <= PARTS
    assert other == english


def is_used(key: str, code: str) -> bool:
    """Whether the code asks for the word, as by words("key") or words.day(day, "key").

    Of a group its name is enough, and for the rest what the tables of the house have.
    """
    name = key.partition(".")[0].removesuffix("_plain")
    if name in MADE:
        return True
    if name in CHOSEN:
        return re.search(f"""["']{name}["']""", code) is not None
    asked = rf"""([Ww]ords(\(\))?|self)(\.\w+)?\(\s*([^()"']*, )?f?["']{name}["'.]"""
    return re.search(asked, code) is not None


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_every_word_is_used(catalogue: str) -> None:
    """Its name stands in the code of those who use the catalogue."""
    code = code_of(catalogue)
    words = read_catalogue("en", catalogue)
    assert [key for key in [*words.texts, *words.lists] if not is_used(key, code)] == []


def test_a_name_that_something_else_has_too_is_no_use_of_a_word() -> None:
    """As an attribute, a column, or a part of another word's name."""
    code = """row.day.month, row["day"], words("day_23"), words.month(day)"""
    assert [name for name in ("day", "month", "line") if is_used(name, code)] == []
    code = """words.day(at, "day"), words.name(\'month\', key), self(f"line.{kind}")"""
    assert [name for name in ("day", "month", "line") if is_used(name, code)] == [
        "day",
        "month",
        "line",
    ]


@pytest.mark.parametrize("catalogue", CATALOGUES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_has_a_word_of_the_formats(language: Language, catalogue: str) -> None:
    """One of the two would be lost."""
    if catalogue != "formats":
        formats = texts(language, "formats")
        assert formats.keys() & texts(language, catalogue).keys() == set()


def test_every_word_that_the_code_asks_for_is_there() -> None:
    """A word that is missing would fail a page or a message in the night that needs it."""
    for catalogue in USERS:
        asked = re.findall(r"""[Ww]ords(?:\(\))?\(\s*["'](\w+)["']""", code_of(catalogue))
        known = read_catalogue("en", "formats", catalogue)
        assert set(asked) - known.texts.keys() == set()


def test_the_language_is_that_of_the_zone_unless_it_is_set(clean_environment: None) -> None:
    """Japanese in Asia/Tokyo, under its other name too. English elsewhere."""
    zones = ("Asia/Tokyo", "Japan", "Europe/Berlin", "Asia/Seoul", "UTC")
    assert [language_of(zone) for zone in zones] == ["ja", "ja", "en", "en", "en"]
    assert load_settings({"tz": "Asia/Tokyo"}).language == "ja"
    assert load_settings({"tz": "Australia/Adelaide"}).language == "en"
    assert load_settings({"tz": "Asia/Tokyo", "report_language": "en"}).language == "en"
    assert load_settings({"tz": "Europe/Berlin", "report_language": "ja"}).language == "ja"


def test_an_unknown_language_is_refused(clean_environment: None) -> None:
    """With the languages that there are."""
    refusal = r"^--config: report_language='fr' Input should be 'en' or 'ja'$"
    with pytest.raises(SettingsError, match=refusal):
        load_settings({"report_language": "fr"})
