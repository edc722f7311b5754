"""Makes and removes links by operators: for `stanch identities`, and for the person who sets Stanch up."""

from collections.abc import Sequence
from typing import TypeAlias

from bot.errors import StartRefused
from bot.flows.people.known_claims import load_claims
from bot.flows.people.settle_identity import BY_OPERATOR, drop_sign_in, forget, settle
from bot.rules.identity_claims import CONTESTED, FORGOTTEN
from storage import directory_pairs, identities, operator_links
from storage.db import Tx
from storage.records import (
    Account,
    Identity,
    IdentitySource,
    OperatorLink,
    SlackTeamId,
    SlackUserId,
    Suspension,
)

Link: TypeAlias = tuple[SlackTeamId, SlackUserId, Account]
FAULTS_OF_DIRECTORY = (Suspension.DIRECTORY_CHANGED, Suspension.AMBIGUOUS)


async def check_free(tx: Tx, link: Link) -> None:
    """Raise StartRefused if the Slack user or the account has another link that counts.

    A suspended one is no obstacle: the new link decides about it.
    """
    team, user, account = link
    theirs = await identities.of_slack(tx, team, user)
    if theirs is not None and theirs.github.id != account.id:
        raise _taken("Slack user", theirs)
    its = await identities.of_github(tx, team, account.id)
    if its is not None and its.slack_user != user:
        raise _taken("GitHub account", its)


async def make_links(tx: Tx, links: Sequence[Link], *, told_after: float = 0.0) -> list[Identity]:
    """Store and announce links; returns the identities as they are then, which may still be suspended.

    Those that count already, by an operator too, stay as they are, with their time. People are told after
    `told_after` seconds.
    """
    new = [link for link in links if not await _counts(tx, link)]
    for team in {link[0] for link in new}:
        made = [OperatorLink(*link, tx.now, BY_OPERATOR) for link in new if link[0] == team]
        await settle(tx, team, links=made, by=BY_OPERATOR, told_after=told_after)
    found = [await identities.of_slack(tx, team, user, suspended=True) for team, user, _ in links]
    return [identity for identity in found if identity is not None]


async def _counts(tx: Tx, link: Link) -> bool:
    """Whether an operator made this link, and it is in force."""
    team, user, account = link
    identity = await identities.of_slack(tx, team, user)
    if identity is None or identity.github != account:
        return False
    apart = await operator_links.of_user(tx, team, user)
    return identity.source is IdentitySource.OPERATOR or (apart is not None and apart.github.id == account.id)


async def remove_link(
    tx: Tx, team: SlackTeamId, user: SlackUserId
) -> tuple[Identity | Account, Identity | None]:
    """Unlink a Slack user from all sources; returns what was removed, and the link that is left; raises StartRefused.

    Where sources disagree about this person, only one is removed: the operator's link, or else the sign-in. Then the
    others count.
    """
    known = await load_claims(tx, team, [user], ())
    before = known.identities.get(user)
    mine = [claim for claim in known.of(user) if claim.suspension not in FORGOTTEN]
    if before is None and not mine:
        raise StartRefused(f"No identity is known for {user[:40]!r}; stanch identities list shows all.")
    removed = before or mine[0].account
    accounts = [claim.account.id for claim in mine]
    if before is not None and before.suspension in FAULTS_OF_DIRECTORY:
        # The next reading of the directory decides anew.
        for pair in await directory_pairs.of_user(tx, team, user):
            await directory_pairs.delete(tx, pair)
        await settle(tx, team, users=[user], by=BY_OPERATOR)
        return removed, await identities.of_slack(tx, team, user, suspended=True)
    # Somebody whose sign-in gives nothing, since another Slack user has the account, has no identity.
    disagrees = before is None or before.suspension in CONTESTED
    if not disagrees:
        await forget(tx, team, user, by=BY_OPERATOR)
    elif user in known.operators:
        await settle(tx, team, unlinked=[user], accounts=accounts, by=BY_OPERATOR)
    elif await drop_sign_in(tx, team, user):
        await settle(tx, team, users=[user], accounts=accounts, by=BY_OPERATOR)
    else:
        await forget(tx, team, user, by=BY_OPERATOR)
    return removed, await identities.of_slack(tx, team, user, suspended=True)


def _taken(side: str, holder: Identity) -> StartRefused:
    return StartRefused(
        f"The {side} is linked already. ({holder.slack_user} is {holder.github.login}); "
        "remove that identity first: stanch identities remove SLACK_USER."
    )
