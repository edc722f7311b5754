"""What is done every minute by itself: sweeps, blocked messages again, forgetting what is over."""

import structlog

from bot.context import Context
from bot.flows.alerts.sync import request_sync
from bot.flows.channel_facts import delete_channel_changes
from bot.flows.messages.blocked_messages import retry_blocked
from storage import deliveries, jobs, messages, role_cache
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
EVERY = 60.0
"""Seconds between two rounds."""
DAY = 86400.0
KEPT = 3 * DAY
"""Seconds for which done jobs and worked deliveries are remembered; GitHub redelivers within three days."""


async def keep_house(context: Context) -> None:
    """Until cancelled."""
    while True:
        await context.clock.sleep(EVERY)
        await keep_house_once(context)


async def keep_asking(context: Context) -> None:
    """Ask Slack and GitHub again how they stand, until cancelled."""
    while True:
        try:
            await context.platforms.ask_again()
        except Exception as error:
            # Whatever one answer held, the next one is asked for.
            log.error("asking_stumbled", exc_info=error)


async def keep_house_once(context: Context) -> None:
    """One round of it. What fails is logged and done at the next round, and keeps nothing else from being done."""
    for do in (_ask_for_sweep, retry_blocked, _prune):
        try:
            await do(context)
        except StorageUnavailable as error:
            log.error("housekeeping_waits", reason=str(error))
        except Exception as error:
            # Without its housekeeping a server would sync and forget nothing until it is restarted.
            log.error("housekeeping_stumbled", exc_info=error)


async def _ask_for_sweep(context: Context) -> None:
    if context.sync_interval:
        await request_sync(context, every=context.sync_interval)


async def _prune(context: Context) -> None:
    async with context.db.begin() as tx:
        await jobs.prune(tx, tx.now - KEPT)
        await deliveries.prune(tx, tx.now - KEPT)
        # Nothing of these counts for longer than an hour.
        await role_cache.prune(tx, tx.now - DAY)
        await messages.prune_pace(tx, tx.now - DAY)
        await delete_channel_changes(tx, tx.now - DAY)
