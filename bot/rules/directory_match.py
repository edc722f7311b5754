"""Decides which Slack user and GitHub account have one confirmed address in an organization's directory.

Only certainty gives a pair. None comes from an address that is not confirmed, that two people or accounts have or
had, or that has changed since the pair was made.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from storage.records import Account, DirectoryPair, GitHubId, SlackUserId, Suspension

FEW = 2
"""Up to this number of pairs can be lost in one sync, whatever part of all they are."""


class PersonState(StrEnum):
    """Whether a Slack user can have a pair."""

    ACTIVE = "active"
    GUEST = "guest"
    GONE = "gone"
    """Deactivated, a bot, or of another organization. Their address still counts against others."""


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """A Slack user with the address that Slack shows."""

    user: SlackUserId
    state: PersonState
    address: str | None = field(repr=False)
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A member's GitHub account with the addresses that its organizations' directories show."""

    account: Account
    kind: str
    """`saml` or `verified_domains`."""
    addresses: tuple[str, ...] = field(repr=False)


class Result(StrEnum):
    """What a sync found about a person."""

    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    SUSPENDED = "suspended"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a sync found about one Slack user, with a word for the reason if there is no pair."""

    user: SlackUserId
    result: Result
    account: Account | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NewPair:
    """A pair to store."""

    user: SlackUserId
    member: Member
    address_hash: str
    suspension: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync changes."""

    findings: tuple[Finding, ...]
    new: tuple[NewPair, ...]
    suspended: tuple[tuple[DirectoryPair, str], ...]
    """Pairs that count no more, and why."""
    renamed: tuple[Account, ...]
    """Accounts of pairs, with their present logins."""
    held: int
    """Pairs that counted before."""

    @property
    def loses_too_many(self) -> bool:
        """Whether more than half of the pairs would be lost at once: that is rather a fault of the directory."""
        return len(self.suspended) > FEW and 2 * len(self.suspended) > self.held

    def count(self, result: Result) -> int:
        return sum(finding.result is result for finding in self.findings)


def fold(address: str | None, domains: Collection[str] | None) -> str | None:
    """The address as it is compared, in lower case; None for what is no address in one of the domains.

    `domains` are in lower case; None stands for every domain. Plus and dots are kept: what they mean differs.
    """
    if address is None or not address.isascii() or not address.isprintable() or " " in address:
        return None
    local, at, domain = address.lower().partition("@")
    if not local or not at or "@" in domain:
        return None
    return f"{local}@{domain}" if domains is None or domain in domains else None


def hash_of(address: str) -> str:
    """Tells whether a folded address has changed, without storing it."""
    return hashlib.sha256(b"stanch directory address\0" + address.encode()).hexdigest()


def match(
    people: Sequence[SlackPerson],
    members: Sequence[Member],
    pairs: Sequence[DirectoryPair],
    domains: Collection[str],
) -> Plan:
    """Compare Slack's people with the directory and with the pairs that were made before.

    A pair is pinned when it is first made: it never moves to another user or account by itself.
    """
    index = _Index(people, members, domains)
    outcomes = {person.user: index.outcome(person) for person in people}
    pinned = _Pins(pairs)
    findings: dict[SlackUserId, Finding] = {}
    new: list[NewPair] = []
    suspended: dict[tuple[SlackUserId, GitHubId], tuple[DirectoryPair, str]] = {}

    def suspend(pair: DirectoryPair, reason: str) -> None:
        if pair.suspension is None:
            suspended.setdefault((pair.slack_user, pair.github.id), (pair, reason))

    # 1. Pairs that the directory shows now.
    for user, shown in outcomes.items():
        if isinstance(shown, Finding):
            findings[user] = shown
            continue
        same, others = pinned.same(shown), pinned.others(shown)
        suspension = _suspension(shown, same, others)
        if suspension in (Suspension.AMBIGUOUS, Suspension.DIRECTORY_CHANGED):
            for pair in (*others, *([same] if same else [])):
                suspend(pair, suspension)
        if same is None or (
            same.suspension == Suspension.LEFT and suspension != Suspension.DIRECTORY_CHANGED
        ):
            new.append(NewPair(user, shown.member, shown.address_hash, suspension))
        findings[user] = _finding(shown, suspension)
    # 2. Pairs that it does not show any more.
    for pair in pairs:
        instead = outcomes.get(pair.slack_user)
        is_shown = isinstance(instead, NewPair) and instead.member.account.id == pair.github.id
        if pair.suspension is None and not is_shown:
            suspend(pair, index.loss(pair, instead))
            reason = suspended[pair.slack_user, pair.github.id][1]
            if reason != Suspension.LEFT:
                findings[pair.slack_user] = Finding(pair.slack_user, Result.SUSPENDED, pair.github, reason)
    renamed = (
        index.accounts[pair.github.id].account
        for pair in pairs
        if pair.github.id in index.accounts and index.accounts[pair.github.id].account != pair.github
    )
    return Plan(
        findings=tuple(findings[person.user] for person in people if person.state is not PersonState.GONE),
        new=tuple(new),
        suspended=tuple(suspended.values()),
        renamed=tuple(dict.fromkeys(renamed)),
        held=sum(pair.suspension is None for pair in pairs),
    )


def _suspension(shown: NewPair, same: DirectoryPair | None, others: Sequence[DirectoryPair]) -> str | None:
    """Why a pair that the directory shows does not count, by the pairs made before; None if it does.

    `same` is that of the same user and account, `others` those of one of them.
    """
    if same is not None and same.suspension not in (None, Suspension.LEFT):
        return same.suspension
    if others:
        return Suspension.AMBIGUOUS
    if same is not None and same.address_hash != shown.address_hash:
        return Suspension.DIRECTORY_CHANGED
    return None


def _finding(shown: NewPair, suspension: str | None) -> Finding:
    if suspension is None:
        return Finding(shown.user, Result.MATCHED, shown.member.account)
    # An unlinked pair waits for no decision.
    result = Result.NONE if suspension == Suspension.UNLINKED else Result.SUSPENDED
    return Finding(shown.user, result, shown.member.account, suspension)


class _Pins:
    """The pairs that were made before, by either side."""

    def __init__(self, pairs: Iterable[DirectoryPair]) -> None:
        self._of_user: dict[SlackUserId, list[DirectoryPair]] = {}
        self._of_account: dict[GitHubId, list[DirectoryPair]] = {}
        for pair in pairs:
            self._of_user.setdefault(pair.slack_user, []).append(pair)
            self._of_account.setdefault(pair.github.id, []).append(pair)

    def same(self, shown: NewPair) -> DirectoryPair | None:
        """The pair of this very user and account."""
        mine = self._of_user.get(shown.user, ())
        return next((pair for pair in mine if pair.github.id == shown.member.account.id), None)

    def others(self, shown: NewPair) -> list[DirectoryPair]:
        """Other pairs of this user or this account, those of leavers among them: an address may be used again."""
        either = (
            *self._of_user.get(shown.user, ()),
            *self._of_account.get(shown.member.account.id, ()),
        )
        same = self.same(shown)
        return [pair for pair in either if pair is not same]


class _Index:
    """Who has which address, on both sides."""

    def __init__(
        self, people: Iterable[SlackPerson], members: Iterable[Member], domains: Collection[str]
    ) -> None:
        self._domains = domains
        self.accounts: dict[GitHubId, Member] = {}
        self._people: dict[SlackUserId, SlackPerson] = {}
        self._users_of: dict[str, set[SlackUserId]] = {}
        self._accounts_of: dict[str, set[GitHubId]] = {}
        self._addresses: dict[GitHubId, set[str]] = {}
        for person in people:
            self._people[person.user] = person
            if (folded := fold(person.address, domains)) is not None:
                self._users_of.setdefault(folded, set()).add(person.user)
        for member in members:
            self.accounts.setdefault(member.account.id, member)
            for address in member.addresses:
                if (folded := fold(address, domains)) is not None:
                    self._accounts_of.setdefault(folded, set()).add(member.account.id)
                    self._addresses.setdefault(member.account.id, set()).add(folded)

    def outcome(self, person: SlackPerson) -> Finding | NewPair:
        """The pair that the directory shows for a person now, or why there is none."""
        reason, address = self._unusable(person)
        if address is None:
            return Finding(person.user, Result.NONE, reason=reason)
        accounts = self._accounts_of.get(address, set())
        if not accounts:
            return Finding(person.user, Result.NONE, reason="no_account")
        if len(accounts) > 1:
            return Finding(person.user, Result.AMBIGUOUS, reason="several_accounts")
        [account] = accounts
        users = set[SlackUserId]().union(*(self._users_of.get(one, ()) for one in self._addresses[account]))
        if len(users) > 1:
            return Finding(person.user, Result.AMBIGUOUS, self.accounts[account].account, "several_people")
        return NewPair(person.user, self.accounts[account], hash_of(address))

    def loss(self, pair: DirectoryPair, outcome: Finding | NewPair | None) -> str:
        """Why the directory does not show a pair any more."""
        person = self._people.get(pair.slack_user)
        if person is None or person.state is not PersonState.ACTIVE or pair.github.id not in self.accounts:
            return Suspension.LEFT
        anywhere = fold(person.address, None)
        is_same = anywhere is not None and hash_of(anywhere) == pair.address_hash
        if is_same and fold(person.address, self._domains) is None:
            # The operator took its domain away.
            return Suspension.LEFT
        is_ambiguous = isinstance(outcome, Finding) and outcome.result is Result.AMBIGUOUS
        return Suspension.AMBIGUOUS if is_ambiguous else Suspension.DIRECTORY_CHANGED

    def _unusable(self, person: SlackPerson) -> tuple[str | None, str | None]:
        """A reason and None, or None and the person's address."""
        address = fold(person.address, self._domains)
        reasons = (
            (person.state is PersonState.GONE, "gone"),
            (person.state is PersonState.GUEST, "guest"),
            (person.address is None, "no_address"),
            (fold(person.address, None) is None, "not_an_address"),
            (address is None, "other_domain"),
            (not person.is_confirmed, "not_confirmed"),
        )
        reason = next((word for holds, word in reasons if holds), None)
        return (reason, None) if reason else (None, address)
