"""Shared by the request for approval of a report, its approval and its denial: the record, its events and jobs."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.actions.action import ActionRun, Outcome
from bot.job_kinds import PerformAction, SendAnswer
from bot.job_rows import new_job
from bot.people_job_kinds import LapseApproval
from bot.requests import ActionRequest
from bot.rules.approval import LASTS, facts_of
from bot.rules.case import PersonalCase
from bot.views.approval import asked_answer, cant_ask, cant_decide
from integrations.slack.blocks import Content
from storage import approvals
from storage.db import Tx
from storage.records import (
    Alert,
    Approval,
    ApprovalState,
    AuditOutcome,
    Event,
    EventKind,
    NewJob,
    ReportState,
    StoredJson,
)

CONSENT = {"consequence": ("yes",)}
"""What the person who asks has ticked in the form."""


def request_approval(run: ActionRun) -> Outcome:
    """Ask a second person, instead of the report."""
    case, now = run.case, run.context.clock.now()
    approval = Approval(
        id=secrets.token_hex(8),
        alert=case.alert.key,
        requested_by=case.actor.person,
        requested_at=now,
        expires_at=now + LASTS,
        facts=facts_of(case.alert, case.repository, case.actor.rights.role),
        channel=run.request.channel,
        thread=run.request.thread,
    )

    async def store(tx: Tx) -> None:
        if not await approvals.request(tx, approval):
            raise cant_ask(case, "awaits_approval")

    return Outcome(
        answer=asked_answer(case, approval),
        is_shown=True,
        change=_without_waiting_report,
        stored_besides=store,
        events=(event_of(approval, EventKind.APPROVAL_REQUESTED, case, until=approval.expires_at),),
        jobs=(new_job(LapseApproval(approval.alert, approval.id), delay=LASTS),),
        outcome=AuditOutcome.INTENDED,
        reason="approval_requested",
    )


def _without_waiting_report(alert: Alert) -> Alert:
    """The alert without its waiting report, which was requested before the option for a second person was set."""
    waits = alert.report is not None and alert.report.state is ReportState.WAITING
    return replace(alert, report=None) if waits else alert


def store_decision(
    case: PersonalCase, approval: Approval, state: ApprovalState
) -> Callable[[Tx], Awaitable[None]]:
    """Stores the decision in the transaction of the result; there it raises Refused if it was decided meanwhile."""

    async def store(tx: Tx) -> None:
        if not await approvals.decide(tx, approval.id, state, case.actor.person):
            known = await approvals.load(tx, approval.id)
            decided = known is not None and known.state is not ApprovalState.OPEN
            word = f"approval_{known.state}" if known is not None and decided else "approval_lapsed"
            raise cant_decide(replace(case, approval=known), word)

    return store


def event_of(approval: Approval, kind: EventKind, case: PersonalCase, **details: StoredJson) -> Event:
    """The timeline's entry of a request, or of its decision by the person who acts."""
    once = f"{kind}:{approval.id}"
    return Event(approval.alert, kind, case.now, case.actor.person, {"request": approval.id, **details}, once)


def report_job(approval: Approval) -> NewJob:
    """The job that makes the approved report for the person who asked; it checks everything again."""
    person = approval.requested_by
    assert person.slack_team is not None
    assert person.slack_user is not None
    request = ActionRequest(
        action="report_leak",
        alert=approval.alert,
        team=person.slack_team,
        user=person.slack_user,
        at=approval.requested_at,
        channel=approval.channel,
        thread=approval.thread,
        user_input=CONSENT,
        approval=approval.id,
    )
    return new_job(PerformAction(request))


def notice_job(approval: Approval, content: Content) -> NewJob:
    """The job that tells the person who asked how it ended."""
    person = approval.requested_by
    assert person.slack_user is not None
    return new_job(SendAnswer(person.slack_user, content, approval.channel, at=approval.requested_at))
