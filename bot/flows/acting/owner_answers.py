"""Records what the owner of a leaked token answers to the message that told them."""

from dataclasses import replace

from bot.context import Context
from bot.errors import Refused, RetryLater, UnusableJob
from bot.flows.alerts.store_alert import plan_consequences
from bot.flows.audit import build_entry, requester
from bot.flows.messages.owner_messages import shown_in_message
from bot.flows.people.identify import check_person
from bot.flows.private_answers import answer_job
from bot.job_kinds import FillForm
from bot.job_rows import new_job, read_job_text
from bot.requests import ActionRequest
from bot.rules.owner_message import answer_obstacle, given_answers
from bot.views.answers import answer, refusal
from bot.views.owner_message import BUTTONS, SAID, answer_refused, not_the_owner
from storage import alerts, audit, jobs, leases, repositories
from storage.db import Tx
from storage.records import Alert, AuditOutcome, Event, EventKind, Job, NewJob, UnixTime

FORM_LASTS = 3600.0
"""Seconds in which the form from which the owner was told shows the answer."""
WAIT_FOR_SLACK = 5.0
"""Seconds until Slack is asked again who the person is."""


async def record_answer(context: Context, request: ActionRequest, job: Job) -> None:
    """Add the answer to the timeline, once; it changes nothing else, and GitHub is not asked.

    The person needs no right on the alert: the message was sent to them, and to nobody else.
    """
    if request.action not in BUTTONS:
        raise UnusableJob(f"this version knows no answer {request.action}")
    # 1. Who it is: no guest, bot or outsider by now.
    try:
        await check_person(context, request.user, request.channel, fresh=True)
    except Refused as refused:
        if refused.reason == "slack_unreachable":
            raise RetryLater(context.clock.now() + WAIT_FOR_SLACK, refused.reason) from None
        await _refuse(context, request, job, refused)
        return
    # 2. Whether the message is theirs, whether they can still answer so; and the record of it.
    try:
        async with context.db.begin() as tx:
            await leases.finish(tx, job)
            alert, told = await _load(tx, request)
            await _record(tx, context, request, alert, told)
    except Refused as refused:
        await _refuse(context, request, job, refused)
        return
    context.metrics.actions.labels(request.action, AuditOutcome.DONE).inc()


async def _load(tx: Tx, request: ActionRequest) -> tuple[Alert, Event]:
    """The alert, locked, and the event of the message that was clicked; raises Refused."""
    alert = await alerts.load_for_update(tx, request.alert)
    if alert is None:
        raise not_the_owner()
    clicked = {"slack_user": request.user, "channel": request.channel, "ts": request.thread}
    for told in await alerts.events_of_kind(tx, request.alert, EventKind.OWNER_TOLD):
        if all(told.details.get(name) == value for name, value in clicked.items()):
            return alert, told
    raise not_the_owner()


async def _record(tx: Tx, context: Context, request: ActionRequest, alert: Alert, told: Event) -> None:
    given = BUTTONS[request.action][0]
    answers = await alerts.events_of_kind(tx, alert.key, EventKind.OWNER_ANSWERED)
    obstacle = answer_obstacle(given, alert, given_answers(told, answers))
    repository = await repositories.load_repository(tx, alert.key.repository_id)
    if obstacle is not None:
        raise answer_refused(obstacle)
    if repository is None:
        raise not_the_owner()
    details = {"login": told.details.get("login"), "slack_user": request.user, "answer": given.value}
    person = await requester(tx, context, request.team, request.user)
    once = f"owner_answered:{told.id}:{given}"
    event = Event(alert.key, EventKind.OWNER_ANSWERED, tx.now, person, details, once=once)
    shown_by = shown_in_message(alert.key, request.user)
    confirmation = answer_job(request, answer("white_check_mark", SAID[given]), unless_shown=shown_by)
    stored = await alerts.add_events(tx, (event,))
    more = (confirmation, *_open_form(alert, told, tx.now))
    await plan_consequences(tx, context, alert, repository, stored, more_jobs=more)
    name = repository.full_name
    await audit.append(
        tx, build_entry(request.action, AuditOutcome.DONE, person, alert=alert.key, repository=name)
    )


def _open_form(alert: Alert, told: Event, now: UnixTime) -> tuple[NewJob, ...]:
    """Shows the answer in the form from which the owner was told, as long as it may still be open."""
    text = told.details.get("form")
    form = read_job_text(text) if isinstance(text, str) else None
    if not isinstance(form, FillForm) or now - told.at > FORM_LASTS:
        return ()
    if not alert.is_open or alert.report is not None:
        # There is no form any more.
        return ()
    return (new_job(replace(form, request=replace(form.request, at=now))),)


async def _refuse(context: Context, request: ActionRequest, job: Job, refused: Refused) -> None:
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        await jobs.enqueue(tx, answer_job(request, refusal(refused)))
        person, reason = await requester(tx, context, request.team, request.user), refused.audited
        entry = build_entry(request.action, AuditOutcome.REFUSED, person, alert=request.alert, reason=reason)
        await audit.append(tx, entry)
    context.metrics.actions.labels(request.action, AuditOutcome.REFUSED).inc()
