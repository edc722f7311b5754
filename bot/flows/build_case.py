"""Loads an alert, and builds its case: the facts that drawings and decisions look at."""

from collections.abc import Mapping

from bot.context import Context
from bot.rules.case import Case
from bot.rules.checklist import Tick, done_count, has_checklist, steps_for, ticks
from storage import alerts, messages, repositories
from storage.db import Tx
from storage.records import Alert, AlertKey, EventKind, MessagePurpose, Repository


def build_case(
    context: Context, alert: Alert, repository: Repository, done: Mapping[str, Tick] | None = None
) -> Case:
    """The case as of now; `done` has who did which step of the checklist, None while there is no checklist."""
    has_steps = done is not None and has_checklist(alert)
    steps = steps_for(alert.secret_type, context.options) if has_steps else ()
    return Case(
        alert=alert,
        repository=repository,
        now=context.clock.now(),
        server=context.platforms.server,
        options=context.options,
        steps_done=done_count(steps, done or {}),
        steps_total=len(steps),
    )


async def load_alert(context: Context, key: AlertKey) -> tuple[Alert | None, Repository | None]:
    """What is stored of an alert and of its repository."""
    async with context.db.read() as tx:
        return await alerts.load(tx, key), await repositories.load_repository(tx, key.repository_id)


async def load_case(tx: Tx, context: Context, alert: Alert, repository: Repository) -> Case:
    """The case as of now, with the checklist's state loaded from the store."""
    done = None
    if has_checklist(alert) and await messages.of_alert(tx, alert.key, MessagePurpose.CHECKLIST):
        done = await load_ticks(tx, alert)
    return build_case(context, alert, repository, done)


async def load_ticks(tx: Tx, alert: Alert) -> Mapping[str, Tick]:
    """Who has done which step of an alert's checklist."""
    return ticks(await alerts.events_of_kind(tx, alert.key, EventKind.STEPS_CHANGED))
