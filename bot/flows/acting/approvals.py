"""Loads what decisions about approvals need, and ends requests that lapse or whose report is refused."""

from dataclasses import replace
from typing import Any

from bot.actions.action import Action
from bot.actions.approval import notice_job
from bot.context import Context
from bot.flows.acting.check_request import CheckedRequest
from bot.flows.alerts.store_alert import plan_consequences
from bot.flows.audit import build_entry
from bot.flows.people.entitled_people import others_can, who_can
from bot.people_job_kinds import LapseApproval
from bot.requests import ActionRequest
from bot.rules.approval import alone_at, ask_obstacle, decision_obstacle, named_request
from bot.rules.case import PersonalCase
from bot.rules.rights import Need
from bot.views import refusals
from bot.views.approval import APPROVE, DENY, ended_notice
from storage import alerts, approvals, audit, leases, repositories
from storage.db import Tx
from storage.records import (
    Alert,
    Approval,
    ApprovalState,
    AuditOutcome,
    Event,
    EventKind,
    Job,
    Repository,
    StoredJson,
)


async def with_approval(
    context: Context,
    action: Action[Any],
    checked: CheckedRequest,
    request: ActionRequest,
    *,
    in_form: bool = False,
) -> CheckedRequest:
    """Add the request for approval that the action is about; with `in_form`, also who can approve.

    A report without a second person gets none.
    """
    asks, case = action.id not in (APPROVE, DENY), checked.case
    if asks and request.approval is None and not case.options.report.needs_approval:
        return checked
    named = request.approval if asks else named_request(request.user_input.get("value"))
    key = case.alert.key
    async with context.db.read() as tx:
        # While a report is asked for, the case has the alert's open request already.
        open_one = case.approval if asks else None
        approval = await approvals.load(tx, named) if named is not None else open_one
        denied_at = await approvals.denied_at(tx, key, case.actor.person) if asks else None
    case = replace(
        case,
        approval=approval if approval is not None and approval.alert == key else None,
        is_approved_run=request.approval is not None,
        denied_at=denied_at,
    )
    obstacle = None if asks else decision_obstacle(case)
    at = alone_at(case)
    if asks and in_form and ask_obstacle(case) is None:
        case = replace(case, who_approves=await _who_approves(context, case, request))
    elif obstacle == "self_approval" and at is not None and case.now >= at:
        others = await others_can(context, case.repository, but=case.actor.identity.github.id)
        case = replace(case, others_can_approve=others)
    return replace(checked, case=case)


async def _who_approves(context: Context, case: PersonalCase, request: ActionRequest) -> str:
    """Who can approve what this person asks for, in words; only a member of the organization reads names."""
    names: tuple[str, ...] = ()
    if case.actor.rights.member:
        but = {case.actor.identity.github.id}
        names = await who_can(
            context, case.repository, Need.VIEW, but=but, asks_github=True, only_proven=True
        )
    return refusals.help_words(names, context.default_channel, request.channel)


async def end_request(tx: Tx, context: Context, request: str, because: str, *, tells: bool = False) -> None:
    """End a request that can't be carried out; `because` is one short word. With `tells`, who asked is told."""
    approval = await approvals.load(tx, request)
    alert = await alerts.load_for_update(tx, approval.alert) if approval else None
    if alert is None or approval is None or not await approvals.end(tx, request):
        return
    await _show_end(tx, context, alert, approval, EventKind.APPROVAL_ENDED, because, tells=tells)


async def lapse(context: Context, todo: LapseApproval, job: Job) -> None:
    """End a request that nobody has decided in time."""
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        alert = await alerts.load_for_update(tx, todo.alert)
        approval = await approvals.load(tx, todo.request)
        if alert is None or approval is None:
            return
        if not await approvals.decide(tx, todo.request, ApprovalState.LAPSED, None):
            return
        repository = await _show_end(tx, context, alert, approval, EventKind.APPROVAL_LAPSED, "lapsed")
        person, name = approval.requested_by, repository.full_name if repository else None
        outcome, reason = AuditOutcome.REFUSED, "approval_lapsed"
        entry = build_entry("report_leak", outcome, person, alert=todo.alert, repository=name, reason=reason)
        await audit.append(tx, entry)


async def _show_end(
    tx: Tx,
    context: Context,
    alert: Alert,
    approval: Approval,
    kind: EventKind,
    because: str,
    *,
    tells: bool = True,
) -> Repository | None:
    """Show the end in the thread."""
    repository = await repositories.load_repository(tx, alert.key.repository_id)
    if repository is None:
        return None
    details: dict[str, StoredJson] = {"request": approval.id, "because": because}
    event = Event(alert.key, kind, tx.now, None, details, once=f"{kind}:{approval.id}")
    stored = await alerts.add_events(tx, (event,))
    told = notice_job(approval, ended_notice(approval, alert, repository, because))
    await plan_consequences(tx, context, alert, repository, stored, more_jobs=(told,) if tells else ())
    return repository
