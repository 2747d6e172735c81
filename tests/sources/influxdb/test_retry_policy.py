"""How often a source is asked again, and after which waits."""

from datetime import UTC, datetime

import pytest

from homeiot_batch.errors import SourceBusy, SourceError, SourceUnavailable
from homeiot_batch.sources.influxdb.retry_policy import RetryPolicy, asked_wait

NOW = datetime(2026, 11, 24, 0, 10, tzinfo=UTC)


class Source:
    """Answers with the errors that it was given, then with a value. Counts and notes the waits."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0
        self.waits: list[float] = []

    def ask(self) -> str:
        """The next error, or else the value."""
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "a day"

    def policy(self, tries: int = 3) -> RetryPolicy:
        """A policy that notes its waits instead of waiting."""
        return RetryPolicy(tries, SourceUnavailable, self.waits.append)


def unavailable(count: int) -> list[Exception]:
    """So many errors after which asking again may help."""
    return [SourceUnavailable(f"failure {number}") for number in range(1, count + 1)]


def test_waits_grow_until_an_answer_comes() -> None:
    """Each wait is about twice the one before, with up to a second of chance, and at most 30 s."""
    source = Source(*unavailable(7))
    assert source.policy(tries=8)(source.ask) == "a day"
    assert source.asked == 8
    for wait, least in zip(source.waits, [1, 2, 4, 8, 16, 30, 30], strict=True):
        assert least <= wait <= min(least + 1, 30)


def test_after_the_last_try_its_error_is_raised() -> None:
    """The error of the last try is raised as it is, and no wait follows it."""
    source = Source(*unavailable(5))
    with pytest.raises(SourceUnavailable, match="^failure 3$"):
        source.policy(tries=3)(source.ask)
    assert (source.asked, len(source.waits)) == (3, 2)


def test_an_error_that_asking_again_cannot_help_is_raised_at_once() -> None:
    """Other errors of the source are not tried again."""
    source = Source(SourceError("wrong password"))
    with pytest.raises(SourceError, match="^wrong password$"):
        source.policy()(source.ask)
    assert (source.asked, source.waits) == (1, [])


def test_a_source_that_is_down_is_waited_for_once() -> None:
    """After tries in vain the next days are tried once each. After a success all tries count."""
    source = Source(*unavailable(3), SourceUnavailable("still"), SourceUnavailable("yet"))
    policy = source.policy(tries=3)
    for attempts in (3, 4, 5):
        with pytest.raises(SourceUnavailable):
            policy(source.ask)
        assert (source.asked, len(source.waits)) == (attempts, 2)
    assert policy(source.ask) == "a day"
    source.errors = unavailable(2)
    assert policy(source.ask) == "a day"
    assert (source.asked, len(source.waits)) == (9, 4)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(None, 1, 2), (0.0, 1, 2), (1.0, 1, 2), (20.0, 20, 20), (60.0, 60, 60), (86_400.0, 60, 60)],
)
def test_a_server_that_asks_to_wait(asked: float | None, least: float, most: float) -> None:
    """The wait is what the server asks for, from the back-off up to a minute."""
    source = Source(SourceBusy("too many", asked))
    assert source.policy()(source.ask) == "a day"
    assert least <= source.waits[0] <= most


HEADERS: list[tuple[str | None, float | None]] = [
    (None, None),
    ("", None),
    ("0", 0.0),
    (" 30 ", 30.0),
    ("86400", 86_400.0),
    ("-5", None),
    ("1.5", None),
    ("soon", None),
    ("٣", None),
    ("Tue, 24 Nov 2026 00:10:45 GMT", 45.0),
    ("Tuesday, 24-Nov-26 00:10:45 GMT", 45.0),
    ("Tue, 24 Nov 2026 09:11:00 +0900", 60.0),
    ("Tue, 24 Nov 2026 00:10:45 -0000", 45.0),
    ("Tue, 24 Nov 2026 00:10:00 GMT", None),
    ("Mon, 23 Nov 2026 00:10:00 GMT", None),
    ("Tue, 31 Nov 2026 00:10:00 GMT", None),
]


@pytest.mark.parametrize(("header", "wait"), HEADERS)
def test_the_header_retry_after(header: str | None, wait: float | None) -> None:
    """It holds whole seconds or a date. Anything else asks for nothing."""
    assert asked_wait(header, NOW) == wait


def test_policies_do_not_share_what_they_have_seen() -> None:
    """Each policy looks at its own failures."""
    first, second = Source(*unavailable(3)), Source(*unavailable(2))
    with pytest.raises(SourceUnavailable):
        first.policy(tries=3)(first.ask)
    assert second.policy(tries=3)(second.ask) == "a day"
