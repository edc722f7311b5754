"""Which Slack user and GitHub account the directory joins, by their addresses and by the pairs made before."""

from dataclasses import replace

import pytest

from bot.rules.directory_match import (
    Member,
    PersonState,
    Plan,
    Result,
    SlackPerson,
    fold,
    hash_of,
    match,
)
from storage.records import Account, DirectoryPair, GitHubId, SlackTeamId, SlackUserId, Suspension

DOMAINS = ("octo.example", "octo.test")
ANA, BO, CY = "U0ANA", "U0BO", "U0CY"
X, Y = 1001, 1002
CHANGED, SECOND, LEFT = Suspension.DIRECTORY_CHANGED, Suspension.AMBIGUOUS, Suspension.LEFT
UNLINKED = Suspension.UNLINKED


@pytest.mark.parametrize(
    ("address", "folded"),
    [
        ("ana@octo.example", "ana@octo.example"),
        ("Ana.Ruiz+git@OCTO.Example", "ana.ruiz+git@octo.example"),
        ("ana@octo.test", "ana@octo.test"),
        ("ana@sub.octo.example", None),
        ("ana@octo.example.", None),
        ("ana@octo.example.evil.test", None),
        ("ana@evil-octo.example", None),
        ("ana@evil.test@octo.example", None),
        ("ana@octo.example@evil.test", None),
        ('"ana@octo.example"@evil.test', None),
        ("ana\uff20octo.example", None),
        ("ana@\u043ecto.example", None),  # A Cyrillic letter that looks like an o.
        ("ana@octo\u3002example", None),
        ("\u00e1na@octo.example", None),
        ("ana@octo.example\u200b", None),
        ("ana@octo.example\n", None),
        (" ana@octo.example", None),
        ("ana @octo.example", None),
        ("ana\0@octo.example", None),
        ("@octo.example", None),
        ("octo.example", None),
        ("ana@", None),
        ("", None),
        (None, None),
    ],
)
def test_only_an_address_in_exactly_a_listed_domain_counts(address: str | None, folded: str | None) -> None:
    assert fold(address, DOMAINS) == folded


def test_plus_and_dots_are_kept() -> None:
    """What they mean differs from server to server."""
    assert len({fold(f"{name}@octo.example", DOMAINS) for name in ("ana.r", "anar", "ana.r+git")}) == 3


def person(
    user: str = ANA,
    address: str | None = "ana@octo.example",
    *,
    confirmed: bool = True,
    state: PersonState = PersonState.ACTIVE,
) -> SlackPerson:
    return SlackPerson(SlackUserId(user), state, address, confirmed)


def member(number: int = X, *addresses: str, login: str | None = None) -> Member:
    account = Account(GitHubId(number), login or f"login-{number}")
    return Member(account, "saml", addresses or ("ana@octo.example",))


def pair(
    user: str = ANA,
    number: int = X,
    address: str = "ana@octo.example",
    *,
    suspension: str | None = None,
) -> DirectoryPair:
    account = Account(GitHubId(number), f"login-{number}")
    suspended_at = 5.0 if suspension else None
    team = SlackTeamId("T0OCTO")
    hashed = hash_of(address)
    return DirectoryPair(team, SlackUserId(user), account, "saml", hashed, 1.0, 2.0, suspended_at, suspension)


def found(plan: Plan) -> list[tuple[str, str, str | None]]:
    """Who, the result, and the account's number or the reason."""
    return [
        (
            one.user,
            one.result.value,
            str(one.account.id) if one.result is Result.MATCHED and one.account else one.reason,
        )
        for one in plan.findings
    ]


def run(people: list[SlackPerson], members: list[Member], *pairs: DirectoryPair) -> Plan:
    return match(people, members, pairs, DOMAINS)


GONE, GUEST = PersonState.GONE, PersonState.GUEST


@pytest.mark.parametrize(
    ("people", "members", "results"),
    [
        ([person()], [member()], [(ANA, "matched", "1001")]),
        ([person()], [member(X, "ANA@octo.example", "other@elsewhere.test")], [(ANA, "matched", "1001")]),
        ([person()], [], [(ANA, "none", "no_account")]),
        ([person()], [member(X, "ana+git@octo.example")], [(ANA, "none", "no_account")]),
        ([person(address=None)], [member()], [(ANA, "none", "no_address")]),
        ([person(address="ana")], [member()], [(ANA, "none", "not_an_address")]),
        (
            [person(address="ana@elsewhere.test")],
            [member(X, "ana@elsewhere.test")],
            [(ANA, "none", "other_domain")],
        ),
        ([person(confirmed=False)], [member()], [(ANA, "none", "not_confirmed")]),
        ([person(state=GUEST)], [member()], [(ANA, "none", "guest")]),
        ([person(state=GONE)], [member()], []),
        # Unique on both sides, over people who left as well.
        (
            [person(), person(BO, "ANA@octo.example")],
            [member()],
            [(ANA, "ambiguous", "several_people"), (BO, "ambiguous", "several_people")],
        ),
        ([person(), person(BO, state=GONE)], [member()], [(ANA, "ambiguous", "several_people")]),
        (
            [person(), person(BO, state=GUEST)],
            [member()],
            [(ANA, "ambiguous", "several_people"), (BO, "none", "guest")],
        ),
        (
            [person(), person(BO, confirmed=False)],
            [member()],
            [(ANA, "ambiguous", "several_people"), (BO, "none", "not_confirmed")],
        ),
        ([person()], [member(X), member(Y)], [(ANA, "ambiguous", "several_accounts")]),
        (
            [person(), person(BO, "bo@octo.example")],
            [member(X, "ana@octo.example", "bo@octo.example")],
            [(ANA, "ambiguous", "several_people"), (BO, "ambiguous", "several_people")],
        ),
        # Two organizations show one account.
        ([person()], [member(X), member(X)], [(ANA, "matched", "1001")]),
        (
            [person(), person(BO, "bo@octo.test")],
            [member(X), member(Y, "bo@octo.test")],
            [(ANA, "matched", "1001"), (BO, "matched", "1002")],
        ),
    ],
)
def test_a_pair_needs_one_confirmed_address_that_is_unique_on_both_sides(
    people: list[SlackPerson], members: list[Member], results: list[tuple[str, str, str | None]]
) -> None:
    plan = run(people, members)
    assert found(plan) == results
    assert sorted(one.user for one in plan.new) == sorted(
        user for user, what, _ in results if what == "matched"
    )
    assert not plan.suspended
    assert not plan.loses_too_many


MOVED = person(BO, "ana@octo.example")
"""Slack's admin gave Ana's address to Bo."""


@pytest.mark.parametrize(
    ("people", "members", "pairs", "result", "suspended", "new"),
    [
        # Nothing has changed.
        ([person()], [member()], [pair()], (ANA, "matched", "1001"), [], []),
        # The address changed, in Slack or in the directory.
        (
            [person(address="ana.ruiz@octo.example")],
            [member()],
            [pair()],
            (ANA, "suspended", CHANGED),
            [(ANA, X, CHANGED)],
            [],
        ),
        (
            [person(address="ruiz@octo.example")],
            [member(X, "ana@octo.example", "ruiz@octo.example")],
            [pair()],
            (ANA, "suspended", CHANGED),
            [(ANA, X, CHANGED)],
            [],
        ),
        (
            [person()],
            [member(X, "ruiz@octo.example")],
            [pair()],
            (ANA, "suspended", CHANGED),
            [(ANA, X, CHANGED)],
            [],
        ),
        ([person(address=None)], [member()], [pair()], (ANA, "suspended", CHANGED), [(ANA, X, CHANGED)], []),
        (
            [person(confirmed=False)],
            [member()],
            [pair()],
            (ANA, "suspended", CHANGED),
            [(ANA, X, CHANGED)],
            [],
        ),
        # It is back: an operator decides all the same.
        ([person()], [member()], [pair(suspension=CHANGED)], (ANA, "suspended", CHANGED), [], []),
        # An address that Slack's admin moved to another account.
        (
            [person(address="ana2@octo.example"), MOVED],
            [member()],
            [pair()],
            (ANA, "suspended", SECOND),
            [(ANA, X, SECOND)],
            [(BO, X, SECOND)],
        ),
        ([MOVED], [member()], [pair()], (BO, "suspended", SECOND), [(ANA, X, SECOND)], [(BO, X, SECOND)]),
        # A leaver's address is used again.
        (
            [person(state=GONE, address=None), MOVED],
            [member()],
            [pair(suspension=LEFT)],
            (BO, "suspended", SECOND),
            [],
            [(BO, X, SECOND)],
        ),
        # A second person with the address.
        (
            [person(), person(BO, "ana@octo.example", state=GONE)],
            [member()],
            [pair()],
            (ANA, "suspended", SECOND),
            [(ANA, X, SECOND)],
            [],
        ),
        # A second account with the address, as a login that somebody registered again.
        ([person()], [member(X), member(Y)], [pair()], (ANA, "suspended", SECOND), [(ANA, X, SECOND)], []),
        (
            [person()],
            [member(Y, login="login-1001")],
            [pair()],
            (ANA, "suspended", SECOND),
            [(ANA, X, SECOND)],
            [(ANA, Y, SECOND)],
        ),
        # Leavers.
        ([], [member()], [pair()], None, [(ANA, X, LEFT)], []),
        ([person(state=GONE)], [member()], [pair()], None, [(ANA, X, LEFT)], []),
        ([person(state=GUEST)], [member()], [pair()], (ANA, "none", "guest"), [(ANA, X, LEFT)], []),
        ([person()], [], [pair()], (ANA, "none", "no_account"), [(ANA, X, LEFT)], []),
        # The operator took the domain away.
        (
            [person(address="ana@former.example")],
            [member(X, "ana@former.example")],
            [pair(address="ana@former.example")],
            (ANA, "none", "other_domain"),
            [(ANA, X, LEFT)],
            [],
        ),
        # Back with the same ids and the same address: pinned anew. With another address: not.
        ([person()], [member()], [pair(suspension=LEFT)], (ANA, "matched", "1001"), [], [(ANA, X, None)]),
        (
            [person(address="ruiz@octo.example")],
            [member(X, "ruiz@octo.example")],
            [pair(suspension=LEFT)],
            (ANA, "suspended", CHANGED),
            [],
            [],
        ),
        # Somebody unlinked it.
        ([person()], [member()], [pair(suspension=UNLINKED)], (ANA, "none", UNLINKED), [], []),
        ([], [], [pair(suspension=UNLINKED)], None, [], []),
        # What was suspended stays so when both sides go and come back.
        ([person()], [member()], [pair(suspension=SECOND)], (ANA, "suspended", SECOND), [], []),
        (
            [person()],
            [member()],
            [pair(suspension=LEFT), pair(BO, suspension=LEFT)],
            (ANA, "suspended", SECOND),
            [],
            [(ANA, X, SECOND)],
        ),
    ],
)
def test_a_pair_is_pinned_when_it_is_first_made(
    people: list[SlackPerson],
    members: list[Member],
    pairs: list[DirectoryPair],
    result: tuple[str, str, str | None] | None,
    suspended: list[tuple[str, int, str]],
    new: list[tuple[str, int, str | None]],
) -> None:
    plan = run(people, members, *pairs)
    assert result is None or result in found(plan)
    assert [(one.slack_user, one.github.id, reason) for one, reason in plan.suspended] == suspended
    assert [(one.user, one.member.account.id, one.suspension) for one in plan.new] == new


def test_a_renamed_login_is_no_change() -> None:
    plan = run([person()], [member(login="ana-new")], pair())
    assert found(plan) == [(ANA, "matched", "1001")]
    assert [account.login for account in plan.renamed] == ["ana-new"]


@pytest.mark.parametrize(
    ("held", "lost", "too_many"),
    [
        (1, 1, False),
        (2, 2, False),
        (3, 3, True),
        (4, 3, True),
        (6, 3, False),
        (5000, 2501, True),
        (5000, 2500, False),
    ],
)
def test_losing_more_than_half_of_the_pairs_is_taken_for_a_fault(
    held: int, lost: int, too_many: bool
) -> None:
    names = [f"u{number}@octo.example" for number in range(held)]
    people = [person(f"U{number:05}", name) for number, name in enumerate(names)]
    members = [member(number + 1, name) for number, name in enumerate(names)]
    pairs = [pair(f"U{number:05}", number + 1, name) for number, name in enumerate(names)]
    plan = run(people, members[lost:], *pairs)
    assert plan.loses_too_many is too_many
    assert (plan.held, len(plan.suspended)) == (held, lost)


def test_every_listed_person_has_one_result() -> None:
    people = [person(), person(BO, "bo@octo.example"), person(CY, state=GONE, address=None)]
    plan = run(people, [member()], replace(pair(BO, Y, "bo@octo.example")))
    assert found(plan) == [(ANA, "matched", "1001"), (BO, "none", "no_account")]
    assert {result: plan.count(result) for result in Result} == {
        Result.MATCHED: 1,
        Result.AMBIGUOUS: 0,
        Result.SUSPENDED: 0,
        Result.NONE: 1,
    }
