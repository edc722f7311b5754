"""Who may do what: by what the sources say, by the role on GitHub, by the action and by what has gone wrong.

Each row is a way to be linked, a role, and one letter for each of ACTIONS: `y` yes, `n` no. The rules are put
together here as the flows do it: `decide`, `source_obstacle`, `rights_of`, `Rights.allow`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bot.actions import ACTIONS as CONTROLS
from bot.options import DirectoryOptions, GitHubOptions, Options
from bot.rules.identity_claims import IdentityClaim, Linked, decide
from bot.rules.rights import RESOLVE, UNPROVEN, VIEW, Need, Rights, RoleFacts, rights_of
from bot.rules.source_rights import Deed, source_obstacle
from storage.records import Account, GitHubId, IdentitySource, SlackUserId, Suspension
from tests.storage.examples import plain_alert

ANA, BEN = Account(GitHubId(11), "ana"), Account(GitHubId(12), "ben")
OCTO = GitHubId(100)
ASSIGNED = replace(plain_alert(), assigned_to=ANA)
ME, OTHER = SlackUserId("U1"), SlackUserId("U2")
ACTIONS = ("look_up", "take", "check_validity", "report_leak", "close_as", "reopen", "approve_report")
"""The columns; all other controls need the same as one of these."""

ROLES: Mapping[str, RoleFacts] = {
    "owner": RoleFacts(ANA, "Organization", OCTO, membership="admin"),
    "admin": RoleFacts(ANA, "Organization", OCTO, "member", "admin", "admin"),
    "manager": RoleFacts(ANA, "Organization", OCTO, "member", security_manager=True),
    "viewer": RoleFacts(ANA, "Organization", OCTO, "member", "read", "auditor", granted=frozenset({VIEW})),
    "resolver": RoleFacts(
        ANA, "Organization", OCTO, "member", "write", "fixer", granted=frozenset({RESOLVE})
    ),
    "assignee": RoleFacts(ANA, "Organization", OCTO, "member", "write", "write"),
    "writer": RoleFacts(ANA, "Organization", OCTO, "member", "write", "write"),
    "member": RoleFacts(ANA, "Organization", OCTO, "member"),
    "stranger": RoleFacts(ANA, "Organization", OCTO),
    "own": RoleFacts(ANA, "User", ANA.id),
    # GitHub did not give the organization's roles to the App: somebody else's role is never assumed.
    "unknown": RoleFacts(ANA, "Organization", OCTO, "member", not_asked=frozenset({"organization_roles"})),
}
ALL, SEES, NOBODY = "yyyyyyy", "yyyynny", "nnnnnnn"
BY_ROLE: Mapping[str, str] = {
    "owner": ALL,
    "admin": ALL,
    "manager": ALL,
    "viewer": SEES,
    "resolver": ALL,
    # By the assignment: no approval.
    "assignee": "yyyyyyn",
    "writer": NOBODY,
    "member": NOBODY,
    "stranger": NOBODY,
    "own": ALL,
    "unknown": NOBODY,
}
"""What each role allows to somebody whose source allows everything."""

OFF = Options()
LOOKS = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))
ACTS = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",), acts=True))
OWN_NAME = Options(
    github=GitHubOptions(act_as="user"),
    directory=DirectoryOptions(source="saml", domains=("octo.example",), acts=True),
)
SIGN_IN, OPERATOR, DIRECTORY = IdentitySource.SIGN_IN, IdentitySource.OPERATOR, IdentitySource.DIRECTORY


def mine(source: IdentitySource, since: float = 1.0, suspension: str | None = None) -> IdentityClaim:
    return IdentityClaim(ME, ANA, source, since, suspension)


def but(
    source: IdentitySource, since: float, *, user: SlackUserId = ME, account: Account = ANA
) -> IdentityClaim:
    """A claim that disagrees."""
    return IdentityClaim(user, account, source, since)


LINKS: Mapping[str, tuple[list[IdentityClaim], Options]] = {
    "nothing configured": ([], OFF),
    "nothing, although the directory is on": ([], ACTS),
    "sign-in": ([mine(SIGN_IN)], OFF),
    "sign-in, own name only": ([mine(SIGN_IN)], OWN_NAME),
    "operator": ([mine(OPERATOR)], OFF),
    "operator, own name only": ([mine(OPERATOR)], OWN_NAME),
    "directory": ([mine(DIRECTORY)], LOOKS),
    "directory that acts": ([mine(DIRECTORY)], ACTS),
    "directory that acts, own name only": ([mine(DIRECTORY)], OWN_NAME),
    "directory that was turned off": ([mine(DIRECTORY)], OFF),
    "all three": ([mine(DIRECTORY), mine(OPERATOR, 2), mine(SIGN_IN, 3)], OFF),
    # Faults: nothing weaker takes the place of what failed.
    "token revoked at GitHub": ([mine(SIGN_IN, suspension=Suspension.TOKEN_REFUSED)], OFF),
    "token revoked, an operator linked before": (
        [mine(OPERATOR), mine(SIGN_IN, 2, Suspension.TOKEN_REFUSED)],
        OFF,
    ),
    "token revoked, an operator linked later": (
        [mine(SIGN_IN, 1, Suspension.TOKEN_REFUSED), mine(OPERATOR, 2)],
        OFF,
    ),
    "token revoked, in the directory": (
        [mine(DIRECTORY), mine(SIGN_IN, 2, Suspension.TOKEN_REFUSED)],
        ACTS,
    ),
    "authorization revoked": ([mine(SIGN_IN, suspension=Suspension.AUTHORIZATION_REVOKED)], OFF),
    "undecryptable": ([mine(SIGN_IN, suspension=Suspension.UNDECRYPTABLE)], OFF),
    "lapsed, in the directory": ([mine(DIRECTORY), mine(SIGN_IN, 2, Suspension.LAPSED)], ACTS),
    "directory changed": ([mine(DIRECTORY, suspension=Suspension.DIRECTORY_CHANGED)], ACTS),
    "directory ambiguous": ([mine(DIRECTORY, suspension=Suspension.AMBIGUOUS)], ACTS),
    "left the directory": ([mine(DIRECTORY, suspension=Suspension.LEFT)], ACTS),
    "unlinked": ([mine(DIRECTORY, suspension=Suspension.UNLINKED)], ACTS),
    # Disagreements about the person.
    "operator, then a sign-in to another": ([mine(OPERATOR), but(SIGN_IN, 2, account=BEN)], OFF),
    "sign-in, the directory says another": ([mine(SIGN_IN), but(DIRECTORY, 2, account=BEN)], LOOKS),
    "directory, then an operator for another": ([mine(DIRECTORY), but(OPERATOR, 2, account=BEN)], LOOKS),
    "another by the directory, then an operator": ([but(DIRECTORY, 0, account=BEN), mine(OPERATOR)], OFF),
    # Disagreements about the account.
    "sign-in, then a second Slack user": ([mine(SIGN_IN), but(SIGN_IN, 2, user=OTHER)], OFF),
    "sign-in as the second Slack user": ([but(SIGN_IN, 0, user=OTHER), mine(SIGN_IN)], OFF),
    "operator, then a second Slack user": ([mine(OPERATOR), but(SIGN_IN, 2, user=OTHER)], OFF),
    "second Slack user, then an operator": ([but(SIGN_IN, 0, user=OTHER), mine(OPERATOR)], OFF),
    "sign-in, then an operator for another user": ([mine(SIGN_IN), but(OPERATOR, 2, user=OTHER)], OFF),
}
EVERYTHING = (
    *("sign-in", "sign-in, own name only", "operator", "all three"),
    *("another by the directory, then an operator", "second Slack user, then an operator"),
)
"""The links that allow all that the role does."""
LIMITED: Mapping[str, str] = {
    "operator, own name only": "ynnnnnn",
    "directory": "ynnnnnn",
    "directory that acts": "yyyyyyn",
    "directory that acts, own name only": "ynnnnnn",
}
"""The links that allow only some of it."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Every way to be linked with every role: 341 rows. Where one of both says no, the answer is no."""
    for link in LINKS:
        allowed = ALL if link in EVERYTHING else LIMITED.get(link, NOBODY)
        for role, by_role in BY_ROLE.items():
            both = zip(allowed, by_role, strict=True)
            yield link, role, "".join("y" if pair == ("y", "y") else "n" for pair in both)


@pytest.mark.parametrize(("link", "role", "expected"), list(rows()))
def test_who_may_do_what(link: str, role: str, expected: str) -> None:
    claims, options = LINKS[link]
    alert = ASSIGNED if role == "assignee" else None
    rights = rights_of(ROLES[role], alert, delegated=False)
    found = "".join("y" if may(claims, options, rights, action) else "n" for action in ACTIONS)
    assert found == expected


def may(claims: list[IdentityClaim], options: Options, rights: Rights, action: str) -> bool:
    """Whether the person may do it, as the flows put the rules together."""
    standing = decide(claims).get(ME)
    if not isinstance(standing, Linked) or standing.account != ANA:
        return False
    if action == "look_up":
        return source_obstacle(standing.source, Deed.LOOK_UP, options) is None and rights.view
    control = next(one for one in CONTROLS if one.id == action)
    if source_obstacle(standing.source, control.deed, options) is not None:
        return False
    if control.deed is Deed.APPROVE:
        return rights.view_by_role
    return rights.allow(control.needs)


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "look_up"])
def test_while_github_can_t_be_asked_only_what_changes_nothing_there_goes_on(action: str) -> None:
    control = next(one for one in CONTROLS if one.id == action)
    allowed = control.works_offline and UNPROVEN.allow(control.needs)
    assert allowed is (action == "take")


@pytest.mark.parametrize("source", [None, *IdentitySource])
@pytest.mark.parametrize("deed", Deed)
def test_a_source_that_is_not_known_is_never_enough(source: IdentitySource | None, deed: Deed) -> None:
    """A word of a later version, and options that allow as much as they can."""
    if source is None:
        assert source_obstacle(source, deed, ACTS) == "not_linked"
    if source is DIRECTORY and deed is Deed.APPROVE:
        assert source_obstacle(source, deed, ACTS) == "directory_alone"


def test_each_control_acts_or_approves() -> None:
    approving = {control.id for control in CONTROLS if control.deed is Deed.APPROVE}
    assert approving == {"approve_report", "deny_report"}
    assert all(control.deed is not Deed.LOOK_UP for control in CONTROLS)
    assert {control.id for control in CONTROLS if control.needs is Need.RESOLVE} == {"close_as", "reopen"}
