"""Compares GitHub's alerts with the stored ones, and stores what no webhook reported."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import structlog

from bot.context import Context
from bot.database import SET_UP_AT
from bot.flows import repository_access
from bot.flows.alerts.alert_lists import REFUSALS, AlertList, find_lists, list_alerts
from bot.flows.alerts.commit_author import may_read_commits
from bot.flows.alerts.installations import (
    refresh_missing_installations,
    refresh_moved_repositories,
    refresh_repository,
    save_installation,
)
from bot.flows.alerts.store_alert import details_job, store_alert
from bot.flows.alerts.taken_alerts import enqueue_holder_checks
from bot.flows.messages.message_jobs import publish_job
from bot.flows.people import organization_roles
from bot.job_kinds import SyncAll, SyncInstallation
from bot.job_rows import new_job
from bot.rules.commit_author import lacks_author
from bot.rules.sync_scope import ListedAlert, SyncProgress, is_old, is_unchanged, set_up_lately
from integrations.github.errors import GitHubError
from storage import alerts, jobs, messages, repositories, saved_values, summaries
from storage.db import Tx
from storage.records import (
    AlertKey,
    AlertNumber,
    Installation,
    InstallationId,
    InstallationState,
    Repository,
    RepositoryId,
    UnixTime,
)

log = structlog.get_logger(__name__)
AT_ONCE, PACE = 50, 0.6
"""So many installations are synced at once; each further one so many seconds after the one before.

Each sync needs a token. GitHub's docs: 900 points a minute for the App, and five for a token.
"""
REQUESTED_AT = "sync_requested_at"
"""The saved value that says when a sync of all installations was last requested."""
BATCH = 25
"""Alerts stored in one transaction. On SQLite a webhook waits for it."""


@dataclass(slots=True)
class SyncCounts:
    """What a sync has read and stored."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    refused: list[str] = field(default_factory=list)
    """Why GitHub refused a list, a sentence for each."""


@dataclass(frozen=True, slots=True)
class _Sync:
    """One sync of an installation."""

    installation: Installation
    started: UnixTime
    only: str | None
    """The full name of the only repository to compare; None for all."""
    dry_run: bool
    """Count, and store nothing."""
    reads_commits: bool
    """The installation has the optional permission to read who made a commit."""
    set_up_at: UnixTime | None
    """When `stanch setup` linked the first person, if that was lately."""
    counts: SyncCounts


async def request_sync(context: Context, *, every: float) -> None:
    """Enqueue a sync of all installations, once in each span of `every` seconds whichever process requests it."""
    async with context.db.begin() as tx:
        span = int(tx.now // every)
        [enqueued] = await jobs.enqueue(tx, new_job(SyncAll(), dedup=f"sweep:{every:.0f}:{span}"))
        if enqueued is not None:
            await saved_values.save(tx, REQUESTED_AT, tx.now)


async def sync_all(context: Context) -> None:
    """Enqueue a sync of each installation that Stanch serves; raises GitHubError for an outage or a limit."""
    listed = []
    try:
        async for installation in our_installations(context):
            listed.append(installation.id)
            delay = PACE * max(0, len(listed) - AT_ONCE)
            async with context.db.begin() as tx:
                await jobs.enqueue(tx, new_job(SyncInstallation(installation.id), delay=delay))
        await refresh_missing_installations(context, listed)
    except REFUSALS as error:
        log.warning("not_swept", reason=str(error))
    async with context.db.begin() as tx:
        await enqueue_holder_checks(tx)


async def our_installations(context: Context) -> AsyncIterator[Installation]:
    """The active installations, as GitHub lists them now, on the accounts that Stanch serves."""
    async for facts in context.github.installations():
        if await context.platforms.is_ours(facts.account):
            installation = await save_installation(context, facts)
            if installation.state is InstallationState.ACTIVE:
                yield installation


async def sync_installation(
    context: Context,
    installation_id: InstallationId,
    *,
    everything: bool = False,
    repository: str | None = None,
    dry_run: bool = False,
) -> SyncCounts:
    """Compare one installation's alerts, or one repository's, with the stored ones.

    It can be interrupted anywhere and repeated. The first sync of an installation posts one summary of all old alerts
    to each channel, instead of cards. After a set-up, alerts from before it are old. A list that GitHub refuses is
    logged and counted; the next sync reads it from where its last complete reading ended. Raises GitHubError for an
    outage or a limit.
    """
    # 1. How far each list was read the last time.
    async with context.db.read() as tx:
        installation = await repositories.load_installation(tx, installation_id)
        set_up_at = set_up_lately(await saved_values.load(tx, SET_UP_AT), tx.now)
    counts = SyncCounts()
    if installation is None or installation.state is not InstallationState.ACTIVE:
        return counts
    reads_commits = await may_read_commits(context, installation_id)
    sync = _Sync(
        installation, context.clock.now(), repository, dry_run, reads_commits, set_up_at, counts=counts
    )
    lists = await find_lists(
        context, installation, sync.started, everything=everything or repository is not None
    )
    # 2. GitHub's alerts, the latest change first; those that differ are stored.
    complete: list[AlertList] = []
    for alert_list in lists:
        try:
            await _sync_list(context, sync, alert_list)
            complete.append(alert_list)
        except REFUSALS as error:
            _note_refusal(sync, error)
    if dry_run:
        return counts
    if repository is None:
        try:
            await refresh_moved_repositories(context, installation_id)
            await organization_roles.renew(context, installation)
        except REFUSALS as error:
            _note_refusal(sync, error)
    # 3. How far the lists were read, and the publishing of the summaries.
    await _save_progress(context, sync, lists, complete if repository is None else [])
    numbers = {"seen": counts.seen, "new": counts.new, "changed": counts.changed}
    for outcome, number in numbers.items():
        context.metrics.swept.labels(outcome).inc(number)
    log.info("swept", installation_id=installation_id, **numbers)
    return counts


async def _save_progress(
    context: Context, sync: _Sync, lists: Sequence[AlertList], complete: Sequence[AlertList]
) -> None:
    """Save how far the complete lists were read, and enqueue the summaries that the sync has filled."""
    async with context.db.begin() as tx:
        for one in complete:
            all_at = sync.started if one.everything or one.last is None else one.last.all_at
            await saved_values.save(tx, one.saved_as, SyncProgress(sync.started, all_at).to_json())
        for subject in {_summary_subject(sync, one.last) for one in lists}:
            for key in await summaries.unposted(tx, subject):
                message = await messages.load(tx, key)
                if message is not None:
                    await jobs.enqueue(tx, publish_job(message))


def _note_refusal(sync: _Sync, error: GitHubError) -> None:
    sync.counts.refused.append(str(error))
    log.warning("list_refused", installation_id=sync.installation.id, reason=str(error))


async def _sync_list(context: Context, sync: _Sync, alert_list: AlertList) -> None:
    """Compare one list; raises GitHubError if GitHub did not show all of it, once what it showed is stored."""
    batch: list[ListedAlert] = []
    refused: GitHubError | None = None
    try:
        async for listed in list_alerts(context, sync.installation, sync.only, alert_list):
            sync.counts.seen += 1
            batch.append(listed)
            if len(batch) == BATCH:
                await _sync_batch(context, sync, batch, alert_list.last)
                batch = []
    except REFUSALS as error:
        refused = error
    await _sync_batch(context, sync, batch, alert_list.last)
    if refused is not None:
        raise refused


async def _sync_batch(
    context: Context, sync: _Sync, batch: list[ListedAlert], last: SyncProgress | None
) -> None:
    """Store what is new or differs: old alerts that are not stored in one transaction, each other alert in its own.

    All others may lock a channel. A delivery locks its alert first, and then the channel. So with two of them in one
    transaction, the sync and a delivery of the second alert could wait for each other. In one transaction, alerts are
    stored in the order of their keys, since a flood is stored so: both may have the same ones.
    """
    async with context.db.read() as tx:
        known = await alerts.versions(tx, [_key(listed) for listed in batch])
    old: list[ListedAlert] = []
    others: list[list[ListedAlert]] = []
    for listed in batch:
        version = known.get(_key(listed))
        if version is not None and is_unchanged(listed.alert, version):
            continue
        sync.counts.new += version is None
        sync.counts.changed += version is not None
        if version is None and is_old(listed.alert, last, sync.set_up_at):
            old.append(listed)
        else:
            others.append([listed])
    if sync.dry_run:
        return
    old.sort(key=lambda listed: (listed.repository.id, listed.alert.number))
    renamed: list[Repository] = []
    for together in filter(None, [old, *others]):
        async with context.db.begin() as tx:
            for listed in together:
                renamed += await _store(tx, context, sync, listed, last)
    for repository in renamed:
        await refresh_repository(context, repository)


async def _store(
    tx: Tx, context: Context, sync: _Sync, listed: ListedAlert, last: SyncProgress | None
) -> list[Repository]:
    """Store one alert; returns its repository if GitHub lists it under another name than the stored one."""
    if await alerts.is_claimed(tx, _key(listed)):
        # A close or report is under way: what it changes is recorded under its person's name, not as GitHub's.
        return []
    known = await repositories.load_repository(tx, RepositoryId(listed.repository.id))
    repository = known or repository_access.new_repository(listed.repository, sync.installation.id)
    if known is None:
        await repositories.save_repository(tx, repository)
    old = is_old(listed.alert, last, sync.set_up_at)
    stored = await store_alert(
        tx,
        context,
        repository,
        None,
        listed.alert,
        sender=None,
        received_at=sync.started,
        summary=_summary_subject(sync, last) if old else None,
    )
    lacks_place = listed.alert.first_location is None and stored.place is None
    if (lacks_place or (sync.reads_commits and lacks_author(stored))) and not old:
        await jobs.enqueue(tx, details_job(stored.key, 0))
    return [repository] if known is not None and known.full_name != listed.repository.full_name else []


def _key(listed: ListedAlert) -> AlertKey:
    return AlertKey(RepositoryId(listed.repository.id), AlertNumber(listed.alert.number))


def _summary_subject(sync: _Sync, last: SyncProgress | None) -> str:
    """The first sync has one summary, and so has each later one that finds old alerts."""
    first = f"first:{sync.installation.id}"
    return first if last is None else f"{first}:{int(last.finished_at)}"
