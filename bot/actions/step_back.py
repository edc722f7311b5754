"""Step back: gives an alert free again for somebody else."""

from dataclasses import dataclass, replace

from bot.actions.action import ActionRun, MenuAction, Outcome
from bot.errors import Refused
from bot.job_kinds import SyncAssignee
from bot.job_rows import new_job
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.formatting import alert_name, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Option
from storage.records import Alert, Event, EventKind

DONE, NOBODY = "Nobody is on it now.", "Nobody is on it."


@dataclass(frozen=True, slots=True)
class StepBack:
    """The alert is given free."""


class StepBackFromAlert(MenuAction[StepBack]):
    """In the card's menu while somebody is on it: for that person, and for those who may close the alert."""

    id = "step_back"
    audited_as = "step_back"
    menu_line = Option("Step back", "step_back")
    needs = Need.VIEW
    works_offline = True

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable and case.alert.is_open and case.alert.taken_by is not None

    def decide(self, case: PersonalCase, user_input: UserInput) -> StepBack:
        alert, holder = case.alert, case.alert.taken_by
        name = alert_name(alert, case.repository)
        if holder is None:
            raise Refused("nobody_on_it", NOBODY, name)
        own = holder.github is not None and holder.github.id == case.actor.identity.github.id
        if not own and not case.actor.rights.resolve:
            detail = t.mrkdwn(
                "{} is on it, and can step back, or whoever may close the alert.", person_words(holder)
            )
            raise Refused("not_theirs", "You are not on it.", detail)
        return StepBack()

    async def act(self, run: ActionRun, decision: StepBack) -> Outcome:
        case, now, person = run.case, run.context.clock.now(), run.case.actor.person

        def free(alert: Alert) -> Alert:
            return replace(alert, taken_by=None, taken_at=None)

        return Outcome(
            answer=stepped_back(case),
            change=free,
            events=(Event(case.alert.key, EventKind.STEPPED_BACK, now, person),),
            jobs=(new_job(SyncAssignee(case.alert.key)),),
        )


def stepped_back(case: PersonalCase) -> Content:
    """What the person hears."""
    return answer("wave", DONE, alert_name(case.alert, case.repository))
