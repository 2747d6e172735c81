"""Messages in Japanese: whole texts, with the reasons of errors as they are."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.messages.at_night import told_at_its_end
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.messages.meter_faults import MeterDay, _incomplete, _silence
from homeiot_batch.messages.night import tell
from homeiot_batch.messages.retention_faults import Retention, _too_short
from homeiot_batch.messages.words import Words
from tests.messages.nights import DATASET, GOOD, Nights, day_failed, nights_of

JA = Words("ja")
RUN = "夜間の処理が最後まで終わりませんでした。理由: TZ is wrong"
FOOTER = (
    "失敗した処理は毎晩やり直します。すぐに試すには `homeiot run`、詳しく調べるには "
    "`homeiot doctor` を実行してください。"
)


@pytest.fixture
def nights(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Nights of a house in Japan that sets no language."""
    japanese = settings.model_copy(update={"report_language": None})
    return nights_of(japanese, monkeypatch, "json://secret-one/")


def letter(nights: Nights) -> list[str]:
    """The one message of the night: its subject and its lines."""
    [found] = nights.letters
    return [found.subject, *found.body.splitlines()]


def test_days_that_fail_and_are_there_again(
    nights: Nights, put_day: Callable[..., None], day: LocalDay
) -> None:
    """Three days of one reason are a line. The reason is English, and what is around it is not."""
    failures = [day_failed(f"2026-11-{number:02}") for number in (9, 10, 11)]
    nights.failed(*failures, "dbt: a model failed")
    assert letter(nights) == [
        "HomeIoT: 新しい異常4件",
        "新しい異常:",
        (
            f"- {DATASET} の2026年11月9日から2026年11月11日まで(3日分)を読み取れませんでした。"
            "理由: no answer; run again"
        ),
        "- 処理 dbt が失敗しました。理由: a model failed",
        FOOTER,
    ]
    layout = nights.settings.layout
    layout.day(DATASET, day.date).parent.mkdir(parents=True)
    put_day(
        [(day.start_ns, "a", 1.0, None, None)],
        day,
        nights.settings,
        layout.day(DATASET, day.date),
    )
    record = {"rows": 1, "values": {"instant_power_w": 1}}
    write_json(layout.marker(DATASET, day.date), record)
    nights.end(GOOD)
    assert letter(nights) == [
        "HomeIoT: 復旧2件",
        "復旧:",
        "- 処理 dbt は正常に戻りました",
        f"- {DATASET} の2026年11月9日を保存し、取り込みました",
    ]


def test_meters() -> None:
    """One that is silent, and one that is incomplete."""
    silent = _silence("grid", datetime(2026, 11, 21, 10), JA)
    assert silent.line == (
        "メーター grid は2026年11月21日 10:00を最後に計測値が届いていません。"
        "機器が動いているか確認してください。取り外した場合は、最終日を `until` に設定してください"
    )
    day = MeterDay("grid", False, 0.9985, 5400.0, 2, False)
    assert _incomplete(day, date(2026, 11, 23), JA) == (
        "メーター grid は2026年11月23日のデータがそろっていません(取得率99.8%、"
        "最長の欠測1時間30分、積算値のリセットまたは巻き戻り2回)。通信を確認し、レポートでその日を見てください"
    )


def test_a_retention_that_is_too_short(settings: Settings) -> None:
    """With the hours that it keeps."""
    retention = Retention("autogen", timedelta(hours=24), settings.instant())
    [fault] = _too_short(settings, retention, JA)
    assert fault.line == (
        "保持ポリシー 'autogen' の保持期間は24時間で、夜間の処理が読み取る前に、"
        "その日の最初の計測値が消えるおそれがあります。48時間以上にしてください"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"tz": "Asia/Tokyo"}, RUN),
        ({"tz": "nowhere"}, "the nightly run did not come to its end: TZ is wrong"),
        ({"report_language": "fr"}, RUN),
        ({"report_language": "en"}, "the nightly run did not come to its end: TZ is wrong"),
        (
            {"tz": 5, "report_language": "ja"},
            RUN,
        ),
    ],
)
def test_refused_settings_have_their_language(
    given: dict[str, object],
    expected: str,
    clean_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    nights: Nights,
) -> None:
    """As far as it can be had, whatever else they say."""
    monkeypatch.setenv("NOTIFY_URL", "json://secret-one/")
    monkeypatch.setenv("MARKER_DIR", str(nights.settings.marker_dir))
    assert tell(None, given, NightEnd(1, error="TZ is wrong")) == []
    assert letter(nights)[2] == f"- {expected}"


def test_a_night_that_is_ended_from_outside(nights: Nights) -> None:
    """The reason is one of the messages' own, so it has their language."""

    def ended() -> None:
        with told_at_its_end([], is_night=True) as night:
            night.settings = nights.settings
            night.was_ended = True
            raise SystemExit(1)

    with pytest.raises(SystemExit):
        ended()
    assert letter(nights)[2] == (
        "- 夜間の処理が最後まで終わりませんでした。理由: 外部から停止されました。"
        "次の夜に続きから再開します"
    )


def test_another_language_tells_no_fault_again(nights: Nights) -> None:
    """What was told is known by its keys and the reasons of errors, which have no language."""
    failure = day_failed("2026-11-09")
    assert len(nights.failed(failure, "dbt: it failed")) == 1
    nights.settings = nights.settings.model_copy(update={"report_language": "en"})
    assert nights.failed(failure, "dbt: it failed") == []
