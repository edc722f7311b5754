"""Who may approve or deny a report that another person asked for, and what ends the request: a row per case."""

from dataclasses import replace
from typing import Any

import pytest

from bot.options import Options, ReportOptions
from bot.rules.approval import (
    LASTS,
    alone_obstacle,
    ask_obstacle,
    change_obstacle,
    decision_obstacle,
    facts_of,
    is_to_be_approved,
    named_request,
    run_obstacle,
)
from bot.rules.case import PersonalCase
from storage.records import Account, Approval, ApprovalState, GitHubId, Person, SlackUserId, TokenFacts
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    ALL_RIGHTS,
    ASKED,
    BY_ROLE,
    DANA,
    DEAD,
    NOW,
    OWNER_PERSON,
    TEAM,
    WORKS,
    in_front_of,
    repository,
    token,
    working,
)

AT = ASKED.requested_at
DECIDES = replace(BY_ROLE, view_by_role=True)
TWO = Options(report=ReportOptions(approvals=2))
ALONE = Options(report=ReportOptions(approvals=2, alone_after=5))
APPROVED = replace(ASKED, state=ApprovalState.APPROVED, decided_by=OWNER_PERSON, decided_at=NOW)
USER = Person(TEAM, SlackUserId("U0ADMIN"), DANA)
ACCOUNT = Person(TEAM, SlackUserId("U0OTHER"), ADMIN)


def deciding(approval: Approval | None = ASKED, person: Person = OWNER_PERSON, **fields: Any) -> PersonalCase:
    """A working token in front of somebody who may decide, an hour after they were linked."""
    case = in_front_of(fields.pop("alert", working()), person=person, rights=fields.pop("rights", DECIDES))
    if "identity" in fields:
        identity = replace(case.actor.identity, **fields.pop("identity"))
        case = replace(case, actor=replace(case.actor, identity=identity))
    if "visibility" in fields:
        case = replace(case, repository=replace(case.repository, visibility=fields.pop("visibility")))
    return replace(case, **{"approval": approval, "options": TWO, **fields})


DECISIONS: dict[str, tuple[PersonalCase, str | None]] = {
    "another person with the role": (deciding(), None),
    "signed in before": (deciding(identity={"proof": "sign_in"}), None),
    "no such request": (deciding(None), "approval_unknown"),
    "approved already": (deciding(APPROVED), "approval_approved"),
    "denied already": (deciding(replace(ASKED, state=ApprovalState.DENIED)), "approval_denied"),
    "lapsed": (deciding(replace(ASKED, state=ApprovalState.LAPSED)), "approval_lapsed"),
    "ended": (deciding(replace(ASKED, state=ApprovalState.ENDED)), "approval_ended"),
    "open past its end": (deciding(now=AT + LASTS), "approval_lapsed"),
    "open to its end": (deciding(now=AT + LASTS - 1), None),
    "the person who asked": (deciding(person=ADMIN_PERSON), "self_approval"),
    "the same Slack user with another account": (deciding(person=USER), "self_approval"),
    "the same account with another Slack user": (deciding(person=ACCOUNT), "self_approval"),
    "linked by the directory": (deciding(identity={"proof": "directory"}), "weak_link"),
    "linked in a way of another version": (deciding(identity={"proof": "by_hand"}), "weak_link"),
    "linked after the request": (deciding(identity={"linked_at": AT + 1}), "linked_later"),
    "linked in the moment of the request": (deciding(identity={"linked_at": AT}), "linked_later"),
    "linked just before the request": (deciding(identity={"linked_at": AT - 1}), None),
    "assigned, without a role": (deciding(rights=ALL_RIGHTS), "not_by_role"),
}


@pytest.mark.parametrize(("case", "obstacle"), DECISIONS.values(), ids=DECISIONS)
def test_who_may_decide(case: PersonalCase, obstacle: str | None) -> None:
    assert decision_obstacle(case) == obstacle


def asking(**fields: Any) -> PersonalCase:
    return deciding(person=ADMIN_PERSON, **{"options": ALONE, "others_can_approve": False, **fields})


GOING_ALONE: dict[str, tuple[PersonalCase, str | None]] = {
    "nobody else": (asking(), None),
    "turned off": (asking(options=TWO), "self_approval"),
    "too early": (asking(now=AT + 299), "alone_later"),
    "in time": (asking(now=AT + 300), None),
    "somebody else": (asking(others_can_approve=True), "others_can"),
    "not known": (asking(others_can_approve=None), "others_unknown"),
    "linked by the directory": (asking(identity={"proof": "directory"}), "weak_link"),
    "by an assignment alone": (asking(rights=ALL_RIGHTS), "not_by_role"),
    "another account by now": (replace(deciding(person=USER), options=ALONE), "self_approval"),
    "another Slack user": (replace(deciding(person=ACCOUNT), options=ALONE), "self_approval"),
}


@pytest.mark.parametrize(("case", "obstacle"), GOING_ALONE.values(), ids=GOING_ALONE)
def test_who_goes_ahead_alone(case: PersonalCase, obstacle: str | None) -> None:
    assert alone_obstacle(case) == obstacle


ASKS: dict[str, tuple[PersonalCase, str | None]] = {
    "nobody has asked": (deciding(None), None),
    "somebody has asked": (deciding(), "awaits_approval"),
    "denied just now": (deciding(None, denied_at=NOW), "denied_before"),
    "denied almost an hour ago": (deciding(None, denied_at=NOW, now=NOW + LASTS - 1), "denied_before"),
    "denied an hour ago": (deciding(None, denied_at=NOW, now=NOW + LASTS), None),
}


@pytest.mark.parametrize(("case", "obstacle"), ASKS.values(), ids=ASKS)
def test_who_may_ask(case: PersonalCase, obstacle: str | None) -> None:
    assert ask_obstacle(case) == obstacle


CHANGES: dict[str, tuple[PersonalCase, str | None]] = {
    "nothing": (deciding(), None),
    "validity": (deciding(alert=working(probe=replace(WORKS, verdict="unknown"))), "validity_changed"),
    "validity, dead": (deciding(alert=working(probe=DEAD)), "validity_changed"),
    "token owner": (
        deciding(alert=working(token=TokenFacts(owner=Account(GitHubId(99), "x")))),
        "token_owner_changed",
    ),
    "token owner's login alone": (
        deciding(alert=working(token=TokenFacts(owner=Account(GitHubId(12), "renamed")))),
        None,
    ),
    "token owner unknown": (deciding(alert=working(token=TokenFacts())), "token_owner_changed"),
    "visibility": (deciding(visibility="internal"), "visibility_changed"),
    "somebody else's role": (deciding(rights=replace(DECIDES, role="security manager")), None),
}


@pytest.mark.parametrize(("case", "obstacle"), CHANGES.values(), ids=CHANGES)
def test_what_ends_a_request(case: PersonalCase, obstacle: str | None) -> None:
    assert change_obstacle(case) == obstacle


def running(
    approval: Approval | None = APPROVED, person: Person = ADMIN_PERSON, **fields: Any
) -> PersonalCase:
    return deciding(approval, person, is_approved_run=True, **fields)


OTHER = working(probe=replace(WORKS, verdict="unknown"), token=TokenFacts())
RUNS: dict[str, tuple[PersonalCase, str | None]] = {
    "approved": (running(), None),
    "no such request": (running(None), "approval_unknown"),
    "not decided": (running(ASKED), "approval_open"),
    "denied": (running(replace(APPROVED, state=ApprovalState.DENIED)), "approval_denied"),
    "ended": (running(replace(APPROVED, state=ApprovalState.ENDED)), "approval_ended"),
    "another account by now": (running(person=USER), "other_account"),
    "the approver's": (running(person=OWNER_PERSON), "other_account"),
    "another role": (running(rights=replace(DECIDES, role="security manager")), "role_changed"),
    "an hour late": (running(now=NOW + LASTS), "approval_lapsed"),
    "an hour late, waited for the limit": (running(now=NOW + LASTS, waited=True), None),
    "an hour late, interrupted": (running(now=NOW + LASTS, intended_at=NOW), None),
    "another validity": (running(alert=OTHER), "validity_changed"),
    "another validity, waited": (running(alert=OTHER, waited=True), None),
    "another validity, interrupted": (running(alert=OTHER, intended_at=NOW), None),
    "another visibility, waited": (running(visibility="internal", waited=True), "visibility_changed"),
    "another role, waited": (
        running(rights=replace(DECIDES, role="security manager"), waited=True),
        "role_changed",
    ),
}


@pytest.mark.parametrize(("case", "obstacle"), RUNS.values(), ids=RUNS)
def test_what_stops_an_approved_report(case: PersonalCase, obstacle: str | None) -> None:
    assert run_obstacle(case) == obstacle


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (deciding(None, options=Options()), False),
        (deciding(None), True),
        (running(), False),
        (running(None), False),
    ],
)
def test_when_a_second_person_is_needed(case: PersonalCase, expected: bool) -> None:
    assert is_to_be_approved(case) is expected


@pytest.mark.parametrize(
    ("value", "request_id"),
    [
        ("90001/42/5f0c", "5f0c"),
        ("90001/42/", None),
        ("90001/42", None),
        ("", None),
        (None, None),
        (("a",), None),
        ("90001/42/5f0c/6", "5f0c/6"),
    ],
)
def test_which_request_a_button_names(value: object, request_id: str | None) -> None:
    assert named_request(value) == request_id


def test_an_owner_known_by_name_alone_counts_by_the_name() -> None:
    alert = token(token=TokenFacts(owner_name="old-dev"))
    assert facts_of(alert, repository(), "admin").token_owner == "old-dev"
