"""Which entries of a timeline a channel hears of in the card's thread."""

from dataclasses import replace

import pytest

from bot.rules.replies import KINDS_WITHOUT_REPLY, gets_reply
from storage.records import AlertState, Event, EventKind, ThreadLevel
from tests.views.cases import event, token

CLOSED = event(EventKind.CLOSED, resolution="revoked")
ASSIGNED = event(EventKind.ASSIGNED, login="octo-admin")
NOW_ACTIVE = event(EventKind.VALIDITY_CHANGED, before="unknown", after="active")
NOW_INACTIVE = event(EventKind.VALIDITY_CHANGED, before="active", after="inactive")
LEAKED = event(EventKind.PUBLICLY_LEAKED)
NEW_PLACE = event(EventKind.PLACE_ADDED, path="config/old.env")


@pytest.mark.parametrize(
    ("happened", "level", "heard"),
    [
        (CLOSED, ThreadLevel.ALL, True),
        (CLOSED, ThreadLevel.ACTIONS, True),
        (CLOSED, ThreadLevel.NONE, False),
        (ASSIGNED, ThreadLevel.ALL, True),
        (ASSIGNED, ThreadLevel.ACTIONS, False),
        (NOW_ACTIVE, ThreadLevel.ACTIONS, True),
        (NOW_INACTIVE, ThreadLevel.ACTIONS, False),
        (LEAKED, ThreadLevel.ACTIONS, True),
        (NEW_PLACE, ThreadLevel.ACTIONS, False),
    ],
)
def test_a_channel_hears_as_much_as_it_wants(happened: Event, level: ThreadLevel, heard: bool) -> None:
    assert gets_reply(happened, token(), level) is heard


def test_a_closed_alert_s_secret_at_a_new_place_is_heard_by_all() -> None:
    assert gets_reply(NEW_PLACE, replace(token(), state=AlertState.RESOLVED), ThreadLevel.ACTIONS)


@pytest.mark.parametrize("level", ThreadLevel)
@pytest.mark.parametrize("kind", sorted(KINDS_WITHOUT_REPLY))
def test_what_the_card_itself_tells_gets_no_reply(kind: EventKind, level: ThreadLevel) -> None:
    assert not gets_reply(event(kind), token(), level)
