"""Turns the difference between two states of an alert into timeline entries."""

from collections.abc import Iterator, Mapping

from bot.rules.alert_merge import confirm_report
from bot.rules.assignment import is_our_assignment
from bot.rules.validity import confirmed_inactive
from storage.records import Alert, AlertState, Event, EventKind, Person, Repository, StoredJson, UnixTime


def events_between(
    before: Alert | None, after: Alert, now: UnixTime, *, by: Person | None = None, own_name: bool = False
) -> tuple[Event, ...]:
    """The timeline entries for a change of an alert; `before` is None for a new alert.

    `by` is the person who made the change, if the caller knows it better than the alert does; `own_name`: with their
    own token. `once` is built from GitHub's own times, so that the same change received twice gives one entry.
    """
    if before is None:
        return (Event(after.key, EventKind.FOUND, after.created_at, once="found"),)
    return (
        *_state_events(before, after, now, by, {"own_name": True} if own_name else {}),
        *_fact_events(before, after, now, by),
        *_assignment_events(before, after, now, by),
    )


def _state_events(
    before: Alert, after: Alert, now: UnixTime, by: Person | None, more: Mapping[str, StoredJson]
) -> Iterator[Event]:
    if before.state is after.state:
        return
    key, comment = after.key, after.resolution_comment
    if after.state is AlertState.RESOLVED:
        at = after.resolved_at
        details: dict[str, StoredJson] = {"resolution": after.resolution, "comment": comment, **more}
        who = by or (Person(github=after.resolved_by) if after.resolved_by else None)
        yield Event(key, EventKind.CLOSED, at or now, who, details, once=f"closed:{at or after.updated_at}")
    else:
        details = {"comment": comment if comment != before.resolution_comment else None, **more}
        yield Event(key, EventKind.REOPENED, now, by, details, once=f"reopened:{after.updated_at}")


def _fact_events(before: Alert, after: Alert, now: UnixTime, by: Person | None) -> Iterator[Event]:
    key = after.key
    if before.validity != after.validity:
        details: dict[str, StoredJson] = {"before": before.validity, "after": after.validity}
        once = f"validity:{after.validity}:{after.updated_at}"
        yield Event(key, EventKind.VALIDITY_CHANGED, now, by, details, once=once)
    if before.report and after.report and confirm_report(before.report) == after.report != before.report:
        details, once = {"confirmed": confirmed_inactive(after)}, f"confirmed:{after.report.at}"
        yield Event(key, EventKind.REPORT_CONFIRMED, now, details=details, once=once)
    if after.publicly_leaked and not before.publicly_leaked:
        yield Event(key, EventKind.PUBLICLY_LEAKED, now, once="publicly_leaked")
    if after.multi_repo and not before.multi_repo:
        yield Event(key, EventKind.MULTI_REPO, now, once="multi_repo")


def _assignment_events(before: Alert, after: Alert, now: UnixTime, by: Person | None) -> Iterator[Event]:
    if before.assigned_to == after.assigned_to or is_our_assignment(before, after):
        return
    account = after.assigned_to or before.assigned_to
    assert account is not None
    kind = EventKind.ASSIGNED if after.assigned_to else EventKind.UNASSIGNED
    once = f"{kind}:{account.login}:{after.updated_at}"
    yield Event(after.key, kind, now, by, {"login": account.login}, once=once)


def repository_change(before: Repository, now: Repository) -> Mapping[str, str] | None:
    """The details of a timeline entry for a changed repository; None for a change that no card shows.

    `change` is the name of the field, `before` and `after` are its values. Of several changes only the first is
    returned.
    """
    for name in ("state", "full_name", "visibility"):
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            return {"change": name, "before": str(old), "after": str(new)}
    return None
