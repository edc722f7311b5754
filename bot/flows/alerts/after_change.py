"""Plans what follows from a changed alert: its messages and rechecks. Rechecks closures as revoked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.actions.probe import fetch_and_probe
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.messages import blocked_messages
from bot.flows.messages.plan import plan_messages
from bot.job_kinds import CorrectValidity, RecheckRevoked
from bot.job_rows import new_job
from bot.rules.alert_merge import merge_facts
from bot.rules.validity import CheckKind, check_kind, effective_validity, is_override_untrue
from storage import alerts, jobs, leases, repositories
from storage.db import Tx
from storage.records import Alert, AlertKey, Event, EventKind, Job, NewJob, Repository, UnixTime

RECHECK_AFTER = 86400.0
"""Seconds from a closure as revoked to its recheck."""


async def plan_consequences(
    tx: Tx,
    context: Context,
    alert: Alert,
    repository: Repository,
    events: Sequence[Event],
    *,
    delay: float = 0.0,
    summary: str | None = None,
    more_jobs: Sequence[NewJob] = (),
) -> None:
    """Plan a changed alert's messages and rechecks, in the transaction of the change.

    `events` are the timeline entries that the change added, `more_jobs` what else it enqueues. The rest is as for
    `plan_messages`.
    """
    planned = await plan_messages(tx, context, alert, repository, events, delay=delay, summary=summary)
    await blocked_messages.show_blocked(tx, context, alert, planned.cards, events)
    await jobs.enqueue(tx, *more_jobs, *planned.jobs, *_rechecks(alert, events))


def _rechecks(alert: Alert, events: Sequence[Event]) -> Iterator[NewJob]:
    closed = any(event.kind is EventKind.CLOSED for event in events)
    if closed and alert.resolution == "revoked" and alert.resolved_at is not None:
        yield new_job(
            RecheckRevoked(alert.key, alert.resolved_at),
            dedup=f"revoked_look:{alert.key}:{alert.resolved_at}",
            delay=RECHECK_AFTER,
        )
    if is_override_untrue(alert) and alert.probe is not None:
        yield new_job(CorrectValidity(alert.key), dedup=f"keep_validity:{alert.key}:{alert.probe.at}")


async def recheck_revoked(context: Context, key: AlertKey, resolved_at: UnixTime, job: Job) -> None:
    """Raise an alert again, a day after it was closed as revoked, if its secret still works."""
    # 1. Whether it is still closed by that closure.
    async with context.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
    if alert is None or repository is None or not _is_closed_since(alert, resolved_at):
        return
    # 2. GitHub's validity, and for a token of GitHub's a probe.
    try:
        repository, _, access = await repository_access.reach(context, repository)
    except Refused:
        return
    facts = await access.alert(repository.full_name, key.number)
    seen = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
    if check_kind(seen) is CheckKind.PROBE and not seen.is_open:
        asked = await fetch_and_probe(context, access, seen, repository, by=None)
        seen = asked.apply_to(seen)
    # 3. A reply in the thread, once.
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
        await plan_consequences(tx, context, after, repository, stored)


def _is_closed_since(alert: Alert, resolved_at: UnixTime) -> bool:
    return not alert.is_open and alert.resolution == "revoked" and alert.resolved_at == resolved_at


def _still_works(alert: Alert) -> bool:
    """Whether it is known to work now. A validity that Stanch wrote to GitHub before the closure does not count."""
    if alert.validity_written and (alert.probe is None or alert.probe.verdict == "unknown"):
        return False
    return effective_validity(alert) == "active"
