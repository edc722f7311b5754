"""Approve: a second person agrees to a report, which is made then."""

from dataclasses import dataclass

from bot.actions.action import Action, ActionRun, Outcome
from bot.actions.approval import event_of, report_job, store_decision
from bot.requests import UserInput
from bot.rules.approval import alone_at, alone_obstacle, change_obstacle, decision_obstacle
from bot.rules.case import PersonalCase
from bot.rules.report_eligibility import report_obstacle
from bot.rules.source_rights import Deed
from bot.views.approval import APPROVE, approved_answer, cant_decide, request_ended
from storage.records import Approval, ApprovalState, EventKind

ALONE = "alone: GitHub names nobody else with the right"
"""The reason in the audit log where no second person approved."""


@dataclass(frozen=True, slots=True)
class GoAhead:
    """The request that is approved, and whether the person who asked does so alone."""

    approval: Approval
    alone: bool


class ApproveReport(Action[GoAhead]):
    """A button of the request in the thread."""

    id = APPROVE
    audited_as = APPROVE
    deed = Deed.APPROVE
    needs_fresh_role = True
    asks_about_approval = True
    verb_phrase = "approve this report"

    def decide(self, case: PersonalCase, user_input: UserInput) -> GoAhead:
        obstacle = decision_obstacle(case)
        alone = obstacle == "self_approval" and alone_at(case) is not None
        if alone:
            obstacle = alone_obstacle(case)
        if obstacle is not None or case.approval is None:
            raise cant_decide(case, obstacle or "approval_unknown")
        changed = report_obstacle(case.alert, case.repository, case.server, case.options.report)
        changed = changed or change_obstacle(case)
        if changed is not None:
            raise request_ended(case, case.approval, changed)
        return GoAhead(case.approval, alone)

    async def act(self, run: ActionRun, decision: GoAhead) -> Outcome:
        case, approval = run.case, decision.approval
        return Outcome(
            answer=approved_answer(case),
            stored_besides=store_decision(case, approval, ApprovalState.APPROVED),
            events=(event_of(approval, EventKind.REPORT_APPROVED, case, alone=decision.alone),),
            jobs=(report_job(approval),),
            reason=ALONE if decision.alone else None,
        )
