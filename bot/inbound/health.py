"""What operators and their machines ask: is it alive, is it ready, what has it counted."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.context import Context
from bot.platforms import PlatformState
from storage import alerts, jobs, messages
from storage.db import StorageUnavailable

UNCERTAIN_SHOWN = 86400.0
"""Seconds for which `/readyz` names a message that may or may not have arrived."""


async def healthz(_: web.Request) -> web.Response:
    """The process lives."""
    return web.Response(text="ok\n")


async def readyz(context: Context) -> web.Response:
    """How database, Slack and GitHub stand; 503 only where the database fails: the rest is waited for."""
    database, waiting, uncertain = await _database(context)
    body = {
        "ready": database.ok,
        "database": _standing(database),
        "slack": _standing(_slack(context)),
        "github": _standing(context.platforms.github),
        "accounts": _standing(_accounts(context)),
        "channels": {
            "state": "failing" if waiting or uncertain else "ok",
            "reason": _channels(waiting, uncertain),
        },
    }
    return web.json_response(body, status=200 if database.ok else 503)


async def metrics(context: Context) -> web.Response:
    """Prometheus text; gauges are read from the database at that moment."""
    try:
        async with context.db.read() as tx:
            for state, number in (await jobs.count(tx)).items():
                context.metrics.jobs.labels(state).set(number)
            for alert_state, number in (await alerts.count_by_state(tx)).items():
                context.metrics.alerts.labels(alert_state).set(number)
            context.metrics.blocked_messages.set(await messages.count_blocked(tx))
    except StorageUnavailable:
        # Without a database the counters still tell something; `/readyz` tells why.
        pass
    return web.Response(
        body=generate_latest(context.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _slack(context: Context) -> PlatformState:
    """The Web API's trouble comes first: without it a connection is of little use."""
    platforms = context.platforms
    return platforms.socket if platforms.slack.ok and platforms.socket is not None else platforms.slack


def _accounts(context: Context) -> PlatformState:
    """Whether it is known whose installations count; a name that means nobody would drop every delivery."""
    ours = context.platforms.accounts
    return PlatformState(ok=ours.are_known, reason="; ".join(ours.remarks) or "known")


def _channels(waiting: int, uncertain: int) -> str:
    reasons = []
    if waiting:
        reasons.append(f"{waiting} messages wait for a channel that may take them")
    if uncertain:
        reasons.append(
            f"{uncertain} messages of the last day may or may not be in their channel; "
            "the log names them as uncertain_post"
        )
    return "; ".join(reasons) or "none waits"


async def _database(context: Context) -> tuple[PlatformState, int, int]:
    """How the database stands; how many messages are blocked, and how many are of unknown outcome for good."""
    try:
        if not await context.db.is_migrated():
            return PlatformState(ok=False, reason="not migrated; run stanch migrate"), 0, 0
        async with context.db.read() as tx:
            uncertain = await messages.count_uncertain(tx, tx.now - UNCERTAIN_SHOWN)
            return PlatformState(ok=True, reason="answers"), await messages.count_blocked(tx), uncertain
    except StorageUnavailable as error:
        return PlatformState(ok=False, reason=str(error)), 0, 0


def _standing(standing: PlatformState) -> dict[str, str]:
    return {"state": "ok" if standing.ok else "failing", "reason": standing.reason}
