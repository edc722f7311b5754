"""Probes secrets again: after a report until it is known whether they work, and a day after closures as revoked."""

from dataclasses import replace

import structlog

from bot.actions.probe import ProbeResult, fetch_and_probe
from bot.actions.report_leak import FOLLOW_UP_DELAYS
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.alerts.store_alert import plan_consequences
from bot.flows.build_case import load_alert
from bot.job_kinds import FollowUpReport, SendAnswer
from bot.job_rows import new_job
from bot.rules.alert_merge import merge_facts
from bot.rules.validity import confirmed_inactive, effective_validity, is_probeable, is_probed
from bot.views.answers import report_ended
from integrations.github.errors import Forbidden, InstallationGone, Invalid, NotFound
from storage import alerts, jobs, leases, messages
from storage.db import Tx
from storage.records import (
    Alert,
    AlertKey,
    Event,
    EventKind,
    Job,
    MessagePurpose,
    MessageState,
    Report,
    ReportState,
    Repository,
    UnixTime,
)

log = structlog.get_logger(__name__)
MOST_PROBES = 6
"""Probes at most, where GitHub gives no clear answer."""


async def follow_up_report(context: Context, key: AlertKey, number: int, job: Job) -> None:
    """Probe once more; `number` counts from 0. Raises GitHubError, and the job is tried again."""
    # 1. Whether the result is still awaited.
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None or not _is_awaited(alert):
        return
    if not context.options.validity.probes:
        # The operator has turned probes off since the report.
        await _record(context, key, repository, None, MOST_PROBES, job)
        return
    # 2. A probe with the secret, fetched anew. A refusal by GitHub counts as an unclear verdict.
    result = None
    try:
        repository, access = await repository_access.reach(context, repository)
        result = await fetch_and_probe(context, access, alert, repository, by=None)
    except Refused as refused:
        log.warning("not_asked_again", alert=str(key), reason=refused.audited)
    except (Forbidden, NotFound, Invalid, InstallationGone) as error:
        log.warning("not_asked_again", alert=str(key), reason=str(error))
    # 3. The result, and the next probe, or an answer to the person who reported it.
    await _record(context, key, repository, result, number, job)


def _is_awaited(alert: Alert) -> bool:
    return alert.report is not None and alert.report.state is ReportState.REPORTED


async def _record(
    context: Context, key: AlertKey, repository: Repository, result: ProbeResult | None, number: int, job: Job
) -> None:
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        alert = await alerts.load_for_update(tx, key)
        if alert is None or alert.report is None or not _is_awaited(alert):
            return
        verdict = result.probe.verdict if result else "unknown"
        delay = _next_delay(verdict, number)
        report = _report(alert.report, verdict, tx.now + delay if delay else None)
        after = replace(result.apply_to(alert) if result else alert, report=report)
        await alerts.save(tx, after)
        stored = await alerts.add_events(tx, _events(after, report, result.probe.at if result else tx.now))
        if delay:
            await jobs.enqueue(tx, new_job(FollowUpReport(key, number + 1), delay=delay))
        elif report.by.slack_user and number < MOST_PROBES and not await _is_shown(tx, after, report):
            ended = report_ended(after, repository, report.state)
            await jobs.enqueue(tx, new_job(SendAnswer(report.by.slack_user, ended)))
        await plan_consequences(tx, context, after, repository, stored)


async def _is_shown(tx: Tx, alert: Alert, report: Report) -> bool:
    """Whether a card shows the good end; who reported is told of any other one in any case."""
    if report.state is not ReportState.CONFIRMED:
        return False
    cards = await messages.of_alert(tx, alert.key, MessagePurpose.CARD)
    return any(card.state is MessageState.POSTED and not card.is_blocked for card in cards)


def _next_delay(verdict: str, number: int) -> float | None:
    """Seconds until the next probe, None after the last one: they come 1, 5 and 15 minutes after the report."""
    if verdict == "inactive":
        return None
    if number + 1 < len(FOLLOW_UP_DELAYS):
        return FOLLOW_UP_DELAYS[number + 1] - FOLLOW_UP_DELAYS[number]
    return FOLLOW_UP_DELAYS[-1] if verdict == "unknown" and number + 1 < MOST_PROBES else None


def _report(report: Report, verdict: str, next_look_at: UnixTime | None) -> Report:
    if verdict == "inactive":
        return replace(report, state=ReportState.CONFIRMED, next_look_at=None)
    if verdict == "active" and next_look_at is None:
        return replace(report, state=ReportState.STILL_ACTIVE, next_look_at=None)
    return replace(report, next_look_at=next_look_at)


def _events(alert: Alert, report: Report, at: UnixTime) -> tuple[Event, ...]:
    if report.state is ReportState.CONFIRMED:
        details = {"confirmed": confirmed_inactive(alert)}
        once = f"confirmed:{report.at}"
        return (Event(alert.key, EventKind.REPORT_CONFIRMED, at, details=details, once=once),)
    if report.state is ReportState.STILL_ACTIVE:
        return (Event(alert.key, EventKind.REPORT_STILL_ACTIVE, at, once=f"still_active:{report.at}"),)
    return ()


async def recheck_revoked(context: Context, key: AlertKey, resolved_at: UnixTime, job: Job) -> None:
    """Raise an alert again, a day after it was closed as revoked, if its secret still works.

    Raises GitHubError for an outage, and the job is tried again.
    """
    # 1. Whether it is still closed by that closure.
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None or not _is_closed_since(alert, resolved_at):
        return
    if is_probeable(alert) and not is_probed(alert, context.options.validity):
        return
    # 2. GitHub's validity, and for a token of GitHub's a probe.
    try:
        repository, access = await repository_access.reach(context, repository)
        facts = await access.alert(repository.full_name, key.number)
        seen = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
        if is_probeable(seen) and not seen.is_open:
            result = await fetch_and_probe(context, access, seen, repository, by=None)
            seen = result.apply_to(seen)
    except (Refused, Forbidden, NotFound, Invalid, InstallationGone) as error:
        reason = error.audited if isinstance(error, Refused) else str(error)
        log.warning("not_asked_again", alert=str(key), reason=reason)
        return
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
        once = f"still_works:{resolved_at}"
        raised = Event(key, EventKind.RAISED_AGAIN, tx.now, details={"because": "still_works"}, once=once)
        stored = await alerts.add_events(tx, (raised,) if _still_works(after) else ())
        await plan_consequences(tx, context, after, repository, stored)


def _is_closed_since(alert: Alert, resolved_at: UnixTime) -> bool:
    return not alert.is_open and alert.resolution == "revoked" and alert.resolved_at == resolved_at


def _still_works(alert: Alert) -> bool:
    """Whether it is known to work now. A validity that Stanch wrote to GitHub before the closure does not count."""
    if alert.validity_written and (alert.probe is None or alert.probe.verdict == "unknown"):
        return False
    return effective_validity(alert) == "active"
