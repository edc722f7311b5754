"""What is done every minute by itself: sweeps, blocked messages again, forgetting what is over."""

import structlog

from bot.flows.publish import retry_blocked
from bot.flows.sweep import ask_for_sweep
from bot.tools import Tools
from storage import deliveries, jobs
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
EVERY = 60.0
"""Seconds between two rounds."""
DAY = 86400.0
KEPT = 3 * DAY
"""Seconds for which done jobs and worked deliveries are remembered; GitHub redelivers within three days."""


async def keep_house(tools: Tools) -> None:
    """Until cancelled."""
    while True:
        await tools.clock.sleep(EVERY)
        try:
            await keep_house_once(tools)
        except StorageUnavailable as error:
            log.error("housekeeping_waits", reason=str(error))


async def keep_house_once(tools: Tools) -> None:
    """One round of it."""
    if tools.sync_interval:
        await ask_for_sweep(tools, every=tools.sync_interval)
    await retry_blocked(tools)
    async with tools.db.begin() as tx:
        await jobs.prune(tx, tx.now - KEPT)
        await deliveries.prune(tx, tx.now - KEPT)
