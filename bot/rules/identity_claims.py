"""Decides from the claims of all sources which Slack user has which GitHub account, and who is suspended. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from storage.records import Account, GitHubId, IdentitySource, SlackUserId, Suspension, UnixTime

CONTESTED = (Suspension.SOURCES_DISAGREE, Suspension.SIGNED_IN_ELSEWHERE)
"""The suspensions that last until an operator decides, even if the sources agree again."""
STRENGTH = (IdentitySource.SIGN_IN, IdentitySource.OPERATOR, IdentitySource.DIRECTORY)
"""The sources, the strongest first."""

FORGOTTEN = (Suspension.LEFT, Suspension.UNLINKED)
"""The suspensions of a directory's pair that counts as deleted: it is kept, so as not to come back as a new one."""


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
    def is_compared(self) -> bool:
        """Whether it is compared with other claims: all are, but for suspended pairs of the directory.

        So is a lapsed sign-in: nobody gets an account by waiting until another person's sign-in lapses.
        """
        return self.source is not IdentitySource.DIRECTORY or self.suspension is None


@dataclass(frozen=True, slots=True)
class Contest:
    """That sources have disagreed about a stored link, and no operator has decided since."""

    account: Account
    reason: str
    since: UnixTime
    linked_at: UnixTime
    """When the link was made."""


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
    """No link is shown: there is no claim, or another Slack user's link to the account is shown."""

    reason: str | None = None
    account: Account | None = None


Standing: TypeAlias = Linked | Suspended | Nothing


def decide(
    claims: Collection[IdentityClaim], contests: Mapping[SlackUserId, Contest] | None = None
) -> dict[SlackUserId, Standing]:
    """The standing of each Slack user in the claims.

    Pass all claims about these users, about the accounts that they name, about the users of those, and so on. An
    operator's link overrules earlier claims that contradict it. Other sources that disagree about a user or an
    account give no rights to anybody concerned. That stays so when one of them withdraws its claim: `contests` has
    the links about which they disagreed. Of several suspended links to one account, the oldest one is shown.
    """
    left = _not_overruled(claims)
    open_ones = _undecided(claims, contests or {})
    left += [
        IdentityClaim(user, contest.account, IdentitySource.SIGN_IN, contest.linked_at, contest.reason)
        for user, contest in open_ones.items()
        if not any(
            claim.is_compared and (claim.user, claim.account.id) == (user, contest.account.id)
            for claim in left
        )
    ]
    by_user: dict[SlackUserId, list[IdentityClaim]] = defaultdict(list)
    for claim in left:
        by_user[claim.user].append(claim)
    clashes = _clashes(left)
    standings: dict[SlackUserId, Standing] = {claim.user: Nothing() for claim in claims}
    for user, mine in by_user.items():
        standing = _standing(mine, clashes)
        if user in open_ones and isinstance(standing, Linked):
            standing = Suspended(standing.account, standing.source, open_ones[user].reason)
        standings[user] = standing
    return _one_link_per_account(standings, by_user, open_ones)


def _not_overruled(claims: Collection[IdentityClaim]) -> list[IdentityClaim]:
    """The claims without those that an operator's later link contradicts on either side."""
    decisions = [claim for claim in claims if claim.source is IdentitySource.OPERATOR]
    return [claim for claim in claims if not any(_overrules(one, claim) for one in decisions)]


def _undecided(
    claims: Collection[IdentityClaim], contests: Mapping[SlackUserId, Contest]
) -> dict[SlackUserId, Contest]:
    """The contests after which no operator has made a link of the Slack user or the account."""
    decisions = [claim for claim in claims if claim.source is IdentitySource.OPERATOR]
    return {
        user: contest
        for user, contest in contests.items()
        if not any(
            one.since >= contest.since and (one.user == user or one.account.id == contest.account.id)
            for one in decisions
        )
    }


def _overrules(decision: IdentityClaim, claim: IdentityClaim) -> bool:
    same_user, same_account = decision.user == claim.user, decision.account.id == claim.account.id
    return same_user != same_account and claim.since <= decision.since


def _clashes(claims: Sequence[IdentityClaim]) -> Mapping[SlackUserId, Suspension]:
    """The users about whom, or about whose accounts, the claims disagree."""
    accounts: dict[SlackUserId, set[GitHubId]] = defaultdict(set)
    users: dict[GitHubId, list[IdentityClaim]] = defaultdict(list)
    for claim in filter(lambda one: one.is_compared, claims):
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
    compared = [claim for claim in mine if claim.is_compared]
    if not compared:
        # The directory alone knows this person, and something is wrong with what it knows.
        left = [claim for claim in mine if claim.suspension not in FORGOTTEN]
        if not left:
            return Nothing()
        oldest = min(left, key=lambda claim: claim.since)
        return Suspended(oldest.account, oldest.source, str(oldest.suspension))
    best = min(compared, key=lambda claim: STRENGTH.index(claim.source))
    if best.user in clashes:
        oldest = min(compared, key=lambda claim: claim.since)
        return Suspended(oldest.account, oldest.source, clashes[best.user])
    if best.suspension is not None:
        # Nothing weaker takes its place.
        return Suspended(best.account, best.source, best.suspension)
    return Linked(best.account, best.source)


def _one_link_per_account(
    standings: Mapping[SlackUserId, Standing],
    by_user: Mapping[SlackUserId, Sequence[IdentityClaim]],
    contests: Collection[SlackUserId],
) -> dict[SlackUserId, Standing]:
    """Show one link per account: the one that counts, else the contested one, else the oldest suspended one."""

    def order(user: SlackUserId) -> tuple[bool, bool, UnixTime, SlackUserId]:
        oldest = min((claim.since for claim in by_user.get(user, ())), default=0.0)
        return not isinstance(standings[user], Linked), user not in contests, oldest, user

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
