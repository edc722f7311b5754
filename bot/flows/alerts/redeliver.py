"""Requests redelivery of webhooks that failed; GitHub itself does not retry them."""

import structlog

from bot.context import Context
from integrations.github.errors import Forbidden, GitHubError, Invalid, Moved, NotFound
from storage import deliveries, saved_values

log = structlog.get_logger(__name__)
SAVED_AS = "deliveries_seen"
"""The name of the saved value: the time from which on deliveries are read the next time."""
KEPT = 3 * 86400.0
"""Seconds for which GitHub can redeliver a webhook."""
OVERLAP = 300.0
"""Seconds by which a reading goes back behind the start of the last one."""
MOST = 200
"""Redeliveries requested at once at most; the sync has stored the alerts of all of them anyway."""


async def redeliver_failed(context: Context) -> int:
    """Request redelivery of what failed since the last reading; returns how many requests GitHub accepted.

    A delivery has not failed if any attempt at it succeeded. Errors of GitHub's are only logged: the sync stores the
    alerts anyway.
    """
    started = context.clock.now()
    async with context.db.read() as tx:
        seen = await saved_values.load(tx, SAVED_AS)
    since = max(float(seen) if isinstance(seen, int | float) else 0.0, started - KEPT)
    try:
        failed = await _failed_since(context, since)
        async with context.db.read() as tx:
            # GitHub counts a late answer as a failure, so a failed delivery may be stored all the same.
            again = [number for guid, number in failed.items() if not await deliveries.load(tx, guid)][:MOST]
        sent = [await _redeliver(context, number) for number in again]
    except GitHubError as error:
        log.warning("not_redelivered", reason=str(error))
        return 0
    async with context.db.begin() as tx:
        await saved_values.save(tx, SAVED_AS, started - OVERLAP)
    if again:
        log.info("redelivered", count=sum(sent), refused=len(sent) - sum(sent))
    return sum(sent)


async def _redeliver(context: Context, number: int) -> bool:
    """Request one redelivery; False where GitHub refuses this one. Any other error is raised."""
    try:
        await context.github.redeliver(number)
    except (Forbidden, Invalid, Moved, NotFound) as error:
        log.warning("not_redelivered", delivery_id=number, reason=str(error))
        return False
    return True


async def _failed_since(context: Context, since: float) -> dict[str, int]:
    """The latest attempt at each delivery without a successful attempt, by guid."""
    succeeded: set[str] = set()
    failed: dict[str, int] = {}
    async for attempt in context.github.deliveries():
        if attempt.delivered_at < since:
            break
        if attempt.ok:
            succeeded.add(attempt.guid)
        else:
            failed.setdefault(attempt.guid, attempt.id)
    return {guid: number for guid, number in failed.items() if guid not in succeeded}
