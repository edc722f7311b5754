"""Once a minute: requests syncs and checks of subscriptions, retries blocked messages, ends what has expired."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from bot.context import Context
from bot.errors import UnusableJob
from bot.flows.alerts.sync import REQUESTED_AT, request_sync
from bot.flows.channel_facts import delete_channel_changes
from bot.flows.messages.blocked_messages import retry_blocked
from bot.flows.messages.time_away import note_running
from bot.flows.people.directory import request_directory
from bot.flows.people.linking import drop_expired
from bot.flows.people.tokens import end_lapsed
from bot.flows.private_answers import has_waiting
from bot.flows.subscribing.watch import request_checks
from bot.job_rows import NOT_OF_THIS_VERSION, read_job
from storage import (
    approvals,
    deliveries,
    directory_pairs,
    jobs,
    link_requests,
    messages,
    role_cache,
    saved_values,
    slots,
)
from storage.db import StorageUnavailable, Tx, rare_statements
from storage.records import Job, JobState

log = structlog.get_logger(__name__)
EVERY = 60.0
"""Seconds between two rounds."""
DAY = 86400.0
KEPT = 3 * DAY
"""Seconds for which done jobs and deliveries are kept; GitHub redelivers within three days."""
NOTICES_KEPT = 30 * DAY
"""Seconds for which notices can still be redrawn."""
LEAVERS_KEPT = 365 * DAY
"""Seconds for which the directory's pairs of leavers are kept: their addresses may be used again."""

Prune: TypeAlias = Callable[[Tx, float], Awaitable[object]]
"""Deletes the rows of one kind that are older than a time."""


async def run_housekeeping(context: Context) -> None:
    """Run it every minute until cancelled."""
    while True:
        await context.clock.sleep(EVERY)
        await run_housekeeping_once(context)


async def keep_platforms_checked(context: Context) -> None:
    """Check again and again whether Slack and GitHub answer, until cancelled."""
    while True:
        try:
            await context.platforms.check_again()
        except Exception as error:
            # An answer that we fail to read must not end the checks.
            log.error("asking_stumbled", exc_info=error)


async def run_housekeeping_once(context: Context) -> None:
    """Run each part once. A part that fails is logged and does not stop the others."""
    parts = (
        note_running,
        _request_sync,
        _retry_of_older_versions,
        retry_blocked,
        request_checks,
        drop_expired,
        end_lapsed,
        request_directory,
    )
    with rare_statements():
        for part in parts:
            await _run_part(part(context))
        for prune, kept in _EXPIRED:
            await _run_part(_delete(context, prune, kept))


async def _run_part(part: Awaitable[object]) -> None:
    try:
        await part
    except StorageUnavailable as error:
        log.error("housekeeping_waits", reason=str(error))
    except Exception as error:
        # If this task ended, the server would sync and delete nothing until its restart.
        log.error("housekeeping_stumbled", exc_info=error)


async def _request_sync(context: Context) -> None:
    """Not soon after another: a start's sync may still run, and both would make more calls than GitHub allows."""
    interval = context.sync_interval
    if not interval:
        return
    async with context.db.read() as tx:
        last = await saved_values.load(tx, REQUESTED_AT)
        ago = tx.now - last if isinstance(last, int | float) else interval
    if not 0 <= ago < interval / 2:
        await request_sync(context, every=interval)


async def _retry_of_older_versions(context: Context) -> None:
    """Retry the jobs of this version that an older one parked, since it could not read them during an upgrade.

    Where a person waited for the job, the older version has told the person that nothing is done: it stays parked.
    """
    async with context.db.begin() as tx:
        for job in await jobs.list_jobs(tx, states=[JobState.PARKED]):
            if NOT_OF_THIS_VERSION in (job.error or "") and _is_usable(job) and not has_waiting(job.payload):
                await jobs.retry(tx, job.id)
                log.info("job_retried", job_id=job.id, job=job.kind, reason=job.error)


def _is_usable(job: Job) -> bool:
    try:
        read_job(job)
    except UnusableJob:
        return False
    return True


async def _delete(context: Context, prune: Prune, kept: float) -> None:
    async with context.db.begin() as tx:
        await prune(tx, tx.now - kept)


_EXPIRED: tuple[tuple[Prune, float], ...] = (
    (jobs.prune, KEPT),
    (deliveries.prune, KEPT),
    # None of these rows is used after an hour.
    (role_cache.prune, DAY),
    (slots.prune, DAY),
    (approvals.prune, KEPT),
    (messages.prune_notices, NOTICES_KEPT),
    (link_requests.prune, 0.0),
    (directory_pairs.prune_left, LEAVERS_KEPT),
    (delete_channel_changes, DAY),
)
"""What is deleted, and after how many seconds."""
