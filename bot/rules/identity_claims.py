"""Decides from what all sources say which Slack user is which GitHub account, and who is suspended. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from storage.records import Account, GitHubId, IdentitySource, SlackUserId, Suspension, UnixTime

STRENGTH = (IdentitySource.SIGN_IN, IdentitySource.OPERATOR, IdentitySource.DIRECTORY)
"""The sources, the strongest first."""

FORGOTTEN = (Suspension.LEFT, Suspension.UNLINKED)
"""Why a pair of the directory is as good as none; it is kept so that it does not come back as a new one."""


@dataclass(frozen=True, slots=True)
class IdentityClaim:
    """What one source says: this Slack user has this GitHub account. All claims are of one workspace."""

    user: SlackUserId
    account: Account
    source: IdentitySource
    since: UnixTime
    suspension: str | None = None
    """Why the source itself gives no rights by it."""

    @property
    def speaks(self) -> bool:
        """Whether it is compared with others: all but suspended pairs of the directory.

        A sign-in that has lapsed still is: nobody gets an account by waiting until another one's sign-in lapses.
        """
        return self.source is not IdentitySource.DIRECTORY or self.suspension is None


@dataclass(frozen=True, slots=True)
class Linked:
    """The link counts."""

    account: Account
    source: IdentitySource


@dataclass(frozen=True, slots=True)
class Suspended:
    """The link gives no rights."""

    account: Account
    source: IdentitySource
    reason: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No link is shown: there is no claim, or another Slack user's link to that account is."""

    reason: str | None = None
    account: Account | None = None


Standing: TypeAlias = Linked | Suspended | Nothing


def decide(claims: Collection[IdentityClaim]) -> dict[SlackUserId, Standing]:
    """The standing of each Slack user in the claims.

    Pass all claims about these users, about the accounts that they name, about the users of those, and so on.
    An operator's link overrules what was said before. Otherwise, sources that disagree about a user or an account
    give no rights to anybody concerned. Where a suspended link is shown for an account, it is the oldest one.
    """
    left = _not_overruled(claims)
    by_user: dict[SlackUserId, list[IdentityClaim]] = defaultdict(list)
    for claim in left:
        by_user[claim.user].append(claim)
    clashes = _clashes(left)
    standings: dict[SlackUserId, Standing] = {claim.user: Nothing() for claim in claims}
    standings.update({user: _standing(mine, clashes) for user, mine in by_user.items()})
    return _one_link_per_account(standings, by_user)


def _not_overruled(claims: Collection[IdentityClaim]) -> list[IdentityClaim]:
    """The claims without those that an operator's later link contradicts on either side."""
    decisions = [claim for claim in claims if claim.source is IdentitySource.OPERATOR]
    return [claim for claim in claims if not any(_overrules(one, claim) for one in decisions)]


def _overrules(decision: IdentityClaim, claim: IdentityClaim) -> bool:
    same_user, same_account = decision.user == claim.user, decision.account.id == claim.account.id
    return same_user != same_account and claim.since <= decision.since


def _clashes(claims: Sequence[IdentityClaim]) -> Mapping[SlackUserId, Suspension]:
    """The users about whom, or about whose accounts, the claims disagree."""
    accounts: dict[SlackUserId, set[GitHubId]] = defaultdict(set)
    users: dict[GitHubId, list[IdentityClaim]] = defaultdict(list)
    for claim in filter(lambda one: one.speaks, claims):
        accounts[claim.user].add(claim.account.id)
        users[claim.account.id].append(claim)
    clashes = {user: Suspension.SOURCES_DISAGREE for user, ids in accounts.items() if len(ids) > 1}
    for mine in users.values():
        if len({claim.user for claim in mine}) > 1:
            signed_in = {claim.user for claim in mine if claim.source is IdentitySource.SIGN_IN}
            reason = Suspension.SIGNED_IN_ELSEWHERE if signed_in else Suspension.SOURCES_DISAGREE
            for claim in mine:
                clashes.setdefault(claim.user, reason)
    return clashes


def _standing(mine: Sequence[IdentityClaim], clashes: Mapping[SlackUserId, Suspension]) -> Standing:
    """The standing by the claims about one user, of which there is at least one."""
    speaking = [claim for claim in mine if claim.speaks]
    if not speaking:
        # The directory alone knows this person, and something is wrong with what it knows.
        left = [claim for claim in mine if claim.suspension not in FORGOTTEN]
        if not left:
            return Nothing()
        oldest = min(left, key=lambda claim: claim.since)
        return Suspended(oldest.account, oldest.source, str(oldest.suspension))
    best = min(speaking, key=lambda claim: STRENGTH.index(claim.source))
    if best.user in clashes:
        oldest = min(speaking, key=lambda claim: claim.since)
        return Suspended(oldest.account, oldest.source, clashes[best.user])
    if best.suspension is not None:
        # Nothing weaker takes its place.
        return Suspended(best.account, best.source, best.suspension)
    return Linked(best.account, best.source)


def _one_link_per_account(
    standings: Mapping[SlackUserId, Standing], by_user: Mapping[SlackUserId, Sequence[IdentityClaim]]
) -> dict[SlackUserId, Standing]:
    """Show one link per account: the one that counts, else the oldest one that is suspended."""

    def order(user: SlackUserId) -> tuple[bool, UnixTime, SlackUserId]:
        oldest = min((claim.since for claim in by_user.get(user, ())), default=0.0)
        return not isinstance(standings[user], Linked), oldest, user

    shown: dict[SlackUserId, Standing] = {}
    held: set[GitHubId] = set()
    for user in sorted(standings, key=order):
        standing = standings[user]
        if isinstance(standing, Suspended) and standing.account.id in held:
            standing = Nothing(standing.reason, standing.account)
        if not isinstance(standing, Nothing):
            held.add(standing.account.id)
        shown[user] = standing
    return shown
