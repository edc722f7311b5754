"""After a report: asking GitHub again whether the secret still works, until that is known."""

from dataclasses import replace

import structlog

from bot.actions.probe import ProbeResult, fetch_and_probe
from bot.actions.report_leak import FOLLOW_UP_DELAYS
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.alerts.after_change import plan_consequences
from bot.flows.private_answers import Recipient, answer_job
from bot.job_kinds import FollowUpReport
from bot.job_rows import new_job
from bot.rules.validity import confirmed_inactive
from bot.views.answers import report_ended
from integrations.github.errors import Forbidden, InstallationGone, Invalid, NotFound
from storage import alerts, jobs, leases, repositories
from storage.records import (
    Alert,
    AlertKey,
    Event,
    EventKind,
    Job,
    Report,
    ReportState,
    Repository,
    UnixTime,
)

log = structlog.get_logger(__name__)
LOOKS = 6
"""How often it is asked at most, where GitHub gives no clear answer."""


async def follow_up_report(context: Context, key: AlertKey, look: int, job: Job) -> None:
    """Ask once more; `look` counts from 0. Raises GitHubError, and the job is tried again."""
    # 1. Is there still something to find out?
    async with context.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
    if alert is None or repository is None or not _is_awaited(alert):
        return
    # 2. Ask with the token itself, fetched anew. A refusal of GitHub's is an answer that tells nothing.
    asked = None
    try:
        repository, _, access = await repository_access.reach(context, repository)
        asked = await fetch_and_probe(context, access, alert, repository, by=None)
    except Refused as refused:
        log.warning("not_asked_again", alert=str(key), reason=refused.audited)
    except (Forbidden, NotFound, Invalid, InstallationGone) as error:
        log.warning("not_asked_again", alert=str(key), reason=str(error))
    # 3. Record it, with the next look where one is needed; whoever reported hears how it ended.
    await _record(context, key, repository, asked, look, job)


def _is_awaited(alert: Alert) -> bool:
    return alert.report is not None and alert.report.state is ReportState.REPORTED


async def _record(
    context: Context, key: AlertKey, repository: Repository, asked: ProbeResult | None, look: int, job: Job
) -> None:
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        alert = await alerts.load_for_update(tx, key)
        if alert is None or alert.report is None or not _is_awaited(alert):
            return
        verdict = asked.probe.verdict if asked else "unknown"
        delay = _next_delay(verdict, look)
        report = _report(alert.report, verdict, tx.now + delay if delay else None)
        after = replace(asked.apply_to(alert) if asked else alert, report=report)
        await alerts.save(tx, after)
        stored = await alerts.add_events(tx, _events(after, report, asked.probe.at if asked else tx.now))
        if delay:
            again = new_job(FollowUpReport(key, look + 1), delay=delay)
            await jobs.enqueue(tx, again)
        elif report.by.slack_user:
            ended = report_ended(after, repository, report.state)
            await jobs.enqueue(tx, answer_job(Recipient(report.by.slack_user), ended))
        await plan_consequences(tx, context, after, repository, stored)


def _next_delay(verdict: str, look: int) -> float | None:
    """Seconds until the next look, None after the last one: 1, 5 and 15 minutes after the report."""
    if verdict == "inactive":
        return None
    if look + 1 < len(FOLLOW_UP_DELAYS):
        return FOLLOW_UP_DELAYS[look + 1] - FOLLOW_UP_DELAYS[look]
    return FOLLOW_UP_DELAYS[-1] if verdict == "unknown" and look + 1 < LOOKS else None


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
