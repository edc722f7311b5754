"""Whether an alert may be handed over to somebody, and what that changes on GitHub: a test per row."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.assignment import is_free_to_assign, may_be_assigned
from bot.rules.case import PersonalCase, Receiver
from bot.rules.hand_over import Effect, Obstacle, hand_over_effect
from bot.rules.report_eligibility import ServerAbilities
from bot.rules.rights import UNPROVEN, Rights, RoleFacts, rights_of
from storage.records import Account, Alert, GitHubId, HandOver, Person, SlackUserId
from tests.views.cases import ADMIN, BY_LEAKY, LEAKY, NOW, TEAM, identity, in_front_of, token

DANA = Person(TEAM, SlackUserId("U0DANA"), Account(GitHubId(21), "dana-kim"))
NOBODY = Rights(view=False, resolve=False, write=False, owner=False, reviewer=False, role="none")
WRITER = replace(NOBODY, write=True, role="write")
VIEWER = replace(NOBODY, view=True, role="custom role auditor")
VIEWING_WRITER = replace(VIEWER, write=True)
ASSIGNEE = replace(VIEWING_WRITER, resolve=True, role="assignee of the alert")
ROLE = replace(ASSIGNEE, resolve_by_role=True, role="repository admin")
MANAGER = replace(ROLE, write=False, role="security manager")
NO_ASSIGNEES = ServerAbilities(revokes=False, overrides_validity=False, assigns=False)
DANA_ACCOUNT = Account(GitHubId(21), "dana-kim")


def dana(rights: Rights) -> Receiver:
    return Receiver(SlackUserId("U0DANA"), identity=identity(DANA), rights=rights)


def giver(rights: Rights, alert: Alert | None = None, **fields: Any) -> PersonalCase:
    return replace(in_front_of(alert or token(), rights=rights), **fields)


@pytest.mark.parametrize(
    ("gives", "gets", "expected"),
    [
        # Somebody who may resolve by role gives the alert to somebody who may not: GitHub's assignment is a grant.
        (ROLE, WRITER, Effect.GRANT),
        (ROLE, VIEWING_WRITER, Effect.GRANT),
        (MANAGER, WRITER, Effect.GRANT),
        # The receiver may resolve anyway.
        (ROLE, ROLE, Effect.ASSIGN),
        # GitHub takes only people with write access.
        (ROLE, MANAGER, Effect.NOT_ASSIGNED),
        (ROLE, VIEWER, Effect.NOT_ASSIGNED),
        (ROLE, NOBODY, Obstacle.NO_WRITE),
        # Others hand over only to people who may view it, and nothing is written.
        (VIEWER, VIEWER, Effect.NOT_WRITTEN),
        (VIEWER, ROLE, Effect.NOT_WRITTEN),
        (VIEWING_WRITER, ROLE, Effect.NOT_WRITTEN),
        (VIEWER, WRITER, Obstacle.NO_VIEW),
        (VIEWER, NOBODY, Obstacle.NO_VIEW),
        # The right of an assignee is not one by role: it can't be passed on.
        (ASSIGNEE, WRITER, Obstacle.NO_VIEW),
        (ASSIGNEE, ROLE, Effect.NOT_WRITTEN),
    ],
)
def test_the_effect_by_the_rights_of_both(gives: Rights, gets: Rights, expected: Effect | Obstacle) -> None:
    assert hand_over_effect(giver(gives), dana(gets)) is expected


@pytest.mark.parametrize(
    ("assigned", "ours", "gets", "expected"),
    [
        # Somebody else set GitHub's assignee, which Stanch never changes.
        (LEAKY, None, ROLE, Effect.NOT_ASSIGNED),
        (LEAKY, None, VIEWING_WRITER, Effect.NOT_ASSIGNED),
        (LEAKY, None, WRITER, Obstacle.OTHER_ASSIGNEE),
        (LEAKY, ADMIN, WRITER, Obstacle.OTHER_ASSIGNEE),
        # Stanch set it for the giver.
        (ADMIN, ADMIN, WRITER, Effect.GRANT),
        (ADMIN, ADMIN, ROLE, Effect.ASSIGN),
        # The receiver is the assignee already.
        (DANA_ACCOUNT, None, ASSIGNEE, Effect.SHOWN),
        (DANA_ACCOUNT, DANA_ACCOUNT, ROLE, Effect.SHOWN),
    ],
)
def test_the_effect_by_the_assignee_on_github(
    assigned: Account, ours: Account | None, gets: Rights, expected: Effect | Obstacle
) -> None:
    alert = token(assigned_to=assigned, assigned_by_us=ours)
    assert hand_over_effect(giver(ROLE, alert), dana(gets)) is expected


@pytest.mark.parametrize(
    ("gets", "expected"),
    [
        (ROLE, Effect.NOT_ASSIGNED),
        (VIEWER, Effect.NOT_ASSIGNED),
        (WRITER, Obstacle.NO_ASSIGNEES),
    ],
)
def test_a_server_without_assignees(gets: Rights, expected: Effect | Obstacle) -> None:
    assert hand_over_effect(giver(ROLE, server=NO_ASSIGNEES), dana(gets)) is expected


@pytest.mark.parametrize(
    ("gets", "expected"),
    [
        (UNPROVEN, Effect.LATER),
        (ROLE, Effect.LATER),
        (WRITER, Obstacle.NO_VIEW_OFFLINE),
    ],
)
@pytest.mark.parametrize("gives", [ROLE, VIEWER, UNPROVEN])
def test_nothing_is_granted_while_github_is_down(
    gives: Rights, gets: Rights, expected: Effect | Obstacle
) -> None:
    assert hand_over_effect(giver(gives, offline=True), dana(gets)) is expected


@pytest.mark.parametrize(
    "word",
    [
        "bot",
        "deactivated",
        "other_organization",
        "guest",
        Obstacle.NOT_LINKED,
        Obstacle.UNKNOWN_PERSON,
        Obstacle.SLACK_UNREACHABLE,
    ],
)
@pytest.mark.parametrize("offline", [False, True])
def test_nobody_hands_over_to_an_outsider(word: str, offline: bool) -> None:
    receiver = Receiver(SlackUserId("U0DANA"), word)
    assert hand_over_effect(giver(ROLE, offline=offline), receiver) is Obstacle(word)


def test_nobody_hands_over_to_themselves_or_to_who_is_on_it() -> None:
    case = giver(ROLE, token(taken_by=DANA))
    own = Receiver(case.actor.identity.slack_user, identity=case.actor.identity, rights=ROLE)
    assert hand_over_effect(case, own) is Obstacle.YOURSELF
    assert hand_over_effect(case, dana(ROLE)) is Obstacle.ON_IT
    assert hand_over_effect(giver(ROLE, token(taken_by=BY_LEAKY)), dana(ROLE)) is Effect.ASSIGN


@pytest.mark.parametrize(
    ("hand_over", "rights", "may"),
    [
        (None, ROLE, True),
        (None, MANAGER, False),
        (None, WRITER, False),
        (HandOver(NOW, grants=True), WRITER, True),
        (HandOver(NOW, grants=True), NOBODY, False),
        (HandOver(NOW, grants=False), ROLE, False),
        # A hand over is void once somebody has taken the alert since.
        (HandOver(NOW - 1, grants=True), WRITER, False),
        (HandOver(NOW - 1, grants=False), ROLE, True),
    ],
)
def test_who_is_assigned_after_a_hand_over(hand_over: HandOver | None, rights: Rights, may: bool) -> None:
    alert = token(taken_by=DANA, taken_at=NOW, last_hand_over=hand_over)
    assert may_be_assigned(alert, rights) is may


@pytest.mark.parametrize(
    ("holder", "taken_at", "grants", "entitled"),
    [
        (DANA, NOW, True, True),
        (DANA, NOW, False, False),
        (DANA, NOW + 5, True, False),
        (BY_LEAKY, NOW, True, False),
        (None, None, True, False),
    ],
)
def test_an_assignment_by_stanch_gives_rights_only_by_a_hand_over_that_grants_them(
    holder: Person | None, taken_at: float | None, grants: bool, entitled: bool
) -> None:
    alert = token(
        taken_by=holder,
        taken_at=taken_at,
        assigned_to=DANA_ACCOUNT,
        assigned_by_us=DANA_ACCOUNT,
        last_hand_over=HandOver(NOW, grants),
    )
    facts = RoleFacts(DANA_ACCOUNT, "Organization", GitHubId(100), membership="member", permission="write")
    rights = rights_of(facts, alert, delegated=False)
    assert (rights.view, rights.resolve, rights.resolve_by_role) == (entitled, entitled, False)


def test_only_an_own_assignment_is_changed() -> None:
    assert is_free_to_assign(token())
    assert is_free_to_assign(token(assigned_to=ADMIN, assigned_by_us=ADMIN))
    assert not is_free_to_assign(token(assigned_to=ADMIN))
    assert not is_free_to_assign(token(assigned_to=ADMIN, assigned_by_us=LEAKY))
