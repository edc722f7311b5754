"""A click or a submit, from who it was to what GitHub did about it: the steps that every action shares."""

from dataclasses import replace
from typing import Any

import structlog

from bot.actions import ACTIONS
from bot.actions.action import Action, ActionRun, Outcome
from bot.context import Context
from bot.errors import OutcomeUnknown, Refused, RetryLater, UnusableJob
from bot.flows import repository_access
from bot.flows.acting.check_request import CheckedRequest, check_request
from bot.flows.alerts.after_change import plan_consequences
from bot.flows.alerts.store_alert import find_person
from bot.flows.audit import audit_failure, build_action_entry
from bot.flows.private_answers import answer_job, send_answer
from bot.requests import ActionRequest
from bot.rules.alert_merge import merge_facts
from bot.rules.assignment import follow_assignment
from bot.rules.timeline import events_between
from bot.views import refusals
from bot.views.answers import refusal
from integrations.github.errors import (
    GitHubError,
    GitHubRateLimited,
    GitHubUncertain,
    Unavailable,
    Unreachable,
)
from integrations.slack.errors import SlackError
from integrations.slack.errors import SlackRateLimited as SlackRateLimited
from integrations.slack.errors import SlackUncertain as SlackUncertain
from storage import alerts, audit, jobs, leases, repositories
from storage.db import Tx
from storage.records import (
    Alert,
    AuditOutcome,
    Claim,
    Job,
    UnixTime,
)

log = structlog.get_logger(__name__)
RETRY = 5.0
"""Seconds until a write whose answer was lost is looked at again."""
LOST_TRIES, LOST_LASTS = 3, 600.0
"""So many times, and for so many seconds, it is tried to find out at least whether such a write was done."""
SLACK_SILENT = "Slack does not say who you are"


async def perform(context: Context, request: ActionRequest, job: Job) -> None:
    """Do what a click or a submit asks for, once, and tell the person."""
    action = _action_of(request.action)
    async with context.db.read() as tx:
        intended_at = await alerts.claimed_at(tx, request.alert, job.id)
    try:
        await _try(context, action, request, job, intended_at)
    except OutcomeUnknown as unknown:
        await _end_unknown(context, action, request, job, str(unknown))
    except RetryLater as later:
        # What may be done already holds its alert: other work on it waits, though not without end.
        if intended_at is None or not await _was_tried_enough(context, request, job, intended_at):
            raise
        await _end_unknown(context, action, request, job, later.reason)


async def _try(
    context: Context, action: Action[Any], request: ActionRequest, job: Job, intended_at: UnixTime | None
) -> None:
    """One try; with `intended_at` an earlier one was interrupted, or its answer lost."""
    resumed = intended_at is not None
    try:
        # 1. Who is it, what is meant, and may they: all of it as of now.
        checked = await check_request(context, action, request, intended_at=intended_at)
        # 2. What is to be done, decided on the facts alone.
        decision = action.decide(checked.case, request.user_input)
        # 3. One of several simultaneous wishes gets the alert; its intent is in the audit log before the call.
        await _claim(context, action, request, checked, job)
        # 4. The call.
        run = ActionRun(context, checked.access, checked.case, request)
        outcome = await action.act(run, decision)
    except Refused as refused:
        if (resumed or request.waited) and refused.reason == "slack_unreachable":
            # It may be done already, or was promised; nobody can go on before Slack says who it was.
            raise RetryLater(context.clock.now() + RETRY, SLACK_SILENT, holds=resumed) from None
        await _refuse(context, action, request, job, refused)
        return
    except GitHubError as error:
        await _fail(context, action, request, job, error, resumed=resumed)
        return
    # 5. What may be in no database is told before the end is recorded.
    if outcome.unstored_answer is not None:
        await send_answer(context, request, outcome.unstored_answer)
    # 6. What came of it: the alert, its timeline, the audit log, its cards and what the person is told of it, in
    # one transaction.
    await _record(context, action, request, checked, outcome, job)
    # 7. A form that is still open shows it.
    if outcome.view is not None and request.view_id is not None:
        try:
            await context.slack.update_view(request.view_id, outcome.view)
        except SlackError as error:
            log.info("form_not_shown", action=action.id, reason=error.code)


async def _was_tried_enough(
    context: Context, request: ActionRequest, job: Job, intended_at: UnixTime
) -> bool:
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        tries = await alerts.count_try(tx, request.alert, job.id)
        return tries >= LOST_TRIES and tx.now - intended_at >= LOST_LASTS


async def _end_unknown(
    context: Context, action: Action[Any], request: ActionRequest, job: Job, why: str
) -> None:
    """Nobody can find out whether it was done: the person hears so, and the alert is free."""
    unknown = refusals.outcome_unknown(why)
    log.error("outcome_unknown", action=action.id, alert=str(request.alert), reason=why)
    async with context.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, context, action, request)
        await jobs.enqueue(tx, answer_job(request, refusal(unknown)))
        await audit_failure(tx, context, action, request, AuditOutcome.FAILED, unknown.audited)


async def _claim(
    context: Context, action: Action[Any], request: ActionRequest, checked: CheckedRequest, job: Job
) -> None:
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        claim = await alerts.claim(tx, request.alert, action.audited_as, job.id)
        if claim is Claim.NEW:
            who, where = checked.case.actor.identity, checked.case.repository
            await audit.append(
                tx, build_action_entry(action, request, AuditOutcome.INTENDED, None, who, where)
            )
    if claim is Claim.TAKEN:
        raise RetryLater(context.clock.now() + 1.0, "another action on this alert is under way")


async def _end(tx: Tx, request: ActionRequest, job: Job) -> None:
    """The request ends together with what is written of it: a crash does not repeat it, a stale worker not record it.

    It comes first in its transaction, so that the job is locked before the alert everywhere. Raises LeaseLost.
    """
    await leases.finish(tx, job)
    await alerts.release(tx, request.alert, job.id)


async def _refuse(
    context: Context, action: Action[Any], request: ActionRequest, job: Job, refused: Refused
) -> None:
    """Say no: privately, and in the audit log."""
    if refused.quoted is not None:
        log.warning("refused_by_github", action=action.id, alert=str(request.alert), reason=refused.audited)
    async with context.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, context, action, request)
        await jobs.enqueue(tx, answer_job(request, refusal(refused)))
        await audit_failure(tx, context, action, request, AuditOutcome.REFUSED, refused.audited)


async def _abandon(tx: Tx, context: Context, action: Action[Any], request: ActionRequest) -> None:
    """A wish that had waited comes to nothing: the alert is free for the next one, and its cards say so."""
    alert = await alerts.load_for_update(tx, request.alert) if request.waited else None
    repository = await repositories.load_repository(tx, request.alert.repository_id)
    if alert is not None and repository is not None:
        alert = action.abandon(alert)
        await alerts.save(tx, alert)
        await plan_consequences(tx, context, alert, repository, ())


async def give_up(context: Context, request: ActionRequest, job: Job, refused: Refused) -> None:
    """It went wrong each time that it was tried: the person hears so, and the audit log has how it ended."""
    action = _action_of(request.action)
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        await _abandon(tx, context, action, request)
        await jobs.enqueue(tx, answer_job(request, refusal(refused)))
        await audit_failure(tx, context, action, request, AuditOutcome.FAILED, refused.reason)


async def _fail(
    context: Context,
    action: Action[Any],
    request: ActionRequest,
    job: Job,
    error: GitHubError,
    *,
    resumed: bool,
) -> None:
    """GitHub failed: before the call the answer is no; a call whose answer was lost is looked at again.

    So is one that had waited, since the person was promised that it will be made.
    """
    lost = isinstance(error, GitHubUncertain) or (
        isinstance(error, Unreachable | Unavailable) and error.maybe_done
    )
    again = resumed or request.waited
    if lost or (again and isinstance(error, Unreachable | Unavailable | GitHubRateLimited)):
        log.warning("answer_lost", action=action.id, alert=str(request.alert), reason=str(error))
        at = error.retry_at if isinstance(error, GitHubRateLimited) else context.clock.now() + RETRY
        raise RetryLater(at, str(error), holds=lost or resumed) from None
    refused = repository_access.github_failure_refusal(error)
    reason = ": ".join(part for part in (type(error).__name__, refused.quoted) if part)
    async with context.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, context, action, request)
        await jobs.enqueue(tx, answer_job(request, refusal(refused)))
        await audit_failure(tx, context, action, request, AuditOutcome.FAILED, reason)


async def _record(
    context: Context,
    action: Action[Any],
    request: ActionRequest,
    checked: CheckedRequest,
    outcome: Outcome,
    job: Job,
) -> None:
    repository = checked.case.repository
    async with context.db.begin() as tx:
        await _end(tx, request, job)
        before = await alerts.load_for_update(tx, request.alert)
        if before is None:
            raise UnusableJob(f"the alert {request.alert} is no longer stored")
        after = seen = (
            merge_facts(before, checked.facts, repository.id, tx.now, fetched=True)
            if checked.facts
            else before
        )
        if outcome.facts is not None:
            after = merge_facts(after, outcome.facts, repository.id, tx.now, fetched=True)
        after = follow_assignment(before, after, await find_person(tx, context, after.assigned_to))
        after = outcome.change(after)
        if outcome.by is not None:
            after = replace(after, acted_by=outcome.by)
        news = _without_own_validity(before, seen, after) if outcome.wrote_validity else after
        happened = (*events_between(before, news, tx.now, by=outcome.by), *outcome.events)
        await alerts.save(tx, after)
        stored = await alerts.add_events(tx, happened)
        answers = (answer_job(request, outcome.answer),) if outcome.answer is not None else ()
        await plan_consequences(tx, context, after, repository, stored, more_jobs=(*outcome.jobs, *answers))
        who = checked.case.actor.identity
        await audit.append(
            tx, build_action_entry(action, request, outcome.outcome, outcome.reason, who, repository)
        )
    context.metrics.actions.labels(action.audited_as, outcome.outcome).inc()


def _without_own_validity(before: Alert, seen: Alert, after: Alert) -> Alert:
    """The alert as GitHub alone has changed it: before Stanch wrote, or before the run that was interrupted."""
    return replace(after, validity=before.validity if seen.validity == after.validity else seen.validity)


def _action_of(name: str) -> Action[Any]:
    for action in ACTIONS:
        if action.id == name:
            return action
    raise UnusableJob(f"this version knows no action {name}")


def _view_of(request: ActionRequest) -> str:
    if request.view_id is None:
        raise UnusableJob("the stored click names no modal")
    return request.view_id
