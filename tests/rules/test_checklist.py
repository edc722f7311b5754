"""Who has done which step of an alert's checklist, as the timeline says."""

from bot.rules.checklist import TOKEN_STEPS, Tick, done_count, ticks
from storage.records import EventKind
from tests.views.cases import ADMIN_PERSON, FOUND, OWNER_PERSON, event

BY_ADMIN = Tick(ADMIN_PERSON, FOUND + 600)


def test_who_ticked_a_step_first_did_it_until_it_is_unticked() -> None:
    changes = [
        event(EventKind.STEPS_CHANGED, ADMIN_PERSON, ticked=["rotated", "logs"]),
        event(EventKind.STEPS_CHANGED, OWNER_PERSON, ticked=["rotated"]),
        event(EventKind.CLOSED, OWNER_PERSON, ticked=["services"]),
        event(EventKind.STEPS_CHANGED, OWNER_PERSON, unticked=["logs", "unknown"]),
    ]
    assert ticks(changes) == {"rotated": BY_ADMIN}
    assert done_count(TOKEN_STEPS, ticks(changes)) == 1


def test_changes_that_nobody_made_or_that_name_no_steps_tick_nothing() -> None:
    changes = [
        event(EventKind.STEPS_CHANGED, ticked=["rotated"]),
        event(EventKind.STEPS_CHANGED, ADMIN_PERSON, ticked="rotated"),
        event(EventKind.STEPS_CHANGED, ADMIN_PERSON, ticked=[1, None]),
    ]
    assert ticks(changes) == {}
