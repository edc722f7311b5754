"""The results of the doctor's checks: their codes, levels and facts. Their words are in `bot.views.doctor_words`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much a result matters."""

    OK = "ok"
    NOTE = "note"
    """Something is off or could not be checked, and nothing has to be done about it."""
    WARNING = "warning"
    """Something works in part, or is less safe than it could be."""
    FAULT = "fault"
    """Something does not work."""


FINDINGS = (Level.FAULT, Level.WARNING)
"""The levels that ask for something to be done."""
GROUPS = (
    *("settings", "database", "queue", "people", "slack", "channels", "github", "webhooks", "repositories"),
    "address",
)
"""The groups of checks in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found about one subject."""

    code: str
    """Its group and its word, as `slack.scope_missing`; it never changes."""
    level: Level
    subject: str = ""
    """A setting, a channel, an account, a file; empty where the code says it all."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the words of the code name, as text without secrets."""
    names: tuple[str, ...] = ()
    """Further subjects of the same result, as repositories of an account."""

    @property
    def group(self) -> str:
        return self.code.partition(".")[0]

    @property
    def is_finding(self) -> bool:
        return self.level in FINDINGS


def ok(code: str, subject: str = "", **facts: object) -> CheckResult:
    """Nothing was found."""
    return CheckResult(code, Level.OK, subject, _texts(facts))


def note(code: str, subject: str = "", **facts: object) -> CheckResult:
    """Something to know, with nothing to do."""
    return CheckResult(code, Level.NOTE, subject, _texts(facts))


def warning(code: str, subject: str = "", names: Iterable[str] = (), **facts: object) -> CheckResult:
    """Something that works in part or is unsafe."""
    return CheckResult(code, Level.WARNING, subject, _texts(facts), tuple(names))


def fault(code: str, subject: str = "", names: Iterable[str] = (), **facts: object) -> CheckResult:
    """Something that does not work."""
    return CheckResult(code, Level.FAULT, subject, _texts(facts), tuple(names))


def in_order(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The results by group; those of one group stay in their order."""
    return tuple(sorted(results, key=lambda result: GROUPS.index(result.group)))


def count(results: Iterable[CheckResult], level: Level, group: str | None = None) -> int:
    """How many results have this level, in one group or in all."""
    return sum(result.level is level and group in (None, result.group) for result in results)


def _texts(facts: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items()}
