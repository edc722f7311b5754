"""Once a minute: requests syncs and checks of subscriptions, retries blocked messages, deletes expired rows."""

import structlog

from bot.context import Context
from bot.flows.alerts.sync import request_sync
from bot.flows.channel_facts import delete_channel_changes
from bot.flows.messages.blocked_messages import retry_blocked
from bot.flows.subscribing.watch import request_checks
from storage import deliveries, jobs, messages, role_cache
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
EVERY = 60.0
"""Seconds between two rounds."""
DAY = 86400.0
KEPT = 3 * DAY
"""Seconds for which done jobs and deliveries are kept; GitHub redelivers within three days."""
NOTICES_KEPT = 30 * DAY
"""Seconds for which notices can still be redrawn."""


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
    for part in (_request_sync, retry_blocked, request_checks, _delete_expired):
        try:
            await part(context)
        except StorageUnavailable as error:
            log.error("housekeeping_waits", reason=str(error))
        except Exception as error:
            # If this task ended, the server would sync and delete nothing until its restart.
            log.error("housekeeping_stumbled", exc_info=error)


async def _request_sync(context: Context) -> None:
    if context.sync_interval:
        await request_sync(context, every=context.sync_interval)


async def _delete_expired(context: Context) -> None:
    async with context.db.begin() as tx:
        await jobs.prune(tx, tx.now - KEPT)
        await deliveries.prune(tx, tx.now - KEPT)
        # None of these rows is used after an hour.
        await role_cache.prune(tx, tx.now - DAY)
        await messages.prune_pace(tx, tx.now - DAY)
        await messages.prune_notices(tx, tx.now - NOTICES_KEPT)
        await delete_channel_changes(tx, tx.now - DAY)
