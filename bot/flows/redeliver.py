"""Webhooks that GitHub could not deliver: asked for again, since GitHub itself never tries twice."""

import structlog

from bot.tools import Tools
from integrations.github.errors import Forbidden, GitHubError, Invalid, Moved, NotFound
from storage import deliveries, marks

log = structlog.get_logger(__name__)
MARK = "deliveries_seen"
KEPT = 3 * 86400.0
"""Seconds for which GitHub keeps a delivery that can be sent again."""
OVERLAP = 300.0
"""Seconds by which a look goes back behind the start of the last one."""
MOST = 200
"""So many are asked for at once at most; the sweep itself has found their alerts anyway."""


async def redeliver_failed(tools: Tools) -> int:
    """Have GitHub send again what never arrived since the last look; returns how much.

    A delivery is healed once any attempt at it succeeded. GitHub's trouble here is only logged: the alerts themselves
    are compared by the sweep.
    """
    started = tools.clock.now()
    async with tools.db.read() as tx:
        seen = await marks.load(tx, MARK)
    since = max(float(seen) if isinstance(seen, int | float) else 0.0, started - KEPT)
    try:
        failed = await _failed_since(tools, since)
        again = [number for guid, number in failed.items() if not await _is_stored(tools, guid)][:MOST]
        sent = [await _redeliver(tools, number) for number in again]
    except GitHubError as error:
        log.warning("not_redelivered", reason=str(error))
        return 0
    async with tools.db.begin() as tx:
        await marks.save(tx, MARK, started - OVERLAP)
    if again:
        log.info("redelivered", count=sum(sent), refused=len(sent) - sum(sent))
    return sum(sent)


async def _redeliver(tools: Tools, number: int) -> bool:
    """Ask for one attempt. A refusal of this one says nothing about the others; any other error is raised."""
    try:
        await tools.github.redeliver(number)
    except (Forbidden, Invalid, Moved, NotFound) as error:
        log.warning("not_redelivered", delivery_id=number, reason=str(error))
        return False
    return True


async def _failed_since(tools: Tools, since: float) -> dict[str, int]:
    """The latest attempt at each delivery that no attempt brought here, by guid."""
    healed: set[str] = set()
    failed: dict[str, int] = {}
    async for attempt in tools.github.deliveries():
        if attempt.delivered_at < since:
            break
        if attempt.ok:
            healed.add(attempt.guid)
        else:
            failed.setdefault(attempt.guid, attempt.id)
    return {guid: number for guid, number in failed.items() if guid not in healed}


async def _is_stored(tools: Tools, guid: str) -> bool:
    """We may have stored what GitHub took for lost, when our answer came too late."""
    async with tools.db.read() as tx:
        return await deliveries.load(tx, guid) is not None
