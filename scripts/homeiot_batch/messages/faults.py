"""What a night has found: faults, those that are over, and how the run ended."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. Its `key` is its kind, a colon, and what it is about.

    A fault of the same key is told again only if it has another `cause`.
    """

    key: str
    line: str
    cause: str = ""


@dataclass(frozen=True)
class Found:
    """The faults that a check has found, and the lines of those told before that are over.

    Of what the check could not look at it has neither.
    """

    faults: Sequence[Fault] = ()
    over: Mapping[str, str] = field(default_factory=dict)  # by key


@dataclass(frozen=True)
class NightEnd:
    """How the nightly run ended.

    `error` is why it did not come to its end, or "". `lines` are its summary, and `failures` the
    jobs that failed, each as `fetch <dataset> <day>: reason` or `dbt: reason`. `copy_fault` is why
    the second copy is not up to date, "" if it is, and None if no copy was made.
    """

    code: int
    error: str = ""
    lines: str = ""
    failures: Sequence[str] = ()
    built: bool = False
    copy_fault: str | None = None

    @property
    def tables_are_new(self) -> bool:
        """Whether the tables are those of this night, or need no change."""
        return self.code == 0 or self.built


def joined(found: Iterable[Found]) -> Found:
    """All of them as one."""
    faults: list[Fault] = []
    over: dict[str, str] = {}
    for one in found:
        faults += one.faults
        over |= one.over
    return Found(faults, over)


def of_kind(kind: str, keys: Collection[str]) -> dict[str, str]:
    """What the keys of the kind are about, by key."""
    start = f"{kind}:"
    return {key: key.removeprefix(start) for key in sorted(keys) if key.startswith(start)}
