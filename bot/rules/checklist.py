"""The checklist of an alert: its steps, and who has done which of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.options import Options, Step
from storage.records import Alert, Event, EventKind, Person, UnixTime

CHECKLIST_STARTERS = frozenset(
    {EventKind.PROBED, EventKind.REPORTED, EventKind.REPORT_WAITING, EventKind.TAKEN}
)
"""The first of these events starts an alert's checklist, if a person caused it."""
NO_SECRET_RESOLUTIONS = frozenset({"false_positive", "used_in_tests"})
"""Resolutions that say the alert was not a real secret."""
TOKEN_STEPS = (
    Step(id="rotated", text="New token made, old one deleted"),
    Step(id="services", text="Services that used it updated"),
    Step(id="logs", text="Logs checked for use by others"),
)
SECRET_STEPS = (Step(id="rotated", text="New secret made, old one revoked"), *TOKEN_STEPS[1:])


@dataclass(frozen=True, slots=True)
class Tick:
    """Who did a step, and when."""

    by: Person
    at: UnixTime


def steps_for(secret_type: str, options: Options) -> tuple[Step, ...]:
    """The operator's steps for this secret type, else the operator's default steps, else the three built-in ones."""
    built_in = TOKEN_STEPS if secret_type.startswith("github_") else SECRET_STEPS
    return options.checklist.get(secret_type) or options.checklist.get("default") or built_in


def has_checklist(alert: Alert) -> bool:
    """Whether the alert gets a checklist: not if it was closed as no real secret."""
    return alert.resolution not in NO_SECRET_RESOLUTIONS


def ticks(events: Iterable[Event]) -> Mapping[str, Tick]:
    """Who has done which step, by step id; `events` is the timeline, oldest first."""
    done: dict[str, Tick] = {}
    for event in events:
        if event.kind is not EventKind.STEPS_CHANGED or event.by is None:
            continue
        for step in _names(event.details.get("ticked")):
            done.setdefault(step, Tick(event.by, event.at))
        for step in _names(event.details.get("unticked")):
            done.pop(step, None)
    return done


def done_count(steps: Iterable[Step], done: Mapping[str, Tick]) -> int:
    """How many of these steps are done."""
    return sum(step.id in done for step in steps)


def _names(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()
