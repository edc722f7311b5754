"""How far a sweep has to go, and which of the alerts it finds are old."""

from dataclasses import dataclass

from integrations.github.models import AlertFacts, RepositoryFacts
from storage.records import AlertState, JsonValue, UnixTime

ALL_EVERY = 86400.0
"""Seconds after which every alert is looked at once more: not every change moves GitHub's `updated_at`."""
OVERLAP = 3600.0
"""Seconds by which a sweep goes back behind the start of the last one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert in GitHub's list, with its repository."""

    repository: RepositoryFacts
    alert: AlertFacts


@dataclass(frozen=True, slots=True)
class Progress:
    """When the last complete sweep began, and the last that looked at every alert."""

    finished_at: UnixTime
    all_at: UnixTime

    @property
    def until(self) -> UnixTime:
        """What was changed before then has been seen."""
        return self.finished_at - OVERLAP

    def to_json(self) -> dict[str, JsonValue]:
        return {"finished_at": self.finished_at, "all_at": self.all_at}


def progress_from(stored: JsonValue) -> Progress | None:
    """What an earlier sweep noted; None where there was none."""
    if not isinstance(stored, dict):
        return None
    finished_at, all_at = stored.get("finished_at"), stored.get("all_at")
    if not isinstance(finished_at, int | float) or not isinstance(all_at, int | float):
        return None
    return Progress(float(finished_at), float(all_at))


def wants_all(last: Progress | None, now: UnixTime) -> bool:
    """Whether it is time to look at every alert and not at the changed ones alone."""
    return last is None or now - last.all_at >= ALL_EVERY


def is_unchanged(facts: AlertFacts, known: tuple[UnixTime, AlertState, str]) -> bool:
    """Whether GitHub's list says nothing of an alert that isn't known: `updated_at`, state and validity."""
    updated_at, state, validity = known
    newer = facts.updated_at is not None and facts.updated_at > updated_at
    return not newer and facts.state == state and facts.validity in (None, validity)


def is_old(facts: AlertFacts, last: Progress | None) -> bool:
    """Whether an alert was there before Stanch looked: then it is no news, though we see it for the first time.

    After the first sweep that is so for repositories that were given to the installation later.
    """
    if last is None:
        return True
    return facts.created_at is not None and facts.created_at < last.until
