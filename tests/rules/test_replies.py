"""Which events of an alert get a reply in the card's thread."""

from dataclasses import replace

import pytest

from bot.rules.replies import KINDS_WITHOUT_REPLY, gets_reply
from storage.records import AlertState, Event, EventKind, ThreadLevel
from tests.views.cases import event as made_event
from tests.views.cases import token

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
