"""Which roles give which rights."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.rights import RESOLVE, VIEW, Need, RoleFacts, rights_of
from storage.records import Account, GitHubId
from tests.storage.examples import plain_alert

ANA = Account(GitHubId(11), "ana")
FACTS = RoleFacts(ANA, "Organization", GitHubId(100))
ASSIGNED = replace(plain_alert(), assigned_to=ANA)
ALL, SEE, NOTHING = (True, True), (True, False), (False, False)


@pytest.mark.parametrize(
    ("known", "may", "write", "reviewer", "role"),
    [
        ({}, NOTHING, False, False, "no role"),
        ({"membership": "member"}, NOTHING, False, False, "no role"),
        ({"membership": "admin"}, ALL, True, True, "organization owner"),
        (
            {"membership": "admin", "permission": "read", "role_name": "read"},
            ALL,
            True,
            True,
            "organization owner",
        ),
        ({"permission": "read", "role_name": "read"}, NOTHING, False, False, "read"),
        ({"permission": "read", "role_name": "triage"}, NOTHING, False, False, "triage"),
        ({"permission": "write", "role_name": "write"}, NOTHING, True, False, "write"),
        ({"permission": "write", "role_name": "maintain"}, NOTHING, True, False, "maintain"),
        ({"permission": "admin", "role_name": "admin"}, ALL, True, False, "repository admin"),
        ({"security_manager": True}, ALL, False, True, "security manager"),
        ({"security_manager": True, "permission": "admin"}, ALL, True, True, "security manager"),
        (
            {"granted": {VIEW}, "permission": "read", "role_name": "auditor"},
            SEE,
            False,
            False,
            "custom role auditor",
        ),
        (
            {"granted": {RESOLVE}, "permission": "write", "role_name": "fixer"},
            ALL,
            True,
            False,
            "custom role fixer",
        ),
        (
            {"granted": {"delete_alerts"}, "role_name": "odd", "permission": "read"},
            NOTHING,
            False,
            False,
            "odd",
        ),
        (
            {"granted": {RESOLVE}, "permission": "read", "role_name": "read"},
            ALL,
            False,
            False,
            "custom organization role",
        ),
        ({"permission": "write", "role_name": ""}, NOTHING, True, False, "write"),
        ({"owner_type": "User", "owner_id": 11}, ALL, True, False, "owner of the repository"),
        ({"owner_type": "User", "permission": "admin"}, ALL, True, False, "repository admin"),
        ({"owner_type": "User", "permission": "write", "role_name": "write"}, NOTHING, True, False, "write"),
        (
            {"owner_type": "User", "membership": "admin", "security_manager": True},
            NOTHING,
            False,
            False,
            "no role",
        ),
    ],
)
def test_roles_give_rights(
    known: dict[str, Any], may: tuple[bool, bool], write: bool, reviewer: bool, role: str
) -> None:
    rights = rights_of(replace(FACTS, **known))
    assert (rights.view, rights.resolve) == may
    assert (rights.write, rights.reviewer, rights.role) == (write, reviewer, role)
    assert (rights.allow(Need.VIEW), rights.allow(Need.RESOLVE)) == may
    assert (rights.allow(Need.REVIEW), rights.allow(Need.OWNER)) == (reviewer, role == "organization owner")


@pytest.mark.parametrize(("delegated", "resolve"), [(False, True), (True, False), (None, False)])
def test_an_assignee_may_resolve_where_delegated_dismissal_is_known_to_be_off(
    delegated: bool | None, resolve: bool
) -> None:
    rights = rights_of(FACTS, ASSIGNED, delegated=delegated)
    assert (rights.view, rights.resolve, rights.role) == (True, resolve, "assignee of the alert")
    assert (rights.resolve_by_role, rights.reviewer) == (False, False)
    assert not rights_of(FACTS, plain_alert(), delegated=delegated).view
    other = replace(ASSIGNED, assigned_to=Account(GitHubId(12), "ana"))
    assert not rights_of(FACTS, other, delegated=delegated).view, "the id counts, not the login"


def test_an_assignment_by_stanch_gives_no_rights() -> None:
    """It is made for people who may resolve by role, so a person who lost the role keeps nothing."""
    rights = rights_of(FACTS, replace(ASSIGNED, assigned_by_us=ANA), delegated=False)
    assert (rights.view, rights.resolve) == NOTHING
    others = replace(ASSIGNED, assigned_by_us=Account(GitHubId(12), "ben"))
    assert rights_of(FACTS, others, delegated=False).resolve


FOUND = st.builds(
    RoleFacts,
    st.builds(Account, st.integers(1, 2**62).map(GitHubId), st.text(max_size=20)),
    st.sampled_from(["Organization", "User", "Enterprise"]),
    st.integers(1, 2**62).map(GitHubId),
    st.none() | st.sampled_from(["admin", "member", "billing_manager"]),
    st.sampled_from(["admin", "write", "read", "none", "a new word"]),
    st.text(max_size=20),
    st.booleans(),
    st.frozensets(st.sampled_from([VIEW, RESOLVE, "bypass"])),
    st.frozensets(st.sampled_from(["organization_roles", "custom_roles"])),
)


@given(FOUND)
def test_role_facts_survive_storage(found: RoleFacts) -> None:
    assert RoleFacts.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(FOUND)
def test_a_right_to_resolve_includes_the_right_to_see(found: RoleFacts) -> None:
    rights = rights_of(found)
    assert rights.view or not rights.resolve
    assert rights.resolve or not rights.reviewer
    assert rights.role
