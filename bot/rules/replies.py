"""Decides which events of an alert get a reply in its thread, and which bring the alert up in the channel again."""

from collections.abc import Sequence

from storage.records import Alert, Event, EventKind, ThreadLevel

KINDS_WITHOUT_REPLY = frozenset({EventKind.FOUND, EventKind.STEPS_CHANGED})
"""Events without a reply, because the card or the checklist shows them."""
FACT_KINDS = frozenset(
    {
        *(EventKind.VALIDITY_CHANGED, EventKind.MULTI_REPO, EventKind.PLACE_ADDED),
        *(EventKind.ASSIGNED, EventKind.UNASSIGNED, EventKind.REPOSITORY_CHANGED),
    }
)
"""Changes on GitHub; at level `actions` they get a reply only if they raise the alert."""
LOCATION_GROUP_KINDS = (EventKind.CLOSED, EventKind.REOPENED, EventKind.PLACE_ADDED)
"""The events that decide which new locations share a reply."""


def gets_reply(event: Event, alert: Alert, level: ThreadLevel) -> bool:
    """Whether a channel with this thread level gets a reply for the event."""
    if event.kind in KINDS_WITHOUT_REPLY or level is ThreadLevel.NONE:
        return False
    if event.kind is EventKind.PROBED and event.by is None:
        # A check on arrival: the card shows its result.
        return False
    return level is ThreadLevel.ALL or event.kind not in FACT_KINDS or raises_alert(event, alert)


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
    """The events that one reply covers: all new locations while the alert is closed, else the single event.

    `timeline` has the alert's events of `LOCATION_GROUP_KINDS`, oldest first, with the event `event_id` among them.
    """
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
