"""`/healthz`, `/readyz` and `/metrics`."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.context import Context
from bot.platforms import PlatformState
from bot.views.formatting import counted
from storage import alerts, jobs, messages
from storage.db import StorageUnavailable

UNCERTAIN_SHOWN = 86400.0
"""Seconds for which `/readyz` counts a message of which it is unknown whether it was posted."""


async def healthz(_: web.Request) -> web.Response:
    """Always 200: the process runs."""
    return web.Response(text="ok\n")


async def readyz(context: Context) -> web.Response:
    """The states of database, Slack and GitHub; 503 only if the database fails, since jobs wait for the others."""
    database, blocked, uncertain = await _database(context)
    body = {
        "ready": database.ok,
        "database": _state_json(database),
        "slack": _state_json(_slack(context)),
        "github": _state_json(context.platforms.github),
        "accounts": _state_json(_accounts(context)),
        "channels": _state_json(_channels(blocked, uncertain)),
    }
    return web.json_response(body, status=200 if database.ok else 503)


async def metrics(context: Context) -> web.Response:
    """Prometheus text; the gauges are read from the database now."""
    try:
        async with context.db.read() as tx:
            for state, number in (await jobs.count(tx)).items():
                context.metrics.jobs.labels(state).set(number)
            for alert_state, number in (await alerts.count_by_state(tx)).items():
                context.metrics.alerts.labels(alert_state).set(number)
            context.metrics.blocked_messages.set(await messages.count_blocked(tx))
    except StorageUnavailable:
        # The counters are useful without the database; `/readyz` gives the reason.
        pass
    return web.Response(
        body=generate_latest(context.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _slack(context: Context) -> PlatformState:
    """The state of the Web API while that fails, otherwise of the Socket Mode connection, where there is one."""
    platforms = context.platforms
    return platforms.socket if platforms.slack.ok and platforms.socket is not None else platforms.slack


def _accounts(context: Context) -> PlatformState:
    """Whether every configured account is known: deliveries of an unknown one are dropped."""
    ours = context.platforms.accounts
    return PlatformState(ok=ours.are_known, reason="; ".join(ours.remarks) or "known")


def _channels(blocked: int, uncertain: int) -> PlatformState:
    reasons = []
    if blocked:
        waits = "waits" if blocked == 1 else "wait"
        reasons.append(f"{counted(blocked, 'message')} {waits} for a channel that can't take messages now")
    if uncertain:
        reasons.append(
            f"{counted(uncertain, 'message')} of the last day may or may not have been posted; "
            "the log has uncertain_post for each"
        )
    return PlatformState(ok=not reasons, reason="; ".join(reasons) or "none waits")


async def _database(context: Context) -> tuple[PlatformState, int, int]:
    """The database's state, the number of blocked messages, and the number of messages of unknown outcome."""
    try:
        if not await context.db.is_migrated():
            return PlatformState(ok=False, reason="not migrated; run stanch migrate"), 0, 0
        async with context.db.read() as tx:
            uncertain = await messages.count_uncertain(tx, tx.now - UNCERTAIN_SHOWN)
            return PlatformState(ok=True, reason="answers"), await messages.count_blocked(tx), uncertain
    except StorageUnavailable as error:
        return PlatformState(ok=False, reason=str(error)), 0, 0


def _state_json(state: PlatformState) -> dict[str, str]:
    return {"state": "ok" if state.ok else "failing", "reason": state.reason}
