"""Step back: releases a taken alert, so that another person can take it."""

from dataclasses import replace

from bot.actions.action import ActionRun, MenuAction, Outcome
from bot.errors import Refused
from bot.job_kinds import SyncAssignee
from bot.job_rows import new_job
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.rights import Need, OthersCan
from bot.views.answers import answer
from bot.views.formatting import alert_name, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Option
from storage.records import Event, EventKind

DONE, NOBODY = "Nobody is on it now.", "Nobody is on it."


class StepBackFromAlert(MenuAction[None]):
    """A line of the overflow menu while somebody is on the alert; for that person, and people who may close it."""

    id = "step_back"
    audited_as = "step_back"
    menu_line = Option("Step back", "step_back")
    works_offline = True

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable and case.alert.is_open and case.alert.taken_by is not None

    def decide(self, case: PersonalCase, user_input: UserInput) -> None:
        alert, holder = case.alert, case.alert.taken_by
        name = alert_name(alert, case.repository)
        if holder is None:
            raise Refused("nobody_on_it", NOBODY, name)
        own = holder.github is not None and holder.github.id == case.actor.identity.github.id
        if not own and not case.actor.rights.resolve:
            detail = t.mrkdwn(
                "{} is on it. They can step back, and people who may close the alert can do it for them.",
                person_words(holder),
            )
            raise OthersCan("not_theirs", "You are not on it.", detail, who_can=Need.RESOLVE)

    async def act(self, run: ActionRun, decision: None) -> Outcome:
        case, key = run.case, run.case.alert.key
        return Outcome(
            answer=stepped_back_answer(case),
            is_shown=case.alert.is_open,
            change=lambda alert: replace(alert, taken_by=None, taken_at=None),
            events=(Event(key, EventKind.STEPPED_BACK, run.context.clock.now(), case.actor.person),),
            jobs=(new_job(SyncAssignee(key, case.actor.identity.slack_user)),),
        )


def stepped_back_answer(case: PersonalCase) -> Content:
    return answer("wave", DONE, alert_name(case.alert, case.repository))
