"""Deny: a second person refuses a report, which is not made."""

from dataclasses import replace

from bot.actions.action import Action, ActionRun, Outcome
from bot.actions.approval import event_of, notice_job, store_decision
from bot.requests import UserInput
from bot.rules.approval import decision_obstacle
from bot.rules.case import PersonalCase
from bot.rules.source_rights import Deed
from bot.views.approval import DENY, cant_decide, denied_answer, ended_notice
from storage.records import Approval, ApprovalState, EventKind


class DenyReport(Action[Approval]):
    """A button of the request in the thread. The decision is the request that is denied."""

    id = DENY
    audited_as = DENY
    deed = Deed.APPROVE
    needs_fresh_role = True
    asks_about_approval = True
    verb_phrase = "deny this report"

    def decide(self, case: PersonalCase, user_input: UserInput) -> Approval:
        obstacle = decision_obstacle(case)
        if obstacle is not None or case.approval is None:
            raise cant_decide(case, obstacle or "approval_unknown")
        return case.approval

    async def act(self, run: ActionRun, decision: Approval) -> Outcome:
        case = run.case
        denied = replace(decision, decided_by=case.actor.person)
        return Outcome(
            answer=denied_answer(case),
            stored_besides=store_decision(case, decision, ApprovalState.DENIED),
            events=(event_of(decision, EventKind.REPORT_DENIED, case),),
            jobs=(notice_job(denied, ended_notice(denied, case.alert, case.repository, "denied")),),
        )
