"""Webhooks that GitHub could not deliver: asked for again, since GitHub itself never tries twice."""

import structlog

from bot.context import Context
from integrations.github.errors import Forbidden, GitHubError, Invalid, Moved, NotFound
from storage import deliveries, saved_values

log = structlog.get_logger(__name__)
MARK = "deliveries_seen"
KEPT = 3 * 86400.0
"""Seconds for which GitHub keeps a delivery that can be sent again."""
OVERLAP = 300.0
"""Seconds by which a look goes back behind the start of the last one."""
MOST = 200
"""So many are asked for at once at most; the sweep itself has found their alerts anyway."""


async def redeliver_failed(context: Context) -> int:
    """Have GitHub send again what never arrived since the last look; returns how much.

    A delivery is healed once any attempt at it succeeded. GitHub's trouble here is only logged: the alerts themselves
    are compared by the sweep.
    """
    started = context.clock.now()
    async with context.db.read() as tx:
        seen = await saved_values.load(tx, MARK)
    since = max(float(seen) if isinstance(seen, int | float) else 0.0, started - KEPT)
    try:
        failed = await _failed_since(context, since)
        again = [number for guid, number in failed.items() if not await _is_stored(context, guid)][:MOST]
        sent = [await _redeliver(context, number) for number in again]
    except GitHubError as error:
        log.warning("not_redelivered", reason=str(error))
        return 0
    async with context.db.begin() as tx:
        await saved_values.save(tx, MARK, started - OVERLAP)
    if again:
        log.info("redelivered", count=sum(sent), refused=len(sent) - sum(sent))
    return sum(sent)


async def _redeliver(context: Context, number: int) -> bool:
    """Ask for one attempt. A refusal of this one says nothing about the others; any other error is raised."""
    try:
        await context.github.redeliver(number)
    except (Forbidden, Invalid, Moved, NotFound) as error:
        log.warning("not_redelivered", delivery_id=number, reason=str(error))
        return False
    return True


async def _failed_since(context: Context, since: float) -> dict[str, int]:
    """The latest attempt at each delivery that no attempt brought here, by guid."""
    healed: set[str] = set()
    failed: dict[str, int] = {}
    async for attempt in context.github.deliveries():
        if attempt.delivered_at < since:
            break
        if attempt.ok:
            healed.add(attempt.guid)
        else:
            failed.setdefault(attempt.guid, attempt.id)
    return {guid: number for guid, number in failed.items() if guid not in healed}


async def _is_stored(context: Context, guid: str) -> bool:
    """We may have stored what GitHub took for lost, when our answer came too late."""
    async with context.db.read() as tx:
        return await deliveries.load(tx, guid) is not None
