"""I'm on it: records who works on an alert, for its cards and, where possible, for GitHub's assignee."""

from dataclasses import dataclass, replace

from bot.actions.action import ActionRun, CardAction, Outcome
from bot.errors import Refused
from bot.job_kinds import SyncAssignee
from bot.job_rows import new_job
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.views.answers import answer
from bot.views.formatting import alert_name, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Element, button
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, EventKind

BUTTON = "I'm on it"
DONE = "You are on it."
ASSIGNED = "GitHub shows you as the assignee too."
WILL_BE_ASSIGNED = "GitHub will show you as the assignee too."
NOT_ASSIGNED = (
    "GitHub's assignee stays as it is: only people who may resolve the alert by their role and have write access to "
    "the repository are assigned there, since an assignee may resolve it."
)
OFFLINE = "GitHub does not answer now; your role is checked, and GitHub's assignee set, when it is back."


@dataclass(frozen=True, slots=True)
class Take:
    """`already`: the person took the alert before."""

    already: bool = False


class TakeAlert(CardAction[Take]):
    """The first button of an open card while nobody is on the alert."""

    id = "take"
    audited_as = "take"
    works_offline = True

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable and case.alert.is_open and case.alert.taken_by is None

    def control(self, case: Case) -> Element:
        return button(BUTTON, action_id=self.id, value=str(case.alert.key), style="primary")

    def decide(self, case: PersonalCase, user_input: UserInput) -> Take:
        alert, account = case.alert, case.actor.identity.github
        name = alert_name(alert, case.repository)
        if not alert.is_open:
            raise Refused("closed", "This alert is closed already.", name)
        holder = alert.taken_by
        if holder is not None and holder.github and holder.github.id != account.id:
            who = t.mrkdwn("{}: {}", person_words(holder), name)
            raise Refused("taken", "Somebody is on it already.", who)
        return Take(already=holder is not None)

    async def act(self, run: ActionRun, decision: Take) -> Outcome:
        case, now, person = run.case, run.context.clock.now(), run.case.actor.person

        def take(alert: Alert) -> Alert:
            return alert if decision.already else replace(alert, taken_by=person, taken_at=now)

        return Outcome(
            answer=taken_answer(case),
            # The card does not say that the person's role is still to be checked.
            is_shown=not decision.already and not case.offline,
            change=take,
            events=() if decision.already else (Event(case.alert.key, EventKind.TAKEN, now, person),),
            jobs=(new_job(SyncAssignee(case.alert.key, person.slack_user)),),
        )


def taken_answer(case: PersonalCase) -> Content:
    there = _on_github(case) if case.server.assigns else None
    return answer("raising_hand", DONE, t.lines(alert_name(case.alert, case.repository), there))


def _on_github(case: PersonalCase) -> str | Mrkdwn:
    """What happens to GitHub's assignee."""
    assignee, rights = case.alert.assigned_to, case.actor.rights
    if case.offline:
        return OFFLINE
    if assignee is not None and assignee.id == case.actor.identity.github.id:
        return ASSIGNED
    if assignee is not None and assignee != case.alert.assigned_by_us:
        return t.mrkdwn("GitHub's assignee stays {}.", t.code(assignee.login))
    return WILL_BE_ASSIGNED if rights.resolve_by_role and rights.write else NOT_ASSIGNED
