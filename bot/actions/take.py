"""I'm on it: says who works on an alert, on all its cards and, where possible, on GitHub."""

from dataclasses import dataclass, replace

from bot.actions.action import Action, Doing, Given, Outcome
from bot.errors import Refused
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.words import alert_name, person_words
from integrations.github.errors import Forbidden, Invalid, NotFound
from integrations.github.models import AlertFacts
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
        assigned = alert.assigned_to is not None and alert.assigned_to.id == account.id
        return Take(
            case.server.assigns and case.actor.rights.write and not assigned, already=holder is not None
        )

    async def act(self, doing: Doing, wanted: Take) -> Outcome:
        case, now, person = doing.case, doing.tools.clock.now(), doing.case.actor.person
        facts = await self._assign(doing) if wanted.assign else None
        already = (
            case.alert.assigned_to is not None and case.alert.assigned_to.id == case.actor.identity.github.id
        )
        mirrored = bool(facts) or already

        def take(alert: Alert) -> Alert:
            return alert if wanted.already else replace(alert, taken_by=person, taken_at=now)

        return Outcome(
            said=taken(case, mirrored=mirrored),
            facts=facts,
            by=person if facts else None,
            change=take,
            events=() if wanted.already else (Event(case.alert.key, EventKind.TAKEN, now, person),),
        )

    async def _assign(self, doing: Doing) -> AlertFacts | None:
        """GitHub may know better who can be assigned; the person is on it here all the same."""
        case = doing.case
        login = case.actor.identity.github.login
        try:
            return await doing.access.assign(case.repository.full_name, case.alert.key.number, login)
        except (Invalid, Forbidden, NotFound):
            return None


def taken(case: PersonalCase, *, mirrored: bool) -> Content:
    """What the person hears; `mirrored`: GitHub shows them as the assignee too."""
    there = ASSIGNED if mirrored else NOT_ASSIGNED if case.server.assigns else None
    return answer("raising_hand", DONE, t.lines(alert_name(case.alert, case.repository), there))
