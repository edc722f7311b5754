"""Reads the organization's directory and Slack's people, and links those who have one confirmed address."""

from collections.abc import AsyncIterator, Sequence

import structlog

from bot.context import Context
from bot.flows.people.settle_identity import settle
from bot.job_rows import new_job
from bot.people_job_kinds import SyncDirectory
from bot.rules.directory_match import Member, NewPair, PersonState, Plan, Result, SlackPerson, match
from bot.rules.outsiders import Workspace, outsider_reason
from integrations.github.directory import OrganizationDirectory
from integrations.github.errors import Forbidden, GitHubUnauthorized, NotFound
from integrations.slack.api import ADDRESSES
from integrations.slack.errors import SlackRateLimited, SlackUnauthorized
from integrations.slack.facts import ListedPerson
from storage import directory_pairs, identities, jobs
from storage.records import Account, DirectoryPair, GitHubId, SlackTeamId, SlackUserId, Suspension

log = structlog.get_logger(__name__)
AT_ONCE = 25
"""Pairs that one transaction stores or suspends. On SQLite a webhook waits for it."""
TOLD_EVERY = 60.0
"""Seconds between the messages to so many new people. Slack's docs: an app opens 50 conversations in a minute."""


class DirectoryRefused(Exception):
    """The directory can't be used, and nothing was changed; `str()` says why and what to do, as whole sentences."""


async def request_directory(context: Context) -> None:
    """Enqueue a reading of the directory, once in each interval; after it was turned off, to delete its pairs."""
    options = context.options.directory
    if options.source == "off":
        async with context.db.read() as tx:
            if not await directory_pairs.are_there(tx):
                return
    async with context.db.begin() as tx:
        span = int(tx.now // options.interval)
        dedup = f"directory:{options.source}:{options.interval}:{span}"
        await jobs.enqueue(tx, new_job(SyncDirectory(), dedup=dedup))


async def run_job(context: Context) -> None:
    """Read the directory on schedule. A refusal is logged, an outage raised as it came."""
    try:
        plan = await sync_directory(context)
    except DirectoryRefused as refused:
        log.warning("directory_refused", reason=str(refused))
        return
    if plan is not None:
        log.info("directory_read", **{result.value: plan.count(result) for result in Result})


async def sync_directory(context: Context, *, even_if_many: bool = False) -> Plan | None:
    """Read the directory, and link, suspend or unlink by it; None where it is turned off, and all pairs are deleted.

    Raises DirectoryRefused, GitHubError, SlackError and RetryLater; nothing was changed then. `even_if_many` allows
    that more than half of the pairs are lost.
    """
    workspace = await context.platforms.require_workspace()
    team = SlackTeamId(workspace.team_id)
    if context.options.directory.source == "off":
        await _forget(context, team)
        return None
    # 1. Both sides, completely: an error of either is never taken for an absence.
    members = await _members(context)
    people = await _people(context, workspace)
    # 2. What changes.
    async with context.db.read() as tx:
        pairs = await directory_pairs.all_pairs(tx, team)
    plan = match(people, members, pairs, context.options.directory.domains)
    if plan.loses_too_many and not even_if_many:
        raise DirectoryRefused(
            f"{len(plan.suspended)} of {plan.held} links by the directory would be lost at once, so nothing was "
            "changed. Check the directory; if it is right, run stanch identities sync --even-if-many."
        )
    # 3. The losses first.
    await _store(context, team, plan)
    return plan


async def _members(context: Context) -> list[Member]:
    """The members of all organizations that Stanch serves; raises DirectoryRefused and GitHubError."""
    members: list[Member] = []
    organizations = [one async for one in _organizations(context)]
    if not organizations:
        raise DirectoryRefused("The GitHub App is not installed on any organization that Stanch serves.")
    for organization in organizations:
        try:
            members += await _members_of(organization, context.options.directory.source)
        except (Forbidden, NotFound, GitHubUnauthorized) as error:
            remedy = (
                " The GitHub App needs the permission Members: read, granted by the organization."
                if isinstance(error, Forbidden)
                else ""
            )
            raise DirectoryRefused(
                f"GitHub does not show the directory of {organization.organization.login}: {error}. "
                f"Nothing was changed.{remedy}"
            ) from error
    return _merged(members)


async def _organizations(context: Context) -> AsyncIterator[OrganizationDirectory]:
    async for one in context.github.installations():
        if (
            one.account_type == "Organization"
            and not one.suspended
            and await context.platforms.is_ours(one.account)
        ):
            yield context.github.directory(one.id, one.account)


async def _members_of(directory: OrganizationDirectory, source: str) -> list[Member]:
    """With `auto`, verified domains count only where there is no SAML provider, not where it can't be read."""
    kind, found = "saml", await directory.saml() if source != "verified_domains" else None
    if found is None:
        if source == "saml":
            raise DirectoryRefused(
                f"{directory.organization.login} has no SAML provider of its own, so nothing was changed. That of "
                'its enterprise is not shown to the GitHub App; choose directory.source = "verified_domains".'
            )
        kind, found = "verified_domains", await directory.verified_domains()
    return [
        Member(Account(GitHubId(one.account.id), one.account.login), kind, one.addresses) for one in found
    ]


def _merged(members: Sequence[Member]) -> list[Member]:
    """One record for each account, with the addresses that all organizations have for it."""
    merged: dict[GitHubId, Member] = {}
    for member in members:
        known = merged.get(member.account.id)
        addresses = (*(known.addresses if known else ()), *member.addresses)
        merged[member.account.id] = Member(
            member.account, known.kind if known else member.kind, tuple(dict.fromkeys(addresses))
        )
    return list(merged.values())


async def _people(context: Context, workspace: Workspace) -> list[SlackPerson]:
    """Everybody whom Slack knows, page by page; raises DirectoryRefused and SlackError."""
    found: list[SlackPerson] = []
    cursor = ""
    while True:
        try:
            page, cursor = await context.slack.people(cursor)
        except SlackRateLimited as limited:
            await context.clock.sleep(limited.retry_after)
            continue
        except SlackUnauthorized as error:
            remedy = (
                f"Add the optional bot scope {ADDRESSES} on the app's page OAuth & Permissions, and install it again."
                if error.code == "missing_scope"
                else "Take the current bot token from the app's page OAuth & Permissions."
            )
            raise DirectoryRefused(
                f"Slack does not show people's addresses: {error} Nothing was changed. {remedy}"
            ) from error
        found += [_person(person, workspace) for person in page]
        if not cursor:
            return found


def _person(person: ListedPerson, workspace: Workspace) -> SlackPerson:
    outsider = outsider_reason(person.facts, workspace)
    state = PersonState.GUEST if outsider == "guest" else PersonState.GONE if outsider else PersonState.ACTIVE
    return SlackPerson(SlackUserId(person.facts.id), state, person.address, person.is_confirmed)


async def _store(context: Context, team: SlackTeamId, plan: Plan) -> None:
    """Store what changes, a few at a time; losses come first, so that an interruption gives nobody too much."""
    for start in range(0, len(plan.suspended), AT_ONCE):
        some = plan.suspended[start : start + AT_ONCE]
        async with context.db.begin() as tx:
            for pair, suspension in some:
                await directory_pairs.suspend(tx, pair, suspension)
            await settle(tx, team, users=[pair.slack_user for pair, _ in some], by="directory")
    async with context.db.begin() as tx:
        for account in plan.renamed:
            await identities.rename_login(tx, account.id, account.login)
        await directory_pairs.mark_seen(tx, team)
    # First the pairs that give no rights: they may contest others.
    new = sorted(plan.new, key=lambda pair: pair.suspension is None)
    for start in range(0, len(new), AT_ONCE):
        batch = new[start : start + AT_ONCE]
        async with context.db.begin() as tx:
            for one in batch:
                await directory_pairs.pin(tx, _pair(team, one, tx.now))
            users, told_after = [one.user for one in batch], TOLD_EVERY * (start // AT_ONCE)
            await settle(tx, team, users=users, by="directory", told_after=told_after)


def _pair(team: SlackTeamId, new: NewPair, now: float) -> DirectoryPair:
    return DirectoryPair(
        team,
        new.user,
        new.member.account,
        new.member.kind,
        new.address_hash,
        first_seen_at=now,
        seen_at=now,
        suspended_at=None if new.suspension is None else now,
        suspension=new.suspension,
    )


async def _forget(context: Context, team: SlackTeamId) -> None:
    """Delete all pairs: the operator turned the directory off."""
    async with context.db.read() as tx:
        pairs = await directory_pairs.all_pairs(tx, team)
    kept = [pair for pair in pairs if pair.suspension != Suspension.UNLINKED]
    for start in range(0, len(kept), AT_ONCE):
        some = kept[start : start + AT_ONCE]
        async with context.db.begin() as tx:
            for pair in some:
                await directory_pairs.delete(tx, pair)
            await settle(tx, team, users=[pair.slack_user for pair in some], by="directory")
