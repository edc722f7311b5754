"""I'm on it: says who works on an alert, on all its cards and, where possible, on GitHub."""

from dataclasses import dataclass, replace

from bot.actions.action import Action, Doing, Given, Outcome
from bot.actions.assigning import assign
from bot.errors import Refused
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.words import alert_name, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Element, button
from storage.records import Alert, Event, EventKind

BUTTON = "I'm on it"
DONE = "You are on it."
ASSIGNED = "GitHub shows you as the assignee too."
NOT_ASSIGNED = "GitHub's assignee stays as it is: being assigned there takes write access to the repository."


@dataclass(frozen=True, slots=True)
class Take:
    """Whether GitHub is to assign the alert as well. `already`: the person is on it since an earlier click."""

    assign: bool
    already: bool = False


class TakeAlert(Action[Take]):
    """The first button of an open card, as long as nobody is on it."""

    id = "take"
    audited_as = "take"
    needs = Need.VIEW

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable and case.alert.is_open and case.alert.taken_by is None

    def control(self, case: Case) -> Element:
        return button(BUTTON, action_id=self.id, value=str(case.alert.key), style="primary")

    def decide(self, case: PersonalCase, given: Given) -> Take:
        alert, account = case.alert, case.actor.identity.github
        name = alert_name(alert, case.repository)
        if not alert.is_open:
            raise Refused("closed", "This alert is closed already.", name)
        holder = alert.taken_by
        if holder is not None and holder.github and holder.github.id != account.id:
            raise Refused(
                "taken", "Somebody is on it already.", t.mrkdwn("{}: {}", person_words(holder), name)
            )
        assign = case.server.assigns and case.actor.rights.write and not _is_assignee(case)
        return Take(assign, already=holder is not None)

    async def act(self, doing: Doing, wanted: Take) -> Outcome:
        case, now, person = doing.case, doing.tools.clock.now(), doing.case.actor.person
        facts = await assign(doing, case.actor.identity.github.login) if wanted.assign else None

        def take(alert: Alert) -> Alert:
            return alert if wanted.already else replace(alert, taken_by=person, taken_at=now)

        return Outcome(
            said=taken(case, mirrored=facts is not None or _is_assignee(case)),
            facts=facts,
            by=person if facts else None,
            change=take,
            events=() if wanted.already else (Event(case.alert.key, EventKind.TAKEN, now, person),),
        )


def _is_assignee(case: PersonalCase) -> bool:
    assignee = case.alert.assigned_to
    return assignee is not None and assignee.id == case.actor.identity.github.id


def taken(case: PersonalCase, *, mirrored: bool) -> Content:
    """What the person hears; `mirrored`: GitHub shows them as the assignee too."""
    there = ASSIGNED if mirrored else NOT_ASSIGNED if case.server.assigns else None
    return answer("raising_hand", DONE, t.lines(alert_name(case.alert, case.repository), there))
