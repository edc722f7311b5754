"""Performs an action: the steps that every click or submit with an effect goes through."""

from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.actions import ACTIONS
from bot.actions.action import Action, ActionRun, FormAction, Outcome
from bot.context import Context
from bot.errors import ApprovalEnded, LimitReached, OutcomeUnknown, Refused, RetryLater, UnusableJob
from bot.flows import repository_access
from bot.flows.acting.approvals import end_request, with_approval
from bot.flows.acting.check_request import CheckedRequest, check_request, find_by_id
from bot.flows.acting.lacking_right import names_others
from bot.flows.acting.limits import audit_intent, tell_of_limit
from bot.flows.acting.token_owner import with_token_owner
from bot.flows.alerts.store_alert import find_person, plan_consequences
from bot.flows.audit import audit_failure, build_action_entry, in_own_name
from bot.flows.private_answers import answer_job, send_answer
from bot.job_kinds import PerformAction, shown_key
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
from integrations.slack.blocks import View
from integrations.slack.errors import SlackError
from storage import alerts, audit, jobs, leases, messages, repositories
from storage.db import Tx
from storage.records import Alert, AuditOutcome, Claim, Job, MessagePurpose, NewJob, UnixTime

log = structlog.get_logger(__name__)
RETRY = 5.0
"""Seconds until the next try after a call that may have been done."""
UNCERTAIN_TRIES, UNCERTAIN_LASTS = 3, 600.0
"""A call that may have been done is tried at least so many times, and for at least so many seconds."""
SLACK_FAILED = "Slack does not say who you are"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run of the job of a click or submit."""

    context: Context
    action: Action[Any]
    request: ActionRequest
    job: Job
    intended_at: UnixTime | None = None
    """Set if an earlier run was interrupted, or its answer was lost."""

    async def end(self, tx: Tx) -> None:
        """End the job and the alert's claim in the transaction that records the result. Raises LeaseLost.

        So a crash does not repeat the action, and a worker that lost its lease does not record it. Call it first in
        the transaction: the job is locked before the alert everywhere.
        """
        await leases.finish(tx, self.job)
        await alerts.release(tx, self.request.alert, self.job.id)

    async def answer_undone(self, tx: Tx, refused: Refused, outcome: AuditOutcome, reason: str) -> None:
        """Answer the person and audit it, and take back what a request that had waited left on the alert."""
        if self.request.waited:
            await self._abandon(tx)
        if isinstance(refused, ApprovalEnded):
            await end_request(tx, self.context, refused.request, refused.reason, tells=True)
        elif self.request.approval is not None:
            # The person who asked gets the answer below.
            await end_request(tx, self.context, self.request.approval, refused.reason)
        await jobs.enqueue(tx, answer_job(self.request, refusal(refused, PerformAction(self.request))))
        if isinstance(refused, LimitReached):
            await tell_of_limit(tx, self.context, self.action, self.request, refused)
        await audit_failure(tx, self.context, self.action, self.request, outcome, reason)

    async def _abandon(self, tx: Tx) -> None:
        alert = await alerts.load_for_update(tx, self.request.alert)
        repository = await repositories.load_repository(tx, self.request.alert.repository_id)
        if alert is not None and repository is not None:
            alert = self.action.abandon(alert)
            await alerts.save(tx, alert)
            await plan_consequences(tx, self.context, alert, repository, ())


async def perform(context: Context, request: ActionRequest, job: Job) -> None:
    """Perform the action of a click or submit once, and answer the person."""
    action = find_by_id(ACTIONS, request.action)
    async with context.db.read() as tx:
        intended_at = await alerts.claimed_at(tx, request.alert, job.id)
    attempt = _Attempt(context, action, request, job, intended_at)
    try:
        await _try_once(attempt)
    except OutcomeUnknown as unknown:
        await _end_unknown(attempt, str(unknown))
    except RetryLater as later:
        # Until then the alert stays claimed and other jobs on it wait, so the tries must end.
        if intended_at is None or not await _was_tried_enough(attempt, intended_at):
            raise
        await _end_unknown(attempt, later.reason)


async def _try_once(attempt: _Attempt) -> None:
    context, action, request = attempt.context, attempt.action, attempt.request
    resumed = attempt.intended_at is not None
    try:
        # 1. Check who it is, which alert is meant, and what the person may do, as of now.
        checked = await check_request(context, action, request, intended_at=attempt.intended_at)
        if action.asks_about_owner and not isinstance(action, FormAction):
            checked = await with_token_owner(context, checked, fresh=True)
        if action.asks_about_approval:
            in_form = not isinstance(action, FormAction)
            checked = await with_approval(context, action, checked, request, in_form=in_form)
        # 2. Decide what to do, on these facts alone.
        async with names_others(context, request, checked.case):
            decision = action.decide(checked.case, request.user_input)
        # 3. Claim the alert, which only one of several simultaneous requests gets, and audit the intent.
        await _claim(attempt, checked)
        # 4. Call GitHub or Slack.
        run = ActionRun(context, checked.access, checked.case, request, checked.write)
        outcome = await action.act(run, decision)
    except Refused as refused:
        if (resumed or request.is_promised) and refused.reason == "slack_unreachable":
            # It may have been done already, or the person was promised it: wait until Slack says who it was.
            raise RetryLater(context.clock.now() + RETRY, SLACK_FAILED, holds=resumed) from None
        if refused.quoted is not None:
            log.warning(
                "refused_by_github", action=action.id, alert=str(request.alert), reason=refused.audited
            )
        await _end_undone(attempt, refused, AuditOutcome.REFUSED, refused.audited)
        return
    except GitHubError as error:
        await _fail(attempt, error)
        return
    # 5. Send an answer that must not be stored, before the result is recorded.
    if outcome.unstored_answer is not None:
        await send_answer(context, request, outcome.unstored_answer)
    # 6. Record the result in one transaction: alert, timeline, audit log, messages and the person's answer.
    try:
        await _record(attempt, checked, outcome)
    except Refused as refused:
        await _end_undone(attempt, refused, AuditOutcome.REFUSED, refused.audited)
        return
    # 7. Show the result in a form that is still open.
    if outcome.view is not None and request.view_id is not None:
        await _show(context, action, request.view_id, outcome.view)


async def _show(context: Context, action: Action[Any], view_id: str, view: View) -> None:
    try:
        await context.slack.update_view(view_id, view)
    except SlackError as error:
        log.info("form_not_shown", action=action.id, reason=error.code)
        return
    async with context.db.begin() as tx:
        await jobs.cancel(tx, shown_key(_view_name(view_id)))


async def _was_tried_enough(attempt: _Attempt, intended_at: UnixTime) -> bool:
    async with attempt.context.db.begin() as tx:
        await leases.keep(tx, attempt.job)
        tries = await alerts.count_try(tx, attempt.request.alert, attempt.job.id)
        return tries >= UNCERTAIN_TRIES and tx.now - intended_at >= UNCERTAIN_LASTS


async def _claim(attempt: _Attempt, checked: CheckedRequest) -> None:
    action, request, case = attempt.action, attempt.request, checked.case
    async with attempt.context.db.begin() as tx:
        await leases.keep(tx, attempt.job)
        claim = await alerts.claim(tx, request.alert, action.audited_as, attempt.job.id)
        if claim is Claim.NEW:
            await audit_intent(tx, attempt.context, action, request, case.actor, case.repository)
    if claim is Claim.TAKEN:
        raise RetryLater(attempt.context.clock.now() + 1.0, "another action on this alert is under way")


async def _fail(attempt: _Attempt, error: GitHubError) -> None:
    """End a request because GitHub failed, or raise RetryLater.

    The request is tried again if the call may have been done, or if it had waited, since the person was promised it.
    """
    context, request, resumed = attempt.context, attempt.request, attempt.intended_at is not None
    lost = isinstance(error, GitHubUncertain) or (
        isinstance(error, Unreachable | Unavailable) and error.maybe_done
    )
    again = resumed or request.is_promised
    if lost or (again and isinstance(error, Unreachable | Unavailable | GitHubRateLimited)):
        log.warning("answer_lost", action=attempt.action.id, alert=str(request.alert), reason=str(error))
        at = error.retry_at if isinstance(error, GitHubRateLimited) else context.clock.now() + RETRY
        raise RetryLater(at, str(error), holds=lost or resumed) from None
    refused = repository_access.github_failure_refusal(error)
    reason = ": ".join(part for part in (type(error).__name__, refused.quoted) if part)
    await _end_undone(attempt, refused, AuditOutcome.FAILED, reason)


async def _end_unknown(attempt: _Attempt, why: str) -> None:
    """End a request whose outcome can't be found out."""
    unknown = refusals.outcome_unknown(why)
    log.error("outcome_unknown", action=attempt.action.id, alert=str(attempt.request.alert), reason=why)
    await _end_undone(attempt, unknown, AuditOutcome.FAILED, unknown.audited)


async def _end_undone(attempt: _Attempt, refused: Refused, outcome: AuditOutcome, reason: str) -> None:
    async with attempt.context.db.begin() as tx:
        await attempt.end(tx)
        await attempt.answer_undone(tx, refused, outcome, reason)


async def give_up(context: Context, request: ActionRequest, job: Job, refused: Refused) -> None:
    """Answer the person and audit it after every try ended in an error of ours; the worker parks the job."""
    attempt = _Attempt(context, find_by_id(ACTIONS, request.action), request, job)
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        await attempt.answer_undone(tx, refused, AuditOutcome.FAILED, refused.reason)


async def _record(attempt: _Attempt, checked: CheckedRequest, outcome: Outcome) -> None:
    context, action, request = attempt.context, attempt.action, attempt.request
    repository = checked.case.repository
    async with context.db.begin() as tx:
        await attempt.end(tx)
        before = await alerts.load_for_update(tx, request.alert)
        if before is None:
            raise UnusableJob(f"the alert {request.alert} is no longer stored")
        if outcome.stored_besides is not None:
            await outcome.stored_besides(tx)
        after = fetched = (
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
        changed = _without_own_validity(before, fetched, after) if outcome.wrote_validity else after
        shown = events_between(before, changed, tx.now, by=outcome.by, own_name=outcome.own_name)
        events = (*shown, *outcome.events)
        await alerts.save(tx, after)
        stored = await alerts.add_events(tx, events)
        answers = await _answers(tx, request, outcome)
        await plan_consequences(tx, context, after, repository, stored, more_jobs=(*outcome.jobs, *answers))
        actor = checked.case.actor
        reason = in_own_name(outcome.reason) if outcome.own_name else outcome.reason
        entry = build_action_entry(action, request, outcome.outcome, reason, actor.person, repository)
        await audit.append(tx, entry)
    context.metrics.actions.labels(action.audited_as, outcome.outcome).inc()


async def _answers(tx: Tx, request: ActionRequest, outcome: Outcome) -> list[NewJob]:
    """The job of the private answer, if there is one."""
    if outcome.answer is None:
        return []
    shown_by = await _shown_by(tx, request, outcome) if outcome.is_shown else None
    return [answer_job(request, outcome.answer, unless_shown=shown_by)]


async def _shown_by(tx: Tx, request: ActionRequest, outcome: Outcome) -> str | None:
    """What shows the result where the person clicked; None where nothing does, as in a list or a private card."""
    if outcome.view is not None:
        return _view_name(request.view_id) if request.view_id else None
    if request.channel is None or request.thread is None or request.in_thread:
        return None
    clicked = await messages.at(tx, request.channel, request.thread)
    is_card = clicked is not None and clicked.purpose is MessagePurpose.CARD
    if clicked is None or not is_card or clicked.alert != request.alert or clicked.is_blocked:
        return None
    return clicked.key


def _view_name(view_id: str) -> str:
    return f"view:{view_id}"


def _without_own_validity(before: Alert, fetched: Alert, after: Alert) -> Alert:
    """The alert with GitHub's own changes only, without the validity that this run or an interrupted one wrote."""
    source = before if fetched.validity == after.validity else fetched
    return replace(after, validity=source.validity)
