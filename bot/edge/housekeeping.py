"""What is done every minute by itself: sweeps, blocked messages again, forgetting what is over."""

import structlog

from bot.flows.blocked import retry_blocked
from bot.flows.channels import forget_changes
from bot.flows.sweep import ask_for_sweep
from bot.tools import Tools
from storage import deliveries, jobs, messages, roles
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
        await keep_house_once(tools)


async def keep_asking(tools: Tools) -> None:
    """Ask Slack and GitHub again how they stand, until cancelled."""
    while True:
        try:
            await tools.around.ask_again()
        except Exception as error:
            # Whatever one answer held, the next one is asked for.
            log.error("asking_stumbled", exc_info=error)


async def keep_house_once(tools: Tools) -> None:
    """One round of it. What fails is logged and done at the next round, and keeps nothing else from being done."""
    for do in (_ask_for_sweep, retry_blocked, _prune):
        try:
            await do(tools)
        except StorageUnavailable as error:
            log.error("housekeeping_waits", reason=str(error))
        except Exception as error:
            # Without its housekeeping a server would sync and forget nothing until it is restarted.
            log.error("housekeeping_stumbled", exc_info=error)


async def _ask_for_sweep(tools: Tools) -> None:
    if tools.sync_interval:
        await ask_for_sweep(tools, every=tools.sync_interval)


async def _prune(tools: Tools) -> None:
    async with tools.db.begin() as tx:
        await jobs.prune(tx, tx.now - KEPT)
        await deliveries.prune(tx, tx.now - KEPT)
        # Nothing of these counts for longer than an hour.
        await roles.prune(tx, tx.now - DAY)
        await messages.prune_pace(tx, tx.now - DAY)
        await forget_changes(tx, tx.now - DAY)
