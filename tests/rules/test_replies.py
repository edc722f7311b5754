"""Which events of an alert get a reply in the card's thread."""

from dataclasses import replace

import pytest

from bot.rules.replies import CARD_KINDS, KINDS_WITHOUT_REPLY, events_in_reply, gets_reply
from storage.records import AlertState, Event, EventKind, ThreadLevel
from tests.views.cases import ADMIN_PERSON, OWNER_PERSON, token
from tests.views.cases import event as made_event

CLOSED = made_event(EventKind.CLOSED, resolution="revoked")
ASSIGNED = made_event(EventKind.ASSIGNED, login="octo-admin")
NOW_ACTIVE = made_event(EventKind.VALIDITY_CHANGED, before="unknown", after="active")
NOW_INACTIVE = made_event(EventKind.VALIDITY_CHANGED, before="active", after="inactive")
LEAKED = made_event(EventKind.PUBLICLY_LEAKED)
ON_ARRIVAL = made_event(EventKind.PROBED, verdict="active", reason="accepted", on_arrival=True)
NEW_LOCATION = made_event(EventKind.PLACE_ADDED, path="config/old.env")


@pytest.mark.parametrize(
    ("event", "level", "replied"),
    [
        (CLOSED, ThreadLevel.ALL, True),
        (CLOSED, ThreadLevel.ACTIONS, True),
        (CLOSED, ThreadLevel.NONE, False),
        (ASSIGNED, ThreadLevel.ALL, True),
        (ASSIGNED, ThreadLevel.ACTIONS, False),
        (NOW_ACTIVE, ThreadLevel.ACTIONS, True),
        (NOW_INACTIVE, ThreadLevel.ACTIONS, False),
        (LEAKED, ThreadLevel.ACTIONS, True),
        (NEW_LOCATION, ThreadLevel.ACTIONS, False),
        (ON_ARRIVAL, ThreadLevel.ACTIONS, False),
        *((made_event(kind), ThreadLevel.ACTIONS, False) for kind in sorted(CARD_KINDS)),
        *((made_event(kind, ADMIN_PERSON), ThreadLevel.ALL, True) for kind in sorted(CARD_KINDS)),
        *((made_event(kind), ThreadLevel.NONE, False) for kind in sorted(CARD_KINDS)),
        (made_event(EventKind.OWNER_TOLD), ThreadLevel.ACTIONS, True),
        (made_event(EventKind.OWNER_ANSWERED), ThreadLevel.ACTIONS, True),
        (made_event(EventKind.OWNER_ANSWERED), ThreadLevel.NONE, False),
        (made_event(EventKind.REPORTED), ThreadLevel.ACTIONS, True),
        (made_event(EventKind.REPORT_CONFIRMED), ThreadLevel.ACTIONS, True),
        (made_event(EventKind.REPORT_STILL_ACTIVE), ThreadLevel.ACTIONS, True),
        (made_event(EventKind.RELEASED), ThreadLevel.ACTIONS, True),
    ],
)
def test_the_thread_level_decides_which_events_get_a_reply(
    event: Event, level: ThreadLevel, replied: bool
) -> None:
    assert gets_reply(event, token(), level) is replied


def test_a_new_location_of_a_closed_alert_gets_a_reply() -> None:
    assert gets_reply(NEW_LOCATION, replace(token(), state=AlertState.RESOLVED), ThreadLevel.ACTIONS)


@pytest.mark.parametrize("level", ThreadLevel)
@pytest.mark.parametrize("kind", sorted(KINDS_WITHOUT_REPLY))
def test_events_that_the_card_shows_get_no_reply(kind: EventKind, level: ThreadLevel) -> None:
    assert not gets_reply(made_event(kind), token(), level)


def timeline(*kinds: EventKind | Event) -> list[Event]:
    """Events with the ids 1, 2, 3, …"""
    made = (one if isinstance(one, Event) else made_event(one, ADMIN_PERSON) for one in kinds)
    return [replace(one, id=number) for number, one in enumerate(made, 1)]


def told(user: str) -> Event:
    return made_event(EventKind.OWNER_TOLD, ADMIN_PERSON, slack_user=user)


def answered(user: str) -> Event:
    return made_event(EventKind.OWNER_ANSWERED, slack_user=user)


BY_OTHER = made_event(EventKind.REPORTED, OWNER_PERSON)
WAITING, REPORTED, FAILED = EventKind.REPORT_WAITING, EventKind.REPORTED, EventKind.REPORT_FAILED
CONFIRMED = EventKind.REPORT_CONFIRMED


@pytest.mark.parametrize(
    ("events", "of", "shared"),
    [
        (timeline(REPORTED), 1, [1]),
        (timeline(REPORTED, CONFIRMED), 1, [1, 2]),
        (timeline(REPORTED, CONFIRMED), 2, [1, 2]),
        (timeline(WAITING, REPORTED, CONFIRMED), 3, [1, 2, 3]),
        (timeline(WAITING, WAITING, REPORTED), 3, [1, 2, 3]),
        (timeline(WAITING, BY_OTHER, CONFIRMED), 1, [1]),
        (timeline(WAITING, BY_OTHER, CONFIRMED), 3, [2, 3]),
        (timeline(WAITING, FAILED, REPORTED), 2, [1, 2]),
        (timeline(WAITING, FAILED, REPORTED), 3, [3]),
        (timeline(FAILED, REPORTED, CONFIRMED), 3, [2, 3]),
        (timeline(REPORTED, REPORTED, CONFIRMED), 3, [2, 3]),
        (timeline(CONFIRMED), 1, [1]),
        (timeline(told("U1"), answered("U1"), answered("U1")), 3, [1, 2, 3]),
        (timeline(told("U1"), answered("U2")), 2, [2]),
        (timeline(told("U1"), told("U2"), answered("U2")), 3, [2, 3]),
        (timeline(told("U1"), told("U2"), answered("U2")), 1, [1]),
        (timeline(told("U1"), told("U2"), answered("U1")), 3, [1, 3]),
    ],
)
def test_the_events_of_one_report_and_of_one_owner_share_a_reply(
    events: list[Event], of: int, shared: list[int]
) -> None:
    assert [event.id for event in events_in_reply(events, of)] == shared


@pytest.mark.parametrize(
    ("events", "of", "shared"),
    [
        (timeline(NEW_LOCATION, NEW_LOCATION, NEW_LOCATION), 2, [2]),
        (timeline(CLOSED, NEW_LOCATION, NEW_LOCATION), 3, [2, 3]),
        (timeline(CLOSED, NEW_LOCATION, NEW_LOCATION, EventKind.REOPENED, NEW_LOCATION), 2, [2, 3]),
        (timeline(CLOSED, NEW_LOCATION, NEW_LOCATION, EventKind.REOPENED, NEW_LOCATION), 5, [5]),
    ],
)
def test_the_new_locations_of_a_closed_alert_share_a_reply(
    events: list[Event], of: int, shared: list[int]
) -> None:
    assert [event.id for event in events_in_reply(events, of)] == shared
