"""Next steps: the checklist in the card's thread, where people tick the steps that they have done."""

from dataclasses import dataclass

from bot.actions.action import Action, ActionRun, Outcome
from bot.errors import Refused
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.checklist import steps_for
from storage.records import Event, EventKind


@dataclass(frozen=True, slots=True)
class StepsChange:
    """What the person ticked and unticked, compared with the list that they saw."""

    ticked: tuple[str, ...]
    unticked: tuple[str, ...]


class NextSteps(Action[StepsChange]):
    """The checkboxes. Only the difference counts, so that two people's ticks don't undo each other."""

    id = "next_steps"
    audited_as = "next_steps"

    def decide(self, case: PersonalCase, user_input: UserInput) -> StepsChange:
        known = {step.id for step in steps_for(case.alert.secret_type, case.options)}
        chosen, before = _names(user_input.get("value")) & known, _names(user_input.get("shown")) & known
        change = StepsChange(tuple(sorted(chosen - before)), tuple(sorted(before - chosen)))
        if not change.ticked and not change.unticked:
            hint = "The list has changed since; check it again."
            raise Refused("nothing_changed", "Nothing was ticked.", hint)
        return change

    async def act(self, run: ActionRun, decision: StepsChange) -> Outcome:
        key, now, person = run.case.alert.key, run.context.clock.now(), run.case.actor.person
        details = {"ticked": list(decision.ticked), "unticked": list(decision.unticked)}
        words = [
            *(f"done: {step}" for step in decision.ticked),
            *(f"open: {step}" for step in decision.unticked),
        ]
        changed = Event(key, EventKind.STEPS_CHANGED, now, person, details)
        return Outcome(answer=None, events=(changed,), reason=", ".join(words))


def _names(value: object) -> frozenset[str]:
    return frozenset(value) if isinstance(value, tuple) else frozenset()
