"""Makes the identities agree with the claims of all sources; audits and announces each change."""

from collections.abc import Collection, Mapping, Sequence

from bot.flows.audit import build_entry
from bot.flows.people.known_claims import KnownClaims, load_claims
from bot.flows.people.linking import drop_pages
from bot.flows.people.sealed_tokens import TokenOwner, deletion
from bot.job_kinds import CheckHolders
from bot.job_rows import new_job
from bot.people_job_kinds import AnnounceIdentities, IdentityChange, SendIdentityNotice
from bot.rules.identity_claims import Linked, Nothing, Standing, Suspended, decide
from storage import alerts, audit, directory_pairs, identities, jobs, link_requests, operator_links, sign_ins
from storage.db import Tx
from storage.records import (
    Account,
    AuditOutcome,
    GitHubId,
    Identity,
    IdentitySource,
    OperatorLink,
    Person,
    SignIn,
    SlackTeamId,
    SlackUserId,
    Suspension,
)

BY_OPERATOR = "cli"
"""A change by an operator, which also ends a suspension because sources disagreed."""
NEW = 60.0
"""Seconds after a sign-in that gives no link in which people are told of it."""
ANNOUNCED = 40
"""Changes that one announcement names; the others are counted."""
AUDITED_AS = {
    "linked": "link_identity",
    "unlinked": "unlink_identity",
    "suspended": "suspend_identity",
    "not_linked": "link_identity",
}
"""The words of the audit log, by a change's kind."""
Standings = Mapping[SlackUserId, Standing]


async def settle(
    tx: Tx,
    team: SlackTeamId,
    *,
    users: Collection[SlackUserId] = (),
    accounts: Collection[GitHubId] = (),
    links: Sequence[OperatorLink] = (),
    unlinked: Collection[SlackUserId] = (),
    by: str,
    told_after: float = 0.0,
) -> list[IdentityChange]:
    """Make the identities agree with the claims of all sources, after one of these has changed; returns the changes.

    Call it in the transaction that stored or deleted a sign-in or a pair of the directory, with the Slack `users` and
    GitHub `accounts` concerned. Changes by operators are passed: the `links` that they made, and the users whom they
    `unlinked`. `by` is the cause for the audit log: `sign_in`, `directory`, `unlink`, or BY_OPERATOR.

    Every change is audited. Jobs tell the default channel, the operators, and everybody whom a source joins to the
    account; these last ones after `told_after` seconds. On PostgreSQL other writers of the audit log wait until the
    transaction ends.
    """
    # Of two that settle at once, the second one sees what the first one stored.
    await audit.lock(tx)
    users = {*users, *unlinked, *(link.slack_user for link in links)}
    accounts = {*accounts, *(link.github.id for link in links)}
    known = (await load_claims(tx, team, users, accounts)).with_operators(links, unlinked)
    contests = {
        user: contest
        for user, contest in known.contests().items()
        if by != BY_OPERATOR or (user not in users and contest.account.id not in accounts)
    }
    standings = {**dict.fromkeys(known.identities, Nothing()), **decide(known.claims, contests)}
    found = (_change(tx, known, user, standings[user], by) for user in sorted(standings))
    changes = [change for change in found if change is not None]
    await _store(tx, team, known, standings)
    await _drop_overruled(tx, team, known, standings)
    await _check_holders(tx, known, standings)
    for change in changes:
        person = Person(team, change.user, Account(change.account, change.login))
        outcome = AuditOutcome.REFUSED if change.kind == "not_linked" else AuditOutcome.DONE
        reason = change.reason if change.kind in ("suspended", "not_linked") else f"by {by}"
        await audit.append(tx, build_entry(AUDITED_AS[change.kind], outcome, person, reason=reason))
    await _announce(tx, changes, told_after)
    return changes


async def forget(tx: Tx, team: SlackTeamId, user: SlackUserId, *, by: str) -> list[IdentityChange]:
    """Unlink a Slack user from all sources, on their own request or an operator's; returns the changes.

    Tokens are deleted here, and at GitHub by a job. A pair of the directory is kept as unlinked, so that the next
    reading does not bring the link back. A link about which sources disagree stays, suspended, until an operator
    decides. Otherwise the person could end the contest by unlinking and signing in again.
    """
    await audit.lock(tx)
    known = await load_claims(tx, team, [user], ())
    accounts = {claim.account.id for claim in known.of(user)}
    await drop_sign_in(tx, team, user)
    await drop_pages(tx, await link_requests.of_user(tx, team, user))
    await link_requests.end_of_user(tx, team, user)
    for pair in await directory_pairs.of_user(tx, team, user):
        await directory_pairs.suspend(tx, pair, Suspension.UNLINKED)
    return await settle(tx, team, users=[user], accounts=accounts, unlinked=[user], by=by)


async def drop_sign_in(tx: Tx, team: SlackTeamId, user: SlackUserId) -> SignIn | None:
    """Delete a sign-in with its tokens, which a job deletes at GitHub; returns it. Call `settle` afterwards."""
    await audit.lock(tx)
    dropped = await sign_ins.delete(tx, team, user)
    if dropped is not None and dropped.tokens is not None:
        owner = TokenOwner(team, user, dropped.github.id)
        await jobs.enqueue(tx, deletion(owner, dropped.tokens))
    return dropped


def _change(
    tx: Tx, known: KnownClaims, user: SlackUserId, standing: Standing, by: str
) -> IdentityChange | None:
    """What changes for a Slack user, or None."""
    row = known.identities.get(user)
    if isinstance(standing, Nothing):
        if row is not None:
            return _described(known, "unlinked", user, row.github, row.proof, standing.reason or by)
        newest = max(known.of(user), key=lambda claim: claim.since, default=None)
        if newest is None or standing.account is None or newest.since < tx.now - NEW:
            return None
        return _described(known, "not_linked", user, standing.account, newest.source, standing.reason)
    if row is not None and _agrees(row, standing):
        return None
    kind, reason = ("suspended", standing.reason) if isinstance(standing, Suspended) else ("linked", by)
    return _described(known, kind, user, standing.account, standing.source, reason)


def _described(
    known: KnownClaims, kind: str, user: SlackUserId, account: Account, source: str, reason: str | None
) -> IdentityChange:
    others = known.others(user, account)
    return IdentityChange(kind, user, account.id, account.login, str(source), reason, others)


def _agrees(row: Identity, standing: Linked | Suspended) -> bool:
    """Whether an identity is as it should be."""
    suspension = standing.reason if isinstance(standing, Suspended) else None
    return (row.github.id, row.proof, row.suspension) == (standing.account.id, standing.source, suspension)


async def _store(tx: Tx, team: SlackTeamId, known: KnownClaims, standings: Standings) -> None:
    """Store the identities, and the links by operators of identities that rest on another source."""
    changed: list[Identity] = []
    for user, standing in standings.items():
        row, link = known.identities.get(user), known.operators.get(user)
        if row is not None and (isinstance(standing, Nothing) or row.github.id != standing.account.id):
            # First, since an account has one identity: another user may get it below.
            await identities.unlink(tx, team, user)
        if not isinstance(standing, Nothing):
            new = _identity(tx, team, known, user, standing)
            changed += [new] if new != row else []
            link = None if standing.source is IdentitySource.OPERATOR else link
        if link is None and user in known.links_apart:
            await operator_links.delete(tx, team, user)
        elif link is not None:
            await operator_links.save(tx, link)
    for new in changed:
        await identities.put(tx, new)


def _identity(
    tx: Tx, team: SlackTeamId, known: KnownClaims, user: SlackUserId, standing: Linked | Suspended
) -> Identity:
    row, link = known.identities.get(user), known.operators.get(user)
    made_by = {
        IdentitySource.OPERATOR: link.linked_by if link else "cli",
        IdentitySource.SIGN_IN: user,
        IdentitySource.DIRECTORY: "directory",
    }
    suspension = standing.reason if isinstance(standing, Suspended) else None
    same = row is not None and row.suspension == suspension and row.github.id == standing.account.id
    suspended_at = row.suspended_at if row is not None and same else tx.now
    return Identity(
        team,
        user,
        standing.account,
        standing.source.value,
        _linked_at(tx, known, user, standing),
        made_by[standing.source],
        row.slack_name if row else None,
        suspended_at=None if suspension is None else suspended_at,
        suspension=suspension,
    )


def _linked_at(tx: Tx, known: KnownClaims, user: SlackUserId, standing: Linked | Suspended) -> float:
    """Since when the link counts. One that an operator freed counts from then on: see `decision_obstacle`."""
    claimed, row = known.since(user, standing.account, standing.source), known.identities.get(user)
    if isinstance(standing, Suspended):
        return claimed
    counted = row is not None and row.suspension is None and row.github.id == standing.account.id
    return max(claimed, row.linked_at if row is not None and counted else tx.now)


async def _drop_overruled(tx: Tx, team: SlackTeamId, known: KnownClaims, standings: Standings) -> None:
    """Drop the sign-ins that an operator overruled: their tokens are of no use any more."""
    for claim in known.claims:
        standing = standings[claim.user]
        given = standing.account if isinstance(standing, Linked) else None
        waits = isinstance(standing, Suspended) or (isinstance(standing, Nothing) and standing.reason)
        kept = waits or (given is not None and given.id == claim.account.id)
        if claim.source is IdentitySource.SIGN_IN and not kept:
            await drop_sign_in(tx, team, claim.user)


async def _check_holders(tx: Tx, known: KnownClaims, standings: Standings) -> None:
    """Enqueue a check of the alerts taken by people whose link has ended or gives no rights now."""
    for user, row in known.identities.items():
        standing = standings[user]
        counts = isinstance(standing, Linked) and standing.account.id == row.github.id
        if row.suspension is None and not counts:
            where = await alerts.repositories_with_taken(tx, person=row.github.id)
            await jobs.enqueue(tx, *(new_job(CheckHolders(one)) for one in where))


async def _announce(tx: Tx, changes: Sequence[IdentityChange], told_after: float) -> None:
    """Enqueue the messages to people about the changes."""
    if not changes:
        return
    told = [
        SendIdentityNotice(
            recipient,
            change.login,
            change.kind,
            None if recipient == change.user else change.user,
            change.source,
            change.reason,
        )
        for change in changes
        for recipient in (change.user, *change.others)
    ]
    # First the changes that ask somebody to act.
    order = sorted(changes, key=lambda change: change.kind in ("linked", "unlinked"))
    announced = AnnounceIdentities(tuple(order[:ANNOUNCED]), tx.now, max(0, len(order) - ANNOUNCED))
    await jobs.enqueue(tx, new_job(announced), *(new_job(one, delay=told_after) for one in told))
