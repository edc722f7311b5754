"""Who is which GitHub account by what all sources say, and who is suspended."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.identity_claims import Contest, IdentityClaim, Linked, Nothing, Standing, Suspended, decide
from storage.records import Account, GitHubId, IdentitySource, SlackUserId, Suspension

ANA, BEN, CLEO = (Account(GitHubId(n), name) for n, name in ((11, "ana"), (12, "ben"), (13, "cleo")))
ACCOUNTS = {account.login: account for account in (ANA, BEN, CLEO)}
SIGN_IN, OPERATOR, DIRECTORY = IdentitySource.SIGN_IN, IdentitySource.OPERATOR, IdentitySource.DIRECTORY
SOURCES = {"sign-in": SIGN_IN, "operator": OPERATOR, "directory": DIRECTORY}
DISAGREE, ELSEWHERE = Suspension.SOURCES_DISAGREE, Suspension.SIGNED_IN_ELSEWHERE


def claim(words: str, since: float = 0.0) -> IdentityClaim:
    """A claim as `U1 ana sign-in`, with the reason of its suspension as a fourth word."""
    user, login, source, *suspension = words.split()
    return IdentityClaim(SlackUserId(user), ACCOUNTS[login], SOURCES[source], since, *suspension)


def decided(*words: str) -> dict[str, str]:
    """The standings by claims that were made one after another: source and login, with a reason if suspended."""
    return {user: shown(standing) for user, standing in decide(in_order(words)).items()}


def in_order(words: tuple[str, ...]) -> list[IdentityClaim]:
    return [claim(one, since) for since, one in enumerate(words, 1)]


def shown(standing: Standing) -> str:
    names = {source: name for name, source in SOURCES.items()}
    match standing:
        case Linked(account, source):
            return f"{account.login} by {names[source]}"
        case Suspended(account, _, reason):
            return f"{account.login} suspended: {reason}"
        case Nothing(None):
            return "nothing"
        case Nothing(reason, account):
            return f"nothing: {reason}"


ONE_SOURCE = [
    (["U1 ana sign-in"], {"U1": "ana by sign-in"}),
    (["U1 ana operator"], {"U1": "ana by operator"}),
    (["U1 ana directory"], {"U1": "ana by directory"}),
    (["U1 ana sign-in token_refused"], {"U1": "ana suspended: token_refused"}),
    (["U1 ana sign-in lapsed"], {"U1": "ana suspended: lapsed"}),
    (["U1 ana directory directory_changed"], {"U1": "ana suspended: directory_changed"}),
    # Somebody who unlinked themselves is not shown as suspended, and does not come back by the directory.
    (["U1 ana directory unlinked"], {"U1": "nothing"}),
    # A leaver.
    (["U1 ana directory left"], {"U1": "nothing"}),
    (["U1 ben directory left", "U1 ana directory ambiguous"], {"U1": "ana suspended: ambiguous"}),
    (["U1 ben directory left", "U1 ana directory"], {"U1": "ana by directory"}),
]
AGREEING = [
    (["U1 ana operator", "U1 ana sign-in"], {"U1": "ana by sign-in"}),
    (["U1 ana sign-in", "U1 ana operator"], {"U1": "ana by sign-in"}),
    (["U1 ana directory", "U1 ana operator"], {"U1": "ana by operator"}),
    (["U1 ana directory", "U1 ana sign-in"], {"U1": "ana by sign-in"}),
    (["U1 ana directory", "U1 ana operator", "U1 ana sign-in"], {"U1": "ana by sign-in"}),
    # A source that gives no rights any more is not replaced by a weaker one, however new that is.
    (["U1 ana directory", "U1 ana sign-in token_refused"], {"U1": "ana suspended: token_refused"}),
    (["U1 ana sign-in lapsed", "U1 ana directory"], {"U1": "ana suspended: lapsed"}),
    (["U1 ana operator", "U1 ana sign-in lapsed"], {"U1": "ana suspended: lapsed"}),
    (["U1 ana sign-in token_refused", "U1 ana operator"], {"U1": "ana suspended: token_refused"}),
    # A suspended pair of the directory takes nothing from a better source.
    (["U1 ana directory directory_changed", "U1 ana sign-in"], {"U1": "ana by sign-in"}),
    (["U1 ana directory unlinked", "U1 ana operator"], {"U1": "ana by operator"}),
]
ABOUT_THE_USER = [
    # Which account is theirs? An operator who comes last decides; nobody else does.
    (["U1 ana operator", "U1 ben sign-in"], {"U1": f"ana suspended: {DISAGREE}"}),
    (["U1 ben sign-in", "U1 ana operator"], {"U1": "ana by operator"}),
    (["U1 ana directory", "U1 ben sign-in"], {"U1": f"ana suspended: {DISAGREE}"}),
    (["U1 ben sign-in", "U1 ana directory"], {"U1": f"ben suspended: {DISAGREE}"}),
    (["U1 ana directory", "U1 ben operator"], {"U1": "ben by operator"}),
    (["U1 ben operator", "U1 ana directory"], {"U1": f"ben suspended: {DISAGREE}"}),
    (["U1 ana directory", "U1 ben directory"], {"U1": f"ana suspended: {DISAGREE}"}),
    (["U1 ana directory", "U1 ben sign-in", "U1 ben operator"], {"U1": "ben by sign-in"}),
    (["U1 ana directory", "U1 ben sign-in", "U1 cleo operator"], {"U1": "cleo by operator"}),
    (["U1 ana directory ambiguous", "U1 ben sign-in"], {"U1": "ben by sign-in"}),
    # A lapsed sign-in still disagrees.
    (["U1 ben sign-in lapsed", "U1 ana directory"], {"U1": f"ben suspended: {DISAGREE}"}),
    (["U1 ben sign-in lapsed", "U1 ana operator"], {"U1": "ana by operator"}),
]
ABOUT_THE_ACCOUNT = [
    # A second Slack user: the newcomer gets nothing, and the first link is suspended.
    (
        ["U1 ana sign-in", "U2 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U2 ana sign-in", "U1 ana sign-in"],
        {"U2": f"ana suspended: {ELSEWHERE}", "U1": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U1 ana operator", "U2 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U1 ana directory", "U2 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U1 ana sign-in", "U2 ana directory"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U1 ana operator", "U2 ana directory"],
        {"U1": f"ana suspended: {DISAGREE}", "U2": f"nothing: {DISAGREE}"},
    ),
    (
        ["U1 ana directory", "U2 ana directory"],
        {"U1": f"ana suspended: {DISAGREE}", "U2": f"nothing: {DISAGREE}"},
    ),
    # An operator decides for either.
    (["U1 ana sign-in", "U2 ana sign-in", "U1 ana operator"], {"U1": "ana by sign-in", "U2": "nothing"}),
    (["U1 ana sign-in", "U2 ana sign-in", "U2 ana operator"], {"U1": "nothing", "U2": "ana by sign-in"}),
    (["U1 ana directory", "U2 ana operator"], {"U1": "nothing", "U2": "ana by operator"}),
    (["U1 ana sign-in", "U2 ana operator"], {"U1": "nothing", "U2": "ana by operator"}),
    # After that, what comes new disagrees again.
    (
        ["U1 ana operator", "U2 ana sign-in", "U1 ana operator", "U3 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": "nothing", "U3": f"nothing: {ELSEWHERE}"},
    ),
    # Nobody gets an account by waiting until another one's sign-in lapses or is refused.
    (
        ["U1 ana sign-in lapsed", "U2 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    (
        ["U1 ana sign-in token_refused", "U2 ana sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
    ),
    # What the directory itself no longer vouches for stops nobody.
    (
        ["U1 ana directory directory_changed", "U2 ana sign-in"],
        {"U1": "nothing: directory_changed", "U2": "ana by sign-in"},
    ),
    (["U1 ana directory left", "U2 ana directory"], {"U1": "nothing", "U2": "ana by directory"}),
    (["U1 ana directory unlinked", "U2 ana sign-in"], {"U1": "nothing", "U2": "ana by sign-in"}),
]
LONGER = [
    # U2's own other claim is overruled, so that it stops U1 no more.
    (
        ["U2 ana sign-in", "U1 ana sign-in", "U2 ben operator"],
        {"U1": "ana by sign-in", "U2": "ben by operator"},
    ),
    # A chain: U1 and U2 disagree about ana, U2 and U3 about ben.
    (
        ["U1 ana operator", "U3 ben sign-in", "U2 ana sign-in", "U2 ben directory"],
        {
            "U1": f"ana suspended: {ELSEWHERE}",
            "U2": f"nothing: {DISAGREE}",
            "U3": f"ben suspended: {ELSEWHERE}",
        },
    ),
    # Two people's links were made crosswise, and an operator corrects both.
    (
        ["U1 ben directory", "U2 ana directory", "U1 ana operator", "U2 ben operator"],
        {"U1": "ana by operator", "U2": "ben by operator"},
    ),
    # Others are not concerned.
    (
        ["U1 ana sign-in", "U2 ana sign-in", "U3 cleo sign-in"],
        {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}", "U3": "cleo by sign-in"},
    ),
    ([], {}),
]


@pytest.mark.parametrize(
    ("claims", "expected"), [*ONE_SOURCE, *AGREEING, *ABOUT_THE_USER, *ABOUT_THE_ACCOUNT, *LONGER]
)
def test_standings(claims: list[str], expected: dict[str, str]) -> None:
    assert decided(*claims) == expected


CONTEST = {SlackUserId("U1"): Contest(ANA, ELSEWHERE, 2.0, 1.0)}
"""U1's link to ana was suspended at the time 2."""


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        # The other one has unlinked: that is no decision.
        ([("U1 ana operator", 1)], {"U1": f"ana suspended: {ELSEWHERE}"}),
        ([("U1 ana sign-in", 1)], {"U1": f"ana suspended: {ELSEWHERE}"}),
        # U1 signs in again, to the same account or another one.
        ([("U1 ana sign-in", 3)], {"U1": f"ana suspended: {ELSEWHERE}"}),
        ([("U1 ben sign-in", 3)], {"U1": f"ana suspended: {DISAGREE}"}),
        # U1 has unlinked, and nothing is left of the link but the contest.
        ([], {"U1": f"ana suspended: {ELSEWHERE}"}),
        ([("U2 ana sign-in", 3)], {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"}),
        # What the directory had of it counts no more, so it does not stand in the way of the contest.
        (
            [("U1 ana directory unlinked", 1), ("U2 ana sign-in", 3)],
            {"U1": f"ana suspended: {ELSEWHERE}", "U2": f"nothing: {ELSEWHERE}"},
        ),
        ([("U1 ana directory left", 1)], {"U1": f"ana suspended: {ELSEWHERE}"}),
        # An operator decides for either, or takes either elsewhere; not by what they said before.
        ([("U1 ana operator", 2)], {"U1": "ana by operator"}),
        ([("U1 ana sign-in", 1), ("U1 ana operator", 3)], {"U1": "ana by sign-in"}),
        ([("U2 ana operator", 3)], {"U2": "ana by operator"}),
        ([("U1 ben operator", 3)], {"U1": "ben by operator"}),
        ([("U3 cleo operator", 3)], {"U1": f"ana suspended: {ELSEWHERE}", "U3": "cleo by operator"}),
    ],
)
def test_a_contest_lasts_until_an_operator_decides(
    claims: list[tuple[str, float]], expected: dict[str, str]
) -> None:
    found = decide([claim(words, since) for words, since in claims], CONTEST)
    assert {user: shown(standing) for user, standing in found.items()} == expected


def test_the_order_in_which_claims_are_read_does_not_matter() -> None:
    words = ("U1 ana operator", "U3 ben sign-in", "U2 ana sign-in", "U2 ben directory")
    expected = decide(in_order(words))
    assert all(decide(order) == expected for order in permutations(in_order(words)))


CLAIMS = st.lists(
    st.builds(
        IdentityClaim,
        st.sampled_from([SlackUserId(f"U{n}") for n in range(4)]),
        st.sampled_from([ANA, BEN, CLEO]),
        st.sampled_from(IdentitySource),
        st.integers(0, 5).map(float),
        st.none() | st.sampled_from(Suspension).map(str),
    ),
    max_size=8,
)


@given(CLAIMS)
def test_links_are_one_to_one_and_each_has_a_source_that_nothing_contradicts(
    claims: list[IdentityClaim],
) -> None:
    standings = decide(claims)
    held = [standing.account.id for standing in standings.values() if not isinstance(standing, Nothing)]
    assert len(held) == len(set(held))
    for user, standing in standings.items():
        if not isinstance(standing, Linked):
            continue
        mine = [one for one in claims if (one.user, one.account) == (user, standing.account)]
        assert any(one.source is standing.source and one.suspension is None for one in mine)
        decisions = [one.since for one in mine if one.source is OPERATOR]
        for other in claims:
            if (other.user == user) != (other.account == standing.account) and other.is_compared:
                overruled = any(other.since <= at for at in decisions)
                # Or by another decision, which took that user or that account elsewhere.
                elsewhere = any(
                    one.source is OPERATOR
                    and (one.user == other.user) != (one.account == other.account)
                    and other.since <= one.since
                    for one in claims
                )
                assert overruled or elsewhere


@given(CLAIMS)
def test_the_directory_never_gives_what_a_sign_in_or_an_operator_denies(claims: list[IdentityClaim]) -> None:
    for user, standing in decide(claims).items():
        if isinstance(standing, Linked) and standing.source is DIRECTORY:
            left = [one for one in claims if one.user == user and one.source is not DIRECTORY]
            # Only what an operator overruled is left.
            assert all(
                any(
                    one.source is OPERATOR
                    and (one.user == other.user) != (one.account == other.account)
                    and other.since <= one.since
                    for one in claims
                )
                for other in left
            )
