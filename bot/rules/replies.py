"""Decides which events of an alert get a reply in its thread, and which bring the alert up in the channel again."""

from collections.abc import Mapping, Sequence

from storage.records import Alert, Event, EventKind, Person, ThreadLevel

KINDS_WITHOUT_REPLY = frozenset({EventKind.FOUND, EventKind.STEPS_CHANGED})
"""Events without a reply, because the card or the checklist shows them."""
CARD_KINDS = frozenset({EventKind.PROBED, EventKind.TAKEN, EventKind.STEPPED_BACK, EventKind.HANDED_OVER})
"""What people do and the card shows at once; only at level `all` it gets a reply too."""
FACT_KINDS = frozenset(
    {
        *(EventKind.VALIDITY_CHANGED, EventKind.MULTI_REPO, EventKind.PLACE_ADDED),
        *(EventKind.ASSIGNED, EventKind.UNASSIGNED, EventKind.REPOSITORY_CHANGED),
    }
)
"""Changes on GitHub; at level `actions` they get a reply only if they raise the alert."""
_LOCATION_GROUP = (EventKind.CLOSED, EventKind.REOPENED, EventKind.PLACE_ADDED)
_REPORT_GROUP = (
    *(EventKind.REPORT_WAITING, EventKind.REPORTED, EventKind.REPORT_CONFIRMED),
    EventKind.REPORT_FAILED,
)
APPROVAL_KINDS = (
    *(EventKind.APPROVAL_REQUESTED, EventKind.REPORT_APPROVED, EventKind.REPORT_DENIED),
    *(EventKind.APPROVAL_LAPSED, EventKind.APPROVAL_ENDED),
)
"""The request for approval of a report and its end. Their reply has buttons, so every channel gets it."""
_OWNER_GROUP = (EventKind.OWNER_TOLD, EventKind.OWNER_ANSWERED)
GROUPS: Mapping[EventKind, tuple[EventKind, ...]] = {
    EventKind.PLACE_ADDED: _LOCATION_GROUP,
    **dict.fromkeys(_REPORT_GROUP, _REPORT_GROUP),
    **dict.fromkeys(APPROVAL_KINDS, APPROVAL_KINDS),
    **dict.fromkeys(_OWNER_GROUP, _OWNER_GROUP),
}
"""The kinds of events that share one reply, which is edited: by kind, all kinds that decide about the sharing."""


def gets_reply(event: Event, alert: Alert, level: ThreadLevel) -> bool:
    """Whether a channel with this thread level gets a reply for the event, or the reply that it shares is edited."""
    if event.kind in APPROVAL_KINDS:
        return True
    if event.kind in KINDS_WITHOUT_REPLY or level is ThreadLevel.NONE:
        return False
    if level is ThreadLevel.ALL or raises_alert(event, alert):
        return True
    return event.kind not in FACT_KINDS | CARD_KINDS


def raises_alert(event: Event, alert: Alert) -> bool:
    """Whether the event brings the alert up again: its reply is also sent to the channel, not to the thread alone."""
    match event.kind:
        case EventKind.PUBLICLY_LEAKED | EventKind.REOPENED | EventKind.RAISED_AGAIN:
            return True
        case EventKind.VALIDITY_CHANGED:
            return event.details.get("after") == "active" and event.by is None
        case EventKind.PLACE_ADDED:
            return not alert.is_open
        case _:
            return False


def events_in_reply(timeline: Sequence[Event], event_id: int) -> list[Event]:
    """The events that the reply of one event covers, oldest first.

    These share a reply:
    - new locations while the alert is closed;
    - a report from its request to its confirmation;
    - a request for approval and its end;
    - the message to the token's owner and the answers.

    `timeline` has the alert's events of the event's `GROUPS`, oldest first, with the event `event_id` among them.
    """
    if any(event.id == event_id and event.kind is EventKind.PLACE_ADDED for event in timeline):
        return _locations(timeline, event_id)
    groups: list[list[Event]] = []
    for event in timeline:
        continued = (group for group in reversed(groups) if _continues(event, group))
        group = next(continued, None)
        if group is None:
            groups.append([event])
        else:
            group.append(event)
    return next(group for group in groups if any(event.id == event_id for event in group))


def _locations(timeline: Sequence[Event], event_id: int) -> list[Event]:
    """All new locations while the alert is closed, else the single one."""
    group: list[Event] = []
    closed = False
    for event in timeline:
        if event.kind is not EventKind.PLACE_ADDED:
            if any(one.id == event_id for one in group):
                break
            group, closed = [], event.kind is EventKind.CLOSED
        elif closed or not any(one.id == event_id for one in group):
            group = [*group, event] if closed else [event]
    return group


def _continues(event: Event, group: Sequence[Event]) -> bool:
    """Whether the event is shown by the reply of the events before it."""
    first, last = group[0], group[-1]
    match event.kind:
        case EventKind.REPORT_WAITING | EventKind.REPORTED | EventKind.REPORT_FAILED:
            return last.kind is EventKind.REPORT_WAITING and _is_same(last.by, event.by)
        case EventKind.REPORT_CONFIRMED:
            return last.kind is EventKind.REPORTED
        case kind if kind in APPROVAL_KINDS:
            return first.details.get("request") == event.details.get("request")
        case EventKind.OWNER_ANSWERED:
            return first.details.get("slack_user") == event.details.get("slack_user")
        case _:
            return False


def _is_same(one: Person | None, other: Person | None) -> bool:
    return bool(one and other and one.github and other.github and one.github.id == other.github.id)
