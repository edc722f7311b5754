"""A click or a submit, from who it was to what GitHub did about it: the steps that every action shares."""

from dataclasses import replace
from typing import Any

import structlog

from bot.actions import ACTIONS, FORMS
from bot.actions.action import Action, Doing, FormAction, Outcome, Request
from bot.errors import OutcomeUnknown, Refused, RetryLater, UnusableJob
from bot.flows import authorize
from bot.flows.auditing import entry, note
from bot.flows.consequences import follow
from bot.flows.events import store_events
from bot.flows.gather import Gathered, gather
from bot.flows.publish import redraw
from bot.flows.record import find_person
from bot.flows.tell import tell, telling
from bot.rules.lifecycle import events_between, follow_assignment, merge
from bot.tools import Tools
from bot.views import refusals
from bot.views.answers import refusal, refusal_view
from integrations.github.errors import GitHubError, RateLimited, Unavailable, Uncertain, Unreachable
from integrations.slack.errors import RateLimited as SlackRateLimited
from integrations.slack.errors import SlackError, ViewGone
from integrations.slack.errors import Uncertain as SlackUncertain
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
SKELETON_LASTS = 60.0
"""Seconds for which somebody is taken to wait for a form while Slack does not answer."""
FORM_RETRY = 2.0
RETRY = 5.0
"""Seconds until a write whose answer was lost is looked at again."""
LOST_TRIES, LOST_LASTS = 3, 600.0
"""So many times, and for so many seconds, it is tried to find out at least whether such a write was done."""
SLACK_SILENT = "Slack does not say who you are"


async def fill_form(tools: Tools, request: Request, view_hash: str | None) -> None:
    """Put the form into the modal that was opened at the click, or the reason why there is none."""
    action = _form_of(request.action)
    try:
        # 1. Who is it, what is meant, and may they.
        gathered = await gather(tools, action, request)
        # 2. The form for this alert and this person.
        view = action.form(gathered.case, request.given, request.metadata)
    except Refused as refused:
        async with tools.db.begin() as tx:
            await note(tx, tools, action, request, AuditOutcome.REFUSED, refused.audited)
        view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
    except GitHubError as error:
        unreachable = authorize.unreachable_github(error)
        view = refusal_view(unreachable, callback_id=action.callback_id, title=action.title)
    try:
        await tools.slack.update_view(_view_of(request), view, hash=view_hash)
    except ViewGone as error:
        log.info("form_not_shown", action=action.id, reason=error.code)
    except (SlackRateLimited, SlackUncertain) as error:
        # Somebody looks at the skeleton. If it has become the form after all, its hash refuses the second one.
        if tools.clock.now() - request.at < SKELETON_LASTS:
            raise RetryLater(tools.clock.now() + FORM_RETRY, str(error)) from None
        log.warning("form_not_shown", action=action.id, reason=error.code)
    # 3. A menu is drawn anew, so that the same reason can be picked again after the form was left.
    if action.is_menu and request.channel is not None and request.thread is not None:
        await redraw(tools, request.channel, request.thread)


async def show_mistake(tools: Tools, request: Request, refused: Refused) -> None:
    """Replace the skeleton of a form that could not be filled."""
    action = _form_of(request.action)
    view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
    await tools.slack.update_view(_view_of(request), view)


async def perform(tools: Tools, request: Request, job: Job) -> None:
    """Do what a click or a submit asks for, once, and tell the person."""
    action = _action_of(request.action)
    async with tools.db.read() as tx:
        intended_at = await alerts.claimed_at(tx, request.alert, job.id)
    try:
        await _try(tools, action, request, job, intended_at)
    except OutcomeUnknown as unknown:
        await _end_unknown(tools, action, request, job, str(unknown))
    except RetryLater as later:
        # What may be done already holds its alert: other work on it waits, though not without end.
        if intended_at is None or not await _was_tried_enough(tools, request, job, intended_at):
            raise
        await _end_unknown(tools, action, request, job, later.reason)


async def _try(
    tools: Tools, action: Action[Any], request: Request, job: Job, intended_at: UnixTime | None
) -> None:
    """One try; with `intended_at` an earlier one was interrupted, or its answer lost."""
    resumed = intended_at is not None
    try:
        # 1. Who is it, what is meant, and may they: all of it as of now.
        gathered = await gather(tools, action, request, intended_at=intended_at)
        # 2. What is to be done, decided on the facts alone.
        wanted = action.decide(gathered.case, request.given)
        # 3. One of several simultaneous wishes gets the alert; its intent is in the audit log before the call.
        await _claim(tools, action, request, gathered, job)
        # 4. The call.
        doing = Doing(tools, gathered.access, gathered.case, request)
        outcome = await action.act(doing, wanted)
    except Refused as refused:
        if (resumed or request.waited) and refused.reason == "slack_unreachable":
            # It may be done already, or was promised; nobody can go on before Slack says who it was.
            raise RetryLater(tools.clock.now() + RETRY, SLACK_SILENT, holds=resumed) from None
        await _refuse(tools, action, request, job, refused)
        return
    except GitHubError as error:
        await _fail(tools, action, request, job, error, resumed=resumed)
        return
    # 5. What may be in no database is told before the end is recorded.
    if outcome.said_unstored is not None:
        await tell(tools, request, outcome.said_unstored)
    # 6. What came of it: the alert, its timeline, the audit log, its cards and what the person is told of it, in
    # one transaction.
    await _record(tools, action, request, gathered, outcome, job)
    # 7. A form that is still open shows it.
    if outcome.view is not None and request.view_id is not None:
        try:
            await tools.slack.update_view(request.view_id, outcome.view)
        except SlackError as error:
            log.info("form_not_shown", action=action.id, reason=error.code)


async def _was_tried_enough(tools: Tools, request: Request, job: Job, intended_at: UnixTime) -> bool:
    async with tools.db.begin() as tx:
        await leases.keep(tx, job)
        tries = await alerts.count_try(tx, request.alert, job.id)
        return tries >= LOST_TRIES and tx.now - intended_at >= LOST_LASTS


async def _end_unknown(tools: Tools, action: Action[Any], request: Request, job: Job, why: str) -> None:
    """Nobody can find out whether it was done: the person hears so, and the alert is free."""
    unknown = refusals.outcome_unknown(why)
    log.error("outcome_unknown", action=action.id, alert=str(request.alert), reason=why)
    async with tools.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, tools, action, request)
        await jobs.enqueue(tx, telling(request, refusal(unknown)))
        await note(tx, tools, action, request, AuditOutcome.FAILED, unknown.audited)


async def _claim(tools: Tools, action: Action[Any], request: Request, gathered: Gathered, job: Job) -> None:
    async with tools.db.begin() as tx:
        await leases.keep(tx, job)
        claim = await alerts.claim(tx, request.alert, action.audited_as, job.id)
        if claim is Claim.NEW:
            who, where = gathered.case.actor.identity, gathered.case.repository
            await audit.append(tx, entry(action, request, AuditOutcome.INTENDED, None, who, where))
    if claim is Claim.TAKEN:
        raise RetryLater(tools.clock.now() + 1.0, "another action on this alert is under way")


async def _end(tx: Tx, request: Request, job: Job) -> None:
    """The request ends together with what is written of it: a crash does not repeat it, a stale worker not record it.

    It comes first in its transaction, so that the job is locked before the alert everywhere. Raises LeaseLost.
    """
    await leases.finish(tx, job)
    await alerts.release(tx, request.alert, job.id)


async def _refuse(tools: Tools, action: Action[Any], request: Request, job: Job, refused: Refused) -> None:
    """Say no: privately, and in the audit log."""
    if refused.quoted is not None:
        log.warning("refused_by_github", action=action.id, alert=str(request.alert), reason=refused.audited)
    async with tools.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, tools, action, request)
        await jobs.enqueue(tx, telling(request, refusal(refused)))
        await note(tx, tools, action, request, AuditOutcome.REFUSED, refused.audited)


async def _abandon(tx: Tx, tools: Tools, action: Action[Any], request: Request) -> None:
    """A wish that had waited comes to nothing: the alert is free for the next one, and its cards say so."""
    alert = await alerts.load_for_update(tx, request.alert) if request.waited else None
    repository = await repositories.load_repository(tx, request.alert.repository_id)
    if alert is not None and repository is not None:
        alert = action.abandon(alert)
        await alerts.save(tx, alert)
        await follow(tx, tools, alert, repository, ())


async def give_up(tools: Tools, request: Request, job: Job, refused: Refused) -> None:
    """It went wrong each time that it was tried: the person hears so, and the audit log has how it ended."""
    action = _action_of(request.action)
    async with tools.db.begin() as tx:
        await leases.keep(tx, job)
        await _abandon(tx, tools, action, request)
        await jobs.enqueue(tx, telling(request, refusal(refused)))
        await note(tx, tools, action, request, AuditOutcome.FAILED, refused.reason)


async def _fail(
    tools: Tools, action: Action[Any], request: Request, job: Job, error: GitHubError, *, resumed: bool
) -> None:
    """GitHub failed: before the call the answer is no; a call whose answer was lost is looked at again.

    So is one that had waited, since the person was promised that it will be made.
    """
    lost = isinstance(error, Uncertain) or (isinstance(error, Unreachable | Unavailable) and error.maybe_done)
    again = resumed or request.waited
    if lost or (again and isinstance(error, Unreachable | Unavailable | RateLimited)):
        log.warning("answer_lost", action=action.id, alert=str(request.alert), reason=str(error))
        at = error.retry_at if isinstance(error, RateLimited) else tools.clock.now() + RETRY
        raise RetryLater(at, str(error), holds=lost or resumed) from None
    refused = authorize.unreachable_github(error)
    reason = ": ".join(part for part in (type(error).__name__, refused.quoted) if part)
    async with tools.db.begin() as tx:
        await _end(tx, request, job)
        await _abandon(tx, tools, action, request)
        await jobs.enqueue(tx, telling(request, refusal(refused)))
        await note(tx, tools, action, request, AuditOutcome.FAILED, reason)


async def _record(
    tools: Tools, action: Action[Any], request: Request, gathered: Gathered, outcome: Outcome, job: Job
) -> None:
    repository = gathered.case.repository
    async with tools.db.begin() as tx:
        await _end(tx, request, job)
        before = await alerts.load_for_update(tx, request.alert)
        if before is None:
            raise UnusableJob(f"the alert {request.alert} is no longer stored")
        after = seen = (
            merge(before, gathered.facts, repository.id, tx.now, fetched=True) if gathered.facts else before
        )
        if outcome.facts is not None:
            after = merge(after, outcome.facts, repository.id, tx.now, fetched=True)
        after = follow_assignment(before, after, await find_person(tx, tools, after.assigned_to))
        after = outcome.change(after)
        if outcome.by is not None:
            after = replace(after, acted_by=outcome.by)
        news = _without_own_validity(before, seen, after) if outcome.wrote_validity else after
        happened = (*events_between(before, news, tx.now, by=outcome.by), *outcome.events)
        await alerts.save(tx, after)
        stored = await store_events(tx, happened)
        await jobs.enqueue(tx, *outcome.jobs)
        if outcome.said is not None:
            await jobs.enqueue(tx, telling(request, outcome.said))
        await follow(tx, tools, after, repository, stored)
        who = gathered.case.actor.identity
        await audit.append(tx, entry(action, request, outcome.outcome, outcome.reason, who, repository))
    tools.metrics.actions.labels(action.audited_as, outcome.outcome).inc()


def _without_own_validity(before: Alert, seen: Alert, after: Alert) -> Alert:
    """The alert as GitHub alone has changed it: before Stanch wrote, or before the run that was interrupted."""
    return replace(after, validity=before.validity if seen.validity == after.validity else seen.validity)


def _action_of(name: str) -> Action[Any]:
    for action in ACTIONS:
        if action.id == name:
            return action
    raise UnusableJob(f"this version knows no action {name}")


def _form_of(name: str) -> FormAction[Any]:
    for form in FORMS:
        if form.id == name:
            return form
    raise UnusableJob(f"this version knows no form {name}")


def _view_of(request: Request) -> str:
    if request.view_id is None:
        raise UnusableJob("the stored click names no modal")
    return request.view_id
