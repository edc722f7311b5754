"""Reopen: opens a closed alert again."""

from dataclasses import dataclass

from bot.actions.action import ActionRun, CardAction, FormAction, Outcome
from bot.actions.comment_field import comment_errors, comment_field, github_comment
from bot.errors import Refused
from bot.options import Options
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.rights import Need
from bot.views.answers import answer
from bot.views.formatting import alert_name, closed_by_words, resolution_words
from bot.views.own_name_refusals import change_refused
from bot.views.refusals import changed_meanwhile, incomplete_form
from integrations.github.errors import Forbidden, NotFound
from integrations.github.facts import AlertFacts
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, section
from integrations.slack.elements import Element, button

BUTTON = "Reopen"
DONE, ALREADY = "Reopened.", "It is open already."


@dataclass(frozen=True, slots=True)
class Reopen:
    """The comment for GitHub; `already`: the alert is open already."""

    comment: str
    already: bool = False


class ReopenAlert(CardAction[Reopen], FormAction[Reopen]):
    """A button on closed cards; its form asks for an optional comment."""

    id = "reopen"
    callback_id = "reopen_alert"
    audited_as = "reopen_alert"
    verb_phrase = "reopen this alert"
    title = "Reopen alert"
    needs = Need.RESOLVE
    needs_fresh_role = True

    def shown(self, case: Case) -> bool:
        return not case.alert.is_open and case.repository.is_reachable

    def control(self, case: Case) -> Element:
        return button(BUTTON, action_id=self.id, value=str(case.alert.key))

    def form_blocks(self, case: PersonalCase, user_input: UserInput) -> list[Block]:
        if case.alert.is_open:
            raise Refused("open_already", ALREADY, alert_name(case.alert, case.repository))
        closed = t.mrkdwn(
            "Closed as {} {}.", resolution_words(case.alert.resolution), closed_by_words(case.alert)
        )
        about = section(t.lines(alert_name(case.alert, case.repository), closed))
        return [about, comment_field(case, required=False)]

    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        return comment_errors(user_input, required=False)

    def decide(self, case: PersonalCase, user_input: UserInput) -> Reopen:
        if self.form_errors(user_input, case.options):
            raise incomplete_form()
        if case.changed_since and not case.alert.is_open:
            raise changed_meanwhile("It is closed now.")
        return Reopen(github_comment(case, user_input), case.alert.is_open)

    async def act(self, run: ActionRun, decision: Reopen) -> Outcome:
        case = run.case
        same_comment = (case.alert.resolution_comment or "") == decision.comment
        ours = not decision.already or (case.resumed and same_comment)
        facts = None if decision.already else await self._reopen(run, decision)
        return Outcome(
            answer=reopened_answer(case, ours=ours),
            is_shown=ours,
            facts=facts,
            by=case.actor.person if ours else None,
            own_name=ours and case.own_name,
            reason=None if ours else "open_already",
        )

    async def _reopen(self, run: ActionRun, decision: Reopen) -> AlertFacts:
        name, number = run.case.repository.full_name, run.case.alert.key.number
        try:
            return await run.write(lambda calls: calls.reopen(name, number, decision.comment))
        except (Forbidden, NotFound) as error:
            raise change_refused(run.case, self.verb_phrase, error, "Reopen it on GitHub") from None


def reopened_answer(case: PersonalCase, *, ours: bool) -> Content:
    """The private answer; `ours` is False if somebody else had reopened it."""
    return answer("red_circle", DONE if ours else ALREADY, alert_name(case.alert, case.repository))
