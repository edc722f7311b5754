"""The sweep: compares GitHub's alerts with ours, and takes over whatever a webhook did not tell."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import structlog

from bot.context import Context
from bot.flows.alerts.alert_lists import REFUSALS, AlertList, lists_of, pages_of
from bot.flows.alerts.installations import (
    refresh_missing_installations,
    refresh_moved_repositories,
    refresh_repository,
    save_installation,
)
from bot.flows.alerts.store_alert import details_job, new_repository, store_alert
from bot.flows.alerts.taken_alerts import enqueue_holder_checks
from bot.flows.messages.plan import publish_job
from bot.job_kinds import SyncAll, SyncInstallation
from bot.job_rows import new_job
from bot.rules.sync_scope import ListedAlert, SyncProgress, is_old, is_unchanged
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
BATCH = 25
"""Alerts stored in one transaction: on SQLite a webhook waits for it."""


@dataclass(slots=True)
class Counts:
    """What a sweep saw and did."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    refused: list[str] = field(default_factory=list)
    """Why GitHub did not show a list, a sentence each."""


async def request_sync(context: Context, *, every: float) -> None:
    """Have everything swept, once in each span of `every` seconds however many processes ask."""
    async with context.db.begin() as tx:
        span = int(tx.now // every)
        await jobs.enqueue(tx, new_job(SyncAll(), dedup=f"sweep:{every:.0f}:{span}"))


async def sync_all(context: Context) -> None:
    """Have each installation swept that is ours to serve; raises GitHubError for an outage or a limit."""
    listed = []
    try:
        async for installation in our_installations(context):
            listed.append(installation.id)
            async with context.db.begin() as tx:
                await jobs.enqueue(tx, new_job(SyncInstallation(installation.id)))
        await refresh_missing_installations(context, listed)
    except REFUSALS as error:
        log.warning("not_swept", reason=str(error))
    async with context.db.begin() as tx:
        await enqueue_holder_checks(tx)


async def our_installations(context: Context) -> AsyncIterator[Installation]:
    """The installations that GitHub has now, on the accounts that count, and that work."""
    async for facts in context.github.installations():
        if await context.platforms.counts(facts.account):
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
) -> Counts:
    """Compare one installation's alerts, or one repository's, with ours; raises GitHubError for an outage or a limit.

    It may end anywhere and start again: what is stored already changes nothing. The first one of an installation
    stores what is there without a card for each, and posts one summary to a channel. A list that GitHub refuses is
    logged and counted, and is read from where its last complete reading ended the next time.
    """
    # 1. How far each list was read the last time.
    started = context.clock.now()
    async with context.db.read() as tx:
        installation = await repositories.load_installation(tx, installation_id)
    counts = Counts()
    if installation is None or installation.state is not InstallationState.ACTIVE:
        return counts
    lists = await lists_of(context, installation, started, everything=everything or repository is not None)
    # 2. GitHub's alerts, the latest change first, and those of ours that differ.
    read: list[AlertList] = []
    for each in lists:
        try:
            await _read_list(context, installation, each, repository, started, counts, dry_run=dry_run)
            read.append(each)
        except REFUSALS as error:
            _note_refusal(installation_id, counts, error)
    if dry_run:
        return counts
    if repository is None:
        try:
            await refresh_moved_repositories(context, installation_id)
        except REFUSALS as error:
            _note_refusal(installation_id, counts, error)
    # 3. Note what was read to its end, and let the summaries go out.
    await _note_progress(context, installation_id, lists, read if repository is None else [], started)
    context.metrics.swept.labels("seen").inc(counts.seen)
    context.metrics.swept.labels("new").inc(counts.new)
    context.metrics.swept.labels("changed").inc(counts.changed)
    log.info(
        "swept", installation_id=installation_id, seen=counts.seen, new=counts.new, changed=counts.changed
    )
    return counts


async def _note_progress(
    context: Context,
    installation_id: InstallationId,
    lists: Sequence[AlertList],
    read: Sequence[AlertList],
    started: UnixTime,
) -> None:
    """Remember the lists that were read to their end, and let the summaries go out."""
    async with context.db.begin() as tx:
        for each in read:
            progress = SyncProgress(
                started, started if each.everything or each.last is None else each.last.all_at
            )
            await saved_values.save(tx, each.mark, progress.to_json())
        for subject in {_summary(installation_id, each.last) for each in lists}:
            for key in await summaries.unposted(tx, subject):
                message = await messages.load(tx, key)
                if message is not None:
                    await jobs.enqueue(tx, publish_job(message))


def _note_refusal(installation_id: InstallationId, counts: Counts, error: GitHubError) -> None:
    counts.refused.append(str(error))
    log.warning("list_refused", installation_id=installation_id, reason=str(error))


async def _read_list(
    context: Context,
    installation: Installation,
    each: AlertList,
    only: str | None,
    started: UnixTime,
    counts: Counts,
    *,
    dry_run: bool,
) -> None:
    """Take one list over; raises GitHubError where GitHub does not show it to its end."""
    batch: list[ListedAlert] = []
    refused: GitHubError | None = None
    try:
        async for seen in pages_of(context, installation, only, each):
            counts.seen += 1
            batch.append(seen)
            if len(batch) == BATCH:
                await _take_over(context, installation, batch, each.last, started, counts, dry_run=dry_run)
                batch = []
    except REFUSALS as error:
        refused = error
    await _take_over(context, installation, batch, each.last, started, counts, dry_run=dry_run)
    if refused is not None:
        raise refused


async def _take_over(
    context: Context,
    installation: Installation,
    batch: list[ListedAlert],
    last: SyncProgress | None,
    started: UnixTime,
    counts: Counts,
    *,
    dry_run: bool,
) -> None:
    """Store what is new or differs, in one transaction."""
    moved: list[Repository] = []
    async with context.db.begin() as tx:
        known = await alerts.versions(tx, [_key(seen) for seen in batch])
        for seen in batch:
            version = known.get(_key(seen))
            if version is not None and is_unchanged(seen.alert, version):
                continue
            counts.new += version is None
            counts.changed += version is not None
            if not dry_run:
                moved += await _store(tx, context, installation, seen, last, started)
    for repository in moved:
        await refresh_repository(context, repository)


async def _store(
    tx: Tx,
    context: Context,
    installation: Installation,
    seen: ListedAlert,
    last: SyncProgress | None,
    started: UnixTime,
) -> list[Repository]:
    """Store one alert; returns its repository if that has another name now, to be asked about."""
    if await alerts.is_claimed(tx, _key(seen)):
        # Somebody's close or report is under way: what it changes is recorded under their name, not as GitHub's.
        return []
    known = await repositories.load_repository(tx, RepositoryId(seen.repository.id))
    repository = known or new_repository(seen.repository, installation.id)
    if known is None:
        await repositories.save_repository(tx, repository)
    old = is_old(seen.alert, last)
    summary = _summary(installation.id, last) if old else None
    await store_alert(
        tx, context, repository, None, seen.alert, sender=None, received_at=started, summary=summary
    )
    if seen.alert.first_location is None and not old:
        stored = await alerts.load(tx, _key(seen))
        if stored is not None and stored.place is None:
            await jobs.enqueue(tx, details_job(_key(seen), 0))
    renamed = known is not None and known.full_name != seen.repository.full_name
    return [repository] if renamed else []


def _key(seen: ListedAlert) -> AlertKey:
    return AlertKey(RepositoryId(seen.repository.id), AlertNumber(seen.alert.number))


def _summary(installation_id: InstallationId, last: SyncProgress | None) -> str:
    """One for what the first sweep finds, and one for each later time that old alerts come into view."""
    return f"first:{installation_id}" if last is None else f"first:{installation_id}:{int(last.finished_at)}"
