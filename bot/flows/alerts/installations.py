"""Installations, repositories and memberships: what their webhooks hint at, and what GitHub says when asked."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.alerts.taken_alerts import enqueue_holder_checks
from bot.flows.messages.plan import publish_job
from bot.job_kinds import SyncInstallation
from bot.job_rows import new_job
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import Forbidden, NotFound
from integrations.github.facts import InstallationFacts
from integrations.github.webhook_events import InstallationEvent, MembershipEvent, RepositoryEvent
from storage import alerts, jobs, messages, repositories, role_cache
from storage.records import (
    Account,
    Event,
    EventKind,
    GitHubId,
    Installation,
    InstallationId,
    InstallationState,
    Repository,
    RepositoryId,
    RepositoryState,
)

log = structlog.get_logger(__name__)


async def ask_installation_of(
    context: Context, installation_id: int | None, full_name: str
) -> Installation | None:
    """Ask GitHub for an installation by id, or else by a repository's name, and store it; None where it has none."""
    try:
        if installation_id is not None:
            facts = await context.github.installation(installation_id)
        else:
            facts = await context.github.installation_of(full_name)
    except NotFound:
        return None
    return await save_installation(context, facts)


async def handle_installation(context: Context, said: InstallationEvent) -> str:
    """The app was installed, removed or suspended, got or lost repositories, or its account was renamed."""
    # 1. GitHub's word, not the webhook's.
    installation = await _ask_installation(context, InstallationId(said.installation.id))
    if installation is None:
        return "installation_removed"
    account = GitHubAccount(installation.account.id, installation.account.login)
    # 2. What it can reach now: repositories that are gone are asked about one by one.
    async with context.db.begin() as tx:
        await role_cache.drop_owner(tx, installation.account.id)
        mine = await repositories.repositories_of(tx, installation.id)
    if installation.state is not InstallationState.ACTIVE:
        return "installation_suspended"
    named = {number for number, _ in (*said.added, *said.removed)}
    if said.action in ("created", "added", "unsuspend") and await context.platforms.counts(account):
        # What is there already when Stanch comes is told in one summary.
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(SyncInstallation(installation.id)))
    for repository in mine:
        if repository.id in named or not repository.is_reachable:
            await refresh_repository(context, repository)
    return "installation_updated"


async def _ask_installation(context: Context, installation_id: InstallationId) -> Installation | None:
    """Remember what GitHub says of an installation now; without one that works, nothing of its is reached."""
    try:
        facts = await context.github.installation(installation_id)
    except NotFound:
        await _remove(context, installation_id)
        return None
    installation = await save_installation(context, facts)
    if installation.state is not InstallationState.ACTIVE:
        async with context.db.read() as tx:
            mine = await repositories.repositories_of(tx, installation_id)
        await _mark(context, mine, RepositoryState.REMOVED)
    return installation


async def refresh_missing_installations(context: Context, listed: Collection[InstallationId]) -> None:
    """Ask about installations that were there and are not listed now: no webhook may have told of their end."""
    async with context.db.read() as tx:
        known = await repositories.all_installations(tx)
    for installation in known:
        if installation.id not in listed and installation.state is not InstallationState.REMOVED:
            await _ask_installation(context, installation.id)


async def refresh_moved_repositories(context: Context, installation_id: InstallationId) -> None:
    """Ask about repositories with alerts that an installation has no more, or has again after it was removed."""
    async with context.db.read() as tx:
        mine = await repositories.repositories_of(tx, installation_id)
        lost = await repositories.lost_repositories(tx)
    if not mine and not lost:
        return
    shown = {facts.id async for facts in context.github.of(installation_id).repositories()}
    for repository in mine:
        if repository.is_reachable and repository.id not in shown:
            await refresh_repository(context, repository)
    for repository in lost:
        if repository.id in shown:
            await refresh_repository(context, replace(repository, installation_id=installation_id))


async def handle_membership(context: Context, said: MembershipEvent) -> str:
    """Somebody's rights may have changed: whatever was remembered of them is asked anew."""
    async with context.db.begin() as tx:
        if said.person_id is not None:
            await role_cache.drop_person(tx, GitHubId(said.person_id))
            await enqueue_holder_checks(tx, person=GitHubId(said.person_id))
        elif said.repository_id is not None:
            await role_cache.drop_repository(tx, RepositoryId(said.repository_id))
            await enqueue_holder_checks(tx, repository=RepositoryId(said.repository_id))
        else:
            await role_cache.drop_owner(tx, GitHubId(said.owner.id))
            await enqueue_holder_checks(tx, owner=GitHubId(said.owner.id))
    return "roles_dropped"


async def handle_repository(context: Context, said: RepositoryEvent) -> str:
    """A repository was renamed, moved, shown, hidden or deleted: GitHub is asked what is true now."""
    async with context.db.begin() as tx:
        await role_cache.drop_repository(tx, RepositoryId(said.repository.id))
        known = await repositories.load_repository(tx, RepositoryId(said.repository.id))
    if known is None:
        return "repository_without_alerts"
    gone = RepositoryState.DELETED if said.action == "deleted" else RepositoryState.REMOVED
    await refresh_repository(context, known, gone=gone)
    return "repository_asked"


async def refresh_repository(
    context: Context, repository: Repository, *, gone: RepositoryState = RepositoryState.REMOVED
) -> None:
    """Find out whether the repository can still be reached, and under which name, and remember it.

    `gone` is what it is if GitHub no longer shows it: a 404 does not tell deletion from lost access.
    """
    try:
        await repository_access.reach(context, repository)
    except Forbidden as error:
        # A refusal says nothing of where the repository is: its cards keep their controls.
        log.warning("repository_refused", repository_id=repository.id, reason=str(error))
    except Refused:
        async with context.db.begin() as tx:
            await repository_access.store_repository(tx, repository, replace(repository, state=gone))


async def show_repository_change(
    context: Context, repository_id: RepositoryId, details: Mapping[str, str]
) -> None:
    """A repository changed: note it in the history of its alerts, and draw their cards again."""
    async with context.db.begin() as tx:
        cards = await messages.cards_of_repository(tx, repository_id)
        for key in sorted({card.alert for card in cards if card.alert is not None}):
            event = Event(key, EventKind.REPOSITORY_CHANGED, tx.now, details=details)
            await alerts.add_event(tx, event)
        await jobs.enqueue(tx, *(publish_job(card) for card in cards))


async def save_installation(context: Context, facts: InstallationFacts) -> Installation:
    """Remember an installation as GitHub shows it now."""
    await context.platforms.accounts.note(facts.account, is_current=True)
    state = InstallationState.SUSPENDED if facts.suspended else InstallationState.ACTIVE
    account = Account(GitHubId(facts.account.id), facts.account.login)
    installation = Installation(InstallationId(facts.id), account, facts.account_type, state)
    async with context.db.begin() as tx:
        await repositories.save_installation(tx, installation)
    return installation


async def _remove(context: Context, installation_id: InstallationId) -> None:
    async with context.db.begin() as tx:
        known = await repositories.load_installation(tx, installation_id)
        mine = await repositories.repositories_of(tx, installation_id)
        if known is not None:
            await repositories.save_installation(tx, replace(known, state=InstallationState.REMOVED))
    await _mark(context, mine, RepositoryState.REMOVED)


async def _mark(context: Context, found: list[Repository], state: RepositoryState) -> None:
    async with context.db.begin() as tx:
        for repository in found:
            await repository_access.store_repository(tx, repository, replace(repository, state=state))
    if found:
        log.warning("repositories_out_of_reach", count=len(found), state=state)
