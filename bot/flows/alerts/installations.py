"""Keeps installations, repositories and cached roles as GitHub shows them, after their webhooks and in a sync."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.alerts.taken_alerts import enqueue_holder_checks
from bot.flows.messages.message_jobs import publish_job
from bot.flows.people import organization_roles
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


async def handle_installation(context: Context, event: InstallationEvent) -> str:
    """The App was installed, removed or suspended, got or lost repositories, or its account was renamed.

    Returns the delivery's outcome.
    """
    # 1. The installation as GitHub shows it now: the delivery may be old.
    installation = await _refresh_installation(context, InstallationId(event.installation.id))
    if installation is None:
        return "installation_removed"
    account = GitHubAccount(installation.account.id, installation.account.login)
    # 2. Its repositories: GitHub is asked for each one that the event names or that is out of reach.
    async with context.db.begin() as tx:
        await role_cache.drop_owner(tx, installation.account.id)
        await organization_roles.forget(tx, installation.account.id)
        mine = await repositories.repositories_of(tx, installation.id)
    if installation.state is not InstallationState.ACTIVE:
        return "installation_suspended"
    named = {number for number, _ in (*event.added, *event.removed)}
    if event.action in ("created", "added", "unsuspend") and await context.platforms.is_ours(account):
        # The alerts that exist already are posted in one summary.
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(SyncInstallation(installation.id)))
    for repository in mine:
        if repository.id in named or not repository.is_reachable:
            await refresh_repository(context, repository)
    return "installation_updated"


async def _refresh_installation(context: Context, installation_id: InstallationId) -> Installation | None:
    """Store an installation as GitHub shows it now; None where it is removed.

    The repositories of an installation that is removed or suspended are out of reach.
    """
    installation = None
    with suppress(NotFound):
        installation = await save_installation(context, await context.github.installation(installation_id))
        if installation.state is InstallationState.ACTIVE:
            return installation
    async with context.db.begin() as tx:
        known = await repositories.load_installation(tx, installation_id)
        if installation is None and known is not None:
            await repositories.save_installation(tx, replace(known, state=InstallationState.REMOVED))
        mine = await repositories.repositories_of(tx, installation_id)
        for repository in mine:
            unreachable = replace(repository, state=RepositoryState.REMOVED)
            await repository_access.store_repository(tx, repository, unreachable)
    if mine:
        log.warning("repositories_out_of_reach", count=len(mine), state=RepositoryState.REMOVED)
    return installation


async def refresh_missing_installations(context: Context, listed: Collection[InstallationId]) -> None:
    """Ask GitHub about stored installations that it no longer lists: the webhook of their end may be lost."""
    async with context.db.read() as tx:
        known = await repositories.all_installations(tx)
    for installation in known:
        if installation.id not in listed and installation.state is not InstallationState.REMOVED:
            await _refresh_installation(context, installation.id)


async def refresh_moved_repositories(context: Context, installation_id: InstallationId) -> None:
    """Ask GitHub about stored repositories that an installation no longer has, or has again."""
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


async def handle_membership(context: Context, event: MembershipEvent) -> str:
    """Somebody's rights may have changed: drop their cached roles, and check the alerts they have taken.

    Returns the delivery's outcome.
    """
    async with context.db.begin() as tx:
        await organization_roles.forget(tx, GitHubId(event.owner.id))
        if event.person_id is not None:
            await role_cache.drop_person(tx, GitHubId(event.person_id))
            await enqueue_holder_checks(tx, person=GitHubId(event.person_id))
        elif event.repository_id is not None:
            await role_cache.drop_repository(tx, RepositoryId(event.repository_id))
            await enqueue_holder_checks(tx, repository=RepositoryId(event.repository_id))
        else:
            await role_cache.drop_owner(tx, GitHubId(event.owner.id))
            await enqueue_holder_checks(tx, owner=GitHubId(event.owner.id))
    return "roles_dropped"


async def handle_repository(context: Context, event: RepositoryEvent) -> str:
    """A repository was renamed, transferred or deleted, or its visibility or settings changed: ask GitHub.

    Returns the delivery's outcome.
    """
    async with context.db.begin() as tx:
        await role_cache.drop_repository(tx, RepositoryId(event.repository.id))
        known = await repositories.load_repository(tx, RepositoryId(event.repository.id))
    if known is None:
        return "repository_without_alerts"
    gone = RepositoryState.DELETED if event.action == "deleted" else RepositoryState.REMOVED
    await refresh_repository(context, known, gone=gone)
    return "repository_asked"


async def refresh_repository(
    context: Context, repository: Repository, *, gone: RepositoryState = RepositoryState.REMOVED
) -> None:
    """Store a repository as GitHub shows it now; `gone` is its state if GitHub does not show it.

    A 404 alone does not say whether it was deleted or is out of reach.
    """
    try:
        await repository_access.reach(context, repository)
    except Forbidden as error:
        # A refusal does not mean that the repository is gone: its cards keep their controls.
        log.warning("repository_refused", repository_id=repository.id, reason=str(error))
    except Refused:
        async with context.db.begin() as tx:
            await repository_access.store_repository(tx, repository, replace(repository, state=gone))


async def show_repository_change(
    context: Context, repository_id: RepositoryId, details: Mapping[str, str]
) -> None:
    """Add a repository's change to the timelines of its alerts, and redraw their cards."""
    async with context.db.begin() as tx:
        cards = await messages.cards_of_repository(tx, repository_id)
        for key in sorted({card.alert for card in cards if card.alert is not None}):
            event = Event(key, EventKind.REPOSITORY_CHANGED, tx.now, details=details)
            await alerts.add_event(tx, event)
        await jobs.enqueue(tx, *(publish_job(card) for card in cards))


async def save_installation(context: Context, facts: InstallationFacts) -> Installation:
    """Store an installation as GitHub shows it now."""
    await context.platforms.accounts.compare_login(facts.account, is_current=True)
    state = InstallationState.SUSPENDED if facts.suspended else InstallationState.ACTIVE
    account = Account(GitHubId(facts.account.id), facts.account.login)
    installation = Installation(InstallationId(facts.id), account, facts.account_type, state)
    async with context.db.begin() as tx:
        await repositories.save_installation(tx, installation)
    return installation
