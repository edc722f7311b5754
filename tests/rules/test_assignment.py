"""Which assignee Stanch writes to GitHub, by who took the alert and who set the assignee."""

from dataclasses import replace

import pytest

from bot.rules.assignment import Assignment, assignment_change
from storage.records import Account, AlertState, GitHubId, Person
from tests.storage.examples import plain_alert

ANA, BEN, CLEO = (Account(GitHubId(n), name) for n, name in ((11, "ana"), (12, "ben"), (13, "cleo")))
NOTHING = None
NOBODY = Assignment(None)


@pytest.mark.parametrize(
    ("holder", "may", "assigned", "ours", "change"),
    [
        (ANA, True, None, None, Assignment(ANA)),
        # The answer to an earlier call was lost: the call is made again.
        (ANA, True, None, ANA, Assignment(ANA)),
        (ANA, True, ANA, ANA, NOTHING),
        (ANA, False, None, None, NOTHING),
        # The person lost the role.
        (ANA, False, ANA, ANA, NOBODY),
        # An assignment that somebody else made stays.
        (ANA, True, CLEO, None, NOTHING),
        (ANA, True, CLEO, ANA, NOTHING),
        (ANA, False, ANA, None, NOTHING),
        (None, False, CLEO, None, NOTHING),
        # The person stepped back.
        (None, False, ANA, ANA, NOBODY),
        (None, False, None, ANA, NOTHING),
        # Somebody else took the alert: unassign first, assign later.
        (BEN, True, ANA, ANA, NOBODY),
        (BEN, False, ANA, ANA, NOBODY),
    ],
)
def test_the_change_of_the_assignee(
    holder: Account | None,
    may: bool,
    assigned: Account | None,
    ours: Account | None,
    change: Assignment | None,
) -> None:
    taken_by = Person(github=holder) if holder else None
    alert = replace(plain_alert(), taken_by=taken_by, assigned_to=assigned, assigned_by_us=ours)
    assert assignment_change(alert, may_be_assigned=may) == change


def test_a_closed_alert_gets_no_new_assignee_and_loses_one_of_ours() -> None:
    closed = replace(plain_alert(), state=AlertState.RESOLVED, taken_by=Person(github=ANA))
    assert assignment_change(closed, may_be_assigned=True) is None
    ours = replace(closed, assigned_to=ANA, assigned_by_us=ANA)
    assert assignment_change(ours, may_be_assigned=True) is None
    assert assignment_change(ours, may_be_assigned=False) == NOBODY
