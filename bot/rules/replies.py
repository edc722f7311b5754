"""Which entries of an alert's timeline a channel hears of, and which make the alert news again."""

from collections.abc import Sequence

from storage.records import Alert, Event, EventKind, ThreadLevel

ACTION_KINDS = frozenset(
    {
        EventKind.PROBED,
        EventKind.REPORT_WAITING,
        EventKind.REPORTED,
        EventKind.REPORT_CONFIRMED,
        EventKind.REPORT_STILL_ACTIVE,
        EventKind.REPORT_FAILED,
        EventKind.OWNER_TOLD,
        EventKind.CLOSED,
        EventKind.REOPENED,
        EventKind.TAKEN,
        EventKind.STEPPED_BACK,
        EventKind.RELEASED,
        EventKind.PUBLICLY_LEAKED,
        EventKind.RAISED_AGAIN,
    }
)
"""What a channel hears that wants actions only: what people did, and what makes an alert worse."""
KINDS_WITHOUT_REPLY = frozenset({EventKind.FOUND, EventKind.STEPS_CHANGED})
"""What the card itself, or the checklist, tells."""

LOCATION_GROUP_KINDS = (EventKind.CLOSED, EventKind.REOPENED, EventKind.PLACE_ADDED)
"""The entries that say which new places one reply tells of."""


def gets_reply(event: Event, alert: Alert, level: ThreadLevel) -> bool:
    """Whether a channel of this level gets a reply for it."""
    if event.kind in KINDS_WITHOUT_REPLY or level is ThreadLevel.NONE:
        return False
    return level is ThreadLevel.ALL or event.kind in ACTION_KINDS or raises_alert(event, alert)


def raises_alert(event: Event, alert: Alert) -> bool:
    """Whether it makes the alert news again, to be seen in the channel and not in the thread alone."""
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
    """The entries that one reply tells of: all new places of a closed alert, until it is reopened; else the one.

    `timeline` has the alert's closings, reopenings and new places, in order, the entry of that id among them.
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
