"""Loads the claims of all sources about some people and accounts, and about those that these claims name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot.rules.identity_claims import CONTESTED, Contest, IdentityClaim
from storage import directory_pairs, identities, operator_links, sign_ins
from storage.db import Tx
from storage.records import (
    Account,
    GitHubId,
    Identity,
    IdentitySource,
    OperatorLink,
    SlackTeamId,
    SlackUserId,
    UnixTime,
)


@dataclass(frozen=True, slots=True)
class KnownClaims:
    """The claims, and the stored identities of the same people and accounts."""

    claims: list[IdentityClaim] = field(default_factory=list)
    identities: dict[SlackUserId, Identity] = field(default_factory=dict)
    operators: dict[SlackUserId, OperatorLink] = field(default_factory=dict)
    """The links by operators; `claims` has them too."""
    links_apart: set[SlackUserId] = field(default_factory=set)
    """The users whose link by an operator has a row of its own, since the identity rests on another source."""

    def of(self, user: SlackUserId) -> list[IdentityClaim]:
        """The claims about a Slack user."""
        return [claim for claim in self.claims if claim.user == user]

    def contests(self) -> dict[SlackUserId, Contest]:
        """The stored links about which sources have disagreed."""
        return {
            user: Contest(
                stored.github, stored.suspension, stored.suspended_at or stored.linked_at, stored.linked_at
            )
            for user, stored in self.identities.items()
            if stored.suspension in CONTESTED
        }

    def others(self, user: SlackUserId, account: Account) -> tuple[SlackUserId, ...]:
        """The other Slack users whom a source joins to a GitHub account."""
        return tuple(sorted({c.user for c in self.claims if c.account.id == account.id} - {user}))

    def since(self, user: SlackUserId, account: Account, source: IdentitySource) -> UnixTime:
        """Since when a link counts. An operator's decision about a sign-in counts too: it may be later."""
        mine = [claim for claim in self.of(user) if claim.account.id == account.id]
        counting = [claim.since for claim in mine if claim.source is source]
        if source is IdentitySource.SIGN_IN:
            counting += [claim.since for claim in mine if claim.source is IdentitySource.OPERATOR]
        # Without such a claim, the link is stored because of a contest alone.
        return max(counting, default=self.identities[user].linked_at if user in self.identities else 0.0)

    def with_operators(
        self, links: Sequence[OperatorLink], unlinked: Collection[SlackUserId]
    ) -> "KnownClaims":
        """The same after operators made and removed these links; a link replaces others of its user or account."""
        users = {*unlinked, *(link.slack_user for link in links)}
        accounts = {link.github.id for link in links}
        operators = {
            user: link
            for user, link in self.operators.items()
            if user not in users and link.github.id not in accounts
        }
        operators.update({link.slack_user: link for link in links})
        others = [claim for claim in self.claims if claim.source is not IdentitySource.OPERATOR]
        claims = [*others, *map(_claim_of, operators.values())]
        return KnownClaims(claims, self.identities, operators, self.links_apart)


async def load_claims(
    tx: Tx, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> KnownClaims:
    """All claims about these, about the accounts and users that those claims name, and so on."""
    known = KnownClaims()
    seen_users, seen_accounts = set[SlackUserId](), set[GitHubId]()
    new_users, new_accounts = set(users), set(accounts)
    found: dict[tuple[SlackUserId, GitHubId, IdentitySource], IdentityClaim] = {}
    while new_users or new_accounts:
        for claim in await _concerning(tx, team, new_users, new_accounts, known):
            found[claim.user, claim.account.id, claim.source] = claim
        seen_users |= new_users
        seen_accounts |= new_accounts
        new_users = {*known.identities, *(claim.user for claim in found.values())} - seen_users
        linked = (identity.github.id for identity in known.identities.values())
        new_accounts = {*linked, *(claim.account.id for claim in found.values())} - seen_accounts
    known.claims.extend(found.values())
    return known


async def _concerning(
    tx: Tx,
    team: SlackTeamId,
    users: Collection[SlackUserId],
    accounts: Collection[GitHubId],
    known: KnownClaims,
) -> list[IdentityClaim]:
    """The claims about these and no others; identities and operators' links are added to `known`."""
    where = (tx, team, users, accounts)
    for identity in await identities.concerning(*where):
        known.identities[identity.slack_user] = identity
        if identity.source is IdentitySource.OPERATOR:
            # The link is stored in the identity that rests on it, as by version 0.1.0.
            known.operators[identity.slack_user] = OperatorLink(
                team, identity.slack_user, identity.github, identity.linked_at, identity.linked_by
            )
    for link in await operator_links.concerning(*where):
        known.links_apart.add(link.slack_user)
        known.operators[link.slack_user] = link
    claims = [_claim_of(link) for link in known.operators.values()]
    claims += [
        IdentityClaim(one.slack_user, one.github, IdentitySource.SIGN_IN, one.signed_in_at, one.suspension)
        for one in await sign_ins.concerning(*where)
    ]
    claims += [
        IdentityClaim(one.slack_user, one.github, IdentitySource.DIRECTORY, one.first_seen_at, one.suspension)
        for one in await directory_pairs.concerning(*where)
    ]
    return claims


def _claim_of(link: OperatorLink) -> IdentityClaim:
    return IdentityClaim(link.slack_user, link.github, IdentitySource.OPERATOR, link.linked_at)
