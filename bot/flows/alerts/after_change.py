"""What follows from a change of an alert: its messages, and what is looked at later."""

from collections.abc import Sequence
from dataclasses import replace

from bot.actions.probe import fetch_and_probe
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.messages import blocked_messages
from bot.flows.messages.plan import plan
from bot.job_kinds import CorrectValidity, RecheckRevoked
from bot.job_rows import new_job
from bot.rules.alert_merge import merge_facts
from bot.rules.validity import CheckKind, check_kind, effective_validity, is_override_untrue
from storage import alerts, jobs, leases, repositories
from storage.db import Tx
from storage.records import Alert, AlertKey, Event, EventKind, Job, Repository, UnixTime

REVOKED_LOOK = 86400.0
"""Seconds after a closure as revoked at which it is looked at whether that is true."""


async def follow(
    tx: Tx,
    context: Context,
    alert: Alert,
    repository: Repository,
    events: Sequence[Event],
    *,
    delay: float = 0.0,
    summary: str | None = None,
) -> None:
    """Within the change's own transaction: plan its messages and later looks; the rest is as for `plan`."""
    await plan(tx, context, alert, repository, events, delay=delay, summary=summary)
    await blocked_messages.stand_in_for_blocked(tx, context, alert, events)
    closed = any(event.kind is EventKind.CLOSED for event in events)
    if closed and alert.resolution == "revoked" and alert.resolved_at is not None:
        look = new_job(
            RecheckRevoked(alert.key, alert.resolved_at),
            dedup=f"revoked_look:{alert.key}:{alert.resolved_at}",
            delay=REVOKED_LOOK,
        )
        await jobs.enqueue(tx, look)
    if is_override_untrue(alert) and alert.probe is not None:
        correction = new_job(CorrectValidity(alert.key), dedup=f"keep_validity:{alert.key}:{alert.probe.at}")
        await jobs.enqueue(tx, correction)


async def look_at_revoked(context: Context, key: AlertKey, resolved_at: UnixTime, job: Job) -> None:
    """A day after a closure as revoked: raise the alert again where its secret still works."""
    # 1. Is it still closed by that closure?
    async with context.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
    if alert is None or repository is None or not _is_closed_since(alert, resolved_at):
        return
    # 2. GitHub's word, and for a token of GitHub's the token itself.
    try:
        repository, _, access = await repository_access.reach(context, repository)
    except Refused:
        return
    facts = await access.alert(repository.full_name, key.number)
    seen = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
    if check_kind(seen) is CheckKind.PROBE and not seen.is_open:
        asked = await fetch_and_probe(context, access, seen, repository, by=None)
        seen = asked.apply_to(seen)
    # 3. Said again in the thread, once.
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        current = await alerts.load_for_update(tx, key)
        if current is None or not _is_closed_since(current, resolved_at):
            return
        after = replace(
            current,
            probe=seen.probe,
            token=seen.token,
            validity=seen.validity,
            validity_written=seen.validity_written,
        )
        await alerts.save(tx, after)
        raised = Event(
            key,
            EventKind.RAISED_AGAIN,
            tx.now,
            details={"because": "still_works"},
            once=f"still_works:{resolved_at}",
        )
        stored = await alerts.add_events(tx, (raised,) if _still_works(after) else ())
        await follow(tx, context, after, repository, stored)


def _is_closed_since(alert: Alert, resolved_at: UnixTime) -> bool:
    return not alert.is_open and alert.resolution == "revoked" and alert.resolved_at == resolved_at


def _still_works(alert: Alert) -> bool:
    """Whether it is known to work now; what Stanch itself wrote to GitHub before the closure is no such word."""
    if alert.validity_written and (alert.probe is None or alert.probe.verdict == "unknown"):
        return False
    return effective_validity(alert) == "active"
