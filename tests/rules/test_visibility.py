"""Which alerts a person sees, by the roles that GitHub gave and their age."""

from dataclasses import replace

import pytest

from bot.rules.rights import VIEW, RoleFacts, rights_of
from bot.rules.visibility import KnownRoles, known_visibility
from storage.records import Account, Alert, GitHubId, Repository, RepositoryId
from tests.storage.examples import ANA, plain_alert
from tests.storage.examples import repository as made

NOW = 10_000.0
FRESH = NOW - 300
OCTO, ACME = GitHubId(100), GitHubId(101)
MEMBER = RoleFacts(ANA, "Organization", OCTO, membership="member", permission="read", role_name="read")
OWNER = replace(MEMBER, membership="admin")
MANAGER = replace(MEMBER, security_manager=True)
ADMIN = replace(MEMBER, permission="admin", role_name="admin")
VIEWER = replace(MEMBER, granted=frozenset({VIEW}))


def home(number: int, owner: GitHubId = OCTO, owner_type: str = "Organization") -> Repository:
    return replace(made(number), owner=Account(owner, "octo"), owner_type=owner_type)


def role(facts: RoleFacts, number: int = 1, at: float = NOW) -> KnownRoles:
    return KnownRoles(facts.owner_id, rights_of(facts), {RepositoryId(number): at})


def alert(number: int = 1) -> Alert:
    return plain_alert(7, number)


@pytest.mark.parametrize(
    ("known", "here", "beside"),
    [
        ([], None, None),
        ([role(OWNER)], True, True),
        ([role(MANAGER)], True, True),
        ([role(ADMIN)], True, None),
        ([role(VIEWER)], True, None),
        ([role(MEMBER)], False, None),
        ([role(MEMBER, at=FRESH - 1)], None, None),
        ([role(ADMIN, at=FRESH - 1)], True, None),
        ([role(OWNER, 2, at=FRESH), role(MEMBER, 3)], None, None),
        ([role(MEMBER, 3, at=FRESH), role(OWNER, 2)], True, True),
        ([role(replace(OWNER, owner_type="User", membership=None), at=NOW)], False, None),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_a_role_shows_a_repository_or_the_whole_organization(
    known: list[KnownRoles], here: bool | None, beside: bool | None
) -> None:
    """`here` is the repository of the role, `beside` another one of the same organization."""
    seen = known_visibility(ANA.id, known, denied_since=FRESH)
    assert seen.sees(alert(1), home(1)) is here
    assert seen.sees(alert(4), home(4)) is beside
    assert seen.sees(alert(5), home(5, ACME)) is None


def test_an_assignee_sees_the_alert_whatever_their_role() -> None:
    seen = known_visibility(ANA.id, [role(MEMBER)], denied_since=FRESH)
    mine = replace(alert(), assigned_to=ANA)
    assert seen.sees(mine, home(1)) is True
    assert seen.since(mine, home(1)) is None


def test_the_age_is_that_of_the_newest_role_that_shows_the_alert() -> None:
    seen = known_visibility(ANA.id, [role(ADMIN, 1, NOW - 900), role(OWNER, 2, NOW - 60)], denied_since=FRESH)
    assert seen.since(alert(), home(1)) == NOW - 60
    seen = known_visibility(ANA.id, [role(ADMIN, 1, NOW - 900)], denied_since=FRESH)
    assert seen.since(alert(), home(1)) == NOW - 900
