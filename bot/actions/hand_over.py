"""Hand over…: puts another person on an alert, who is told; GitHub's assignee follows where its rules allow it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.actions.action import ActionRun, FormAction, MenuAction, Outcome
from bot.errors import Refused
from bot.job_kinds import SyncAssignee, TellReceiver
from bot.job_rows import new_job
from bot.options import Options
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase, Receiver
from bot.rules.hand_over import Effect, Obstacle, hand_over_effect
from bot.rules.rights import Need, OthersCan
from bot.views import hand_over as words
from bot.views.formatting import alert_name, person_words
from bot.views.refusals import incomplete_form
from integrations.slack import text as t
from integrations.slack.blocks import Block, View, modal
from integrations.slack.elements import Option
from storage.records import Alert, Event, EventKind, HandOver, StoredJson

PICK_SOMEBODY = "Pick a person."
NOT_CHECKED = "Stanch is still asking GitHub about this person. Read what follows from it, then submit again."
CLOSED, NOT_ON_IT = "This alert is closed already.", "You are not on it."
CHANGED = "Somebody else changed who is on it, so nothing was done."
GRANTS_NOW = "What follows on GitHub has changed, so nothing was done."


@dataclass(frozen=True, slots=True)
class ToReceiver:
    """The decision: who gets it, and what that changes on GitHub."""

    receiver: Receiver
    effect: Effect


class HandOverAlert(MenuAction[ToReceiver], FormAction[ToReceiver]):
    """A line of the overflow menu; its form has a people picker, and says what follows once a person is picked.

    The form's metadata has under `said` what it told the giver, for the submit: the receiver (`checked`), the refusal
    (`refused`), a grant (`grants`), and when the person on the alert got it (`since`).
    """

    id = "hand_over"
    callback_id = "hand_over"
    audited_as = "hand_over"
    title = "Hand over"
    menu_line = Option("Hand over…", "hand_over")
    verb_phrase = "hand this alert over"
    receiver_block = words.BLOCK
    needs_fresh_role = True
    works_offline = True

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable and case.alert.is_open

    def form(self, case: PersonalCase, user_input: UserInput, metadata: str) -> View:
        effect = _effect(case)
        carried = {"since": _since(case.alert)}
        if case.receiver is not None and effect is not None:
            carried["checked"] = case.receiver.user
            if isinstance(effect, Obstacle):
                carried["refused"] = words.obstacle_words(case.receiver, effect)
            elif effect is Effect.GRANT:
                carried["grants"] = "yes"
        return modal(
            callback_id=self.callback_id,
            title=self.title,
            submit=self.title,
            private_metadata=json.dumps({**json.loads(metadata), "said": carried}),
            blocks=self.form_blocks(case, user_input),
        )

    def form_blocks(self, case: PersonalCase, user_input: UserInput) -> Sequence[Block | None]:
        _check_alert(case)
        return words.form_blocks(case, _effect(case))

    def input_refusal(self, case: PersonalCase) -> Refused | None:
        effect = _effect(case)
        if case.receiver is None or not isinstance(effect, Obstacle):
            return None
        return words.refused_receiver(case, case.receiver, effect)

    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        receiver, refused = user_input.get(words.BLOCK), user_input.get("refused")
        if not isinstance(receiver, str):
            return {words.BLOCK: PICK_SOMEBODY}
        if user_input.get("checked") != receiver:
            return {words.BLOCK: NOT_CHECKED}
        return {words.BLOCK: refused} if isinstance(refused, str) else {}

    def decide(self, case: PersonalCase, user_input: UserInput) -> ToReceiver:
        receiver, effect, name = case.receiver, _effect(case), alert_name(case.alert, case.repository)
        if receiver is None or effect is None or self.form_errors(user_input, case.options):
            raise incomplete_form()
        _check_alert(case)
        if user_input.get("since") != _since(case.alert):
            holder = case.alert.taken_by
            on_it = t.mrkdwn("On it: {}", person_words(holder) if holder else "nobody yet")
            raise Refused("changed_meanwhile", CHANGED, t.lines(name, on_it))
        if isinstance(effect, Obstacle):
            raise words.refused_receiver(case, receiver, effect)
        if effect is Effect.GRANT and user_input.get("grants") != "yes":
            raise Refused("grants_now", GRANTS_NOW, t.lines(name, words.effect_words(case, receiver, effect)))
        return ToReceiver(receiver, effect)

    async def act(self, run: ActionRun, decision: ToReceiver) -> Outcome:
        case, receiver, now = run.case, decision.receiver, run.context.clock.now()
        key, person, grants = case.alert.key, decision.receiver.person, decision.effect is Effect.GRANT
        # Without a stored hand over, GitHub's assignee follows as if the receiver had taken the alert.
        differs = grants or not case.actor.rights.resolve_by_role
        last = HandOver(now, grants) if differs else None
        account = person.github
        login = account.login if account else ""
        details: dict[str, StoredJson] = {"login": login, "slack_user": receiver.user, "grants": grants}
        # While GitHub is down, a role that is not known counts as the right to view, but tells them nothing yet.
        may_view = grants or not case.offline
        tell = TellReceiver(key, receiver.user, now, may_view, run.request.channel)
        return Outcome(
            answer=words.handed_over_answer(case, receiver, decision.effect),
            is_shown=not case.offline,
            change=lambda alert: replace(alert, taken_by=person, taken_at=now, last_hand_over=last),
            events=(Event(key, EventKind.HANDED_OVER, now, case.actor.person, details),),
            jobs=(new_job(SyncAssignee(key, case.actor.identity.slack_user)), new_job(tell)),
            reason=f"to {login}, granted" if grants else f"to {login}",
        )


def _effect(case: PersonalCase) -> Effect | Obstacle | None:
    return hand_over_effect(case, case.receiver) if case.receiver is not None else None


def _since(alert: Alert) -> str:
    return str(alert.taken_at or "")


def _check_alert(case: PersonalCase) -> None:
    """Refuse for a closed alert, and for one that somebody else is on, unless the person may close it."""
    alert, holder = case.alert, case.alert.taken_by
    name = alert_name(alert, case.repository)
    if not alert.is_open:
        raise Refused("closed", CLOSED, name)
    own = holder is None or (holder.github is not None and holder.github.id == case.actor.identity.github.id)
    if not own and not case.actor.rights.resolve:
        detail = t.mrkdwn(
            "{} is on it. They can hand it over, and so can people who may close the alert.",
            person_words(holder),
        )
        raise OthersCan("not_theirs", NOT_ON_IT, t.lines(name, detail), who_can=Need.RESOLVE)
