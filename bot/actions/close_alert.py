"""Close as…: closes an alert with one of GitHub's four reasons."""

from dataclasses import dataclass

from bot.actions.action import ActionRun, CardAction, FormAction, Outcome
from bot.actions.comment_field import HINT, comment_errors, comment_field, github_comment
from bot.errors import Refused
from bot.options import RESOLUTIONS, CloseOptions, LimitsOptions, Options
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.comments import without_signature
from bot.rules.rights import Need, OthersCan
from bot.rules.validity import effective_validity
from bot.views.answers import answer
from bot.views.formatting import (
    alert_name,
    closed_by_words,
    counted,
    duration_words,
    joined_words,
    resolution_words,
    secret_noun,
)
from bot.views.own_name_refusals import change_refused
from bot.views.refusals import changed_meanwhile, incomplete_form
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import Forbidden, Invalid, NotFound
from integrations.github.facts import AlertFacts
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, input_block, section
from integrations.slack.elements import Element, Option, select
from integrations.slack.text import Mrkdwn
from storage.records import Account

REASONS = (
    Option("Revoked", "revoked", "The secret no longer works"),
    Option("False positive", "false_positive", "It is not a real secret"),
    Option("Used in tests", "used_in_tests", "It is not used in production"),
    Option("Won't fix", "wont_fix", "We accept the risk"),
)
MENU = "Close as…"
NO_REASON = "Pick one of the reasons."
REVIEWERS = "organization owners and security managers"


@dataclass(frozen=True, slots=True)
class Close:
    """The reason, and the comment for GitHub; `already`: the alert is closed for this reason already."""

    resolution: str
    comment: str
    already: bool = False


class CloseAlert(CardAction[Close], FormAction[Close]):
    """A menu of reasons on the card; picking one opens the form with that reason."""

    id = "close_as"
    callback_id = "close_alert"
    audited_as = "close_alert"
    verb_phrase = "close this alert"
    title = "Close alert"
    is_menu = True
    needs = Need.RESOLVE
    needs_fresh_role = True

    def most_per_hour(self, limits: LimitsOptions) -> int:
        return limits.closes_per_hour

    def shown(self, case: Case) -> bool:
        return case.alert.is_open and case.repository.is_reachable

    def control(self, case: Case) -> Element:
        options = [Option(reason.text, reason.value) for reason in REASONS]
        return select(MENU, action_id=self.id, options=options)

    def form_blocks(self, case: PersonalCase, user_input: UserInput) -> list[Block | None]:
        if not case.alert.is_open:
            raise _closed_meanwhile(case)
        _check_delegation(case)
        picked, warning = user_input.get("value"), _warning(case)
        initial = picked if isinstance(picked, str) else None
        reason = select("Reason", action_id="resolution", options=REASONS, initial=initial)
        return [
            section(alert_name(case.alert, case.repository)),
            section(warning) if warning else None,
            input_block("Reason", reason, block_id="resolution"),
            comment_field(
                case,
                required=case.options.close.requires_comment(initial),
                hint=_required_for(case.options.close),
            ),
        ]

    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        resolution = user_input.get("resolution")
        errors = {} if resolution in RESOLUTIONS else {"resolution": NO_REASON}
        required = options.close.requires_comment(resolution)
        return {**errors, **comment_errors(user_input, required=required)}

    def decide(self, case: PersonalCase, user_input: UserInput) -> Close:
        if self.form_errors(user_input, case.options):
            raise incomplete_form()
        resolution = str(user_input["resolution"])
        comment = github_comment(case, user_input)
        if case.alert.is_open:
            if case.changed_since:
                raise changed_meanwhile("It is open now.")
            _check_delegation(case)
            return Close(resolution, comment)
        if case.alert.resolution != resolution:
            raise _closed_meanwhile(case)
        return Close(resolution, comment, already=True)

    async def act(self, run: ActionRun, decision: Close) -> Outcome:
        case = run.case
        if decision.already:
            closed_by, comment = case.alert.resolved_by, case.alert.resolution_comment
            facts, ours = None, case.resumed and _is_ours(run, closed_by, comment, decision)
        else:
            facts, ours = await self._close(run, decision)
        return Outcome(
            answer=closed_answer(case, decision.resolution, ours=ours),
            is_shown=ours,
            facts=facts,
            by=case.actor.person if ours else None,
            own_name=ours and case.own_name,
            reason=decision.resolution,
        )

    async def _close(self, run: ActionRun, decision: Close) -> tuple[AlertFacts, bool]:
        """GitHub's answer, and whether this action closed the alert."""
        name, number = run.case.repository.full_name, run.case.alert.key.number
        try:
            return await run.write(
                lambda calls: calls.close(name, number, decision.resolution, decision.comment)
            ), True
        except (Forbidden, NotFound) as error:
            there = "Close it on GitHub, or request its dismissal there"
            raise change_refused(run.case, self.verb_phrase, error, there) from None
        except Invalid:
            # GitHub answers 400 if the alert has this resolution already: somebody else closed it a moment ago.
            facts = await run.access.alert(name, number)
            if facts.resolution != decision.resolution:
                raise
            return facts, _is_ours(run, facts.resolved_by, facts.resolution_comment, decision)


def _is_ours(
    run: ActionRun, closed_by: GitHubAccount | Account | None, comment: str | None, decision: Close
) -> bool:
    """Whether a closure with the decision's reason is the one that an attempt of this request made."""
    if (comment or "") != decision.comment:
        return False
    # In the person's own name there is no signature, and the comment may be empty.
    own = closed_by is not None and closed_by.id == run.case.actor.identity.github.id
    return own or not run.case.own_name


def _required_for(options: CloseOptions) -> str:
    """The field's hint where only some reasons need a comment: the reason can still be changed in the form."""
    if isinstance(options.require_comment, bool) or not options.require_comment:
        return HINT
    needing = [f"“{reason.text}”" for reason in REASONS if reason.value in options.require_comment]
    return f"Required for {joined_words(needing)}. {HINT}"


def closed_answer(case: PersonalCase, resolution: str, *, ours: bool) -> Content:
    """The private answer; `ours` is False if somebody else had closed it for the same reason."""
    words = resolution_words(resolution)
    headline = f"Closed as {words}." if ours else f"It was closed as {words} already."
    name = alert_name(case.alert, case.repository)
    return answer("white_check_mark", headline, t.lines(name, _warning(case)))


def _check_delegation(case: PersonalCase) -> None:
    """Refuse with delegated dismissal on, unless the person is a reviewer.

    GitHub's docs: only reviewers may close then. GitHub can't check it where it sees the App and not the person.
    """
    if case.own_name:
        return
    if case.repository.delegated_dismissal and not case.actor.rights.reviewer:
        name = t.code(case.repository.full_name)
        why = t.mrkdwn("{} has delegated alert dismissal on: {} close its alerts.", name, REVIEWERS)
        there = t.link(case.alert.html_url, "Request the dismissal on GitHub")
        headline = "You can't close this alert from here."
        raise OthersCan("delegated_dismissal", headline, why, there, who_can=Need.REVIEW)


def _closed_meanwhile(case: PersonalCase) -> Refused:
    alert = case.alert
    ago = duration_words(case.now - (alert.resolved_at or alert.updated_at))
    comment = without_signature(alert.resolution_comment)
    quote = t.mrkdwn(": “{}”", comment) if comment else Mrkdwn(".")
    who = t.mrkdwn("Closed {} {} ago{}", closed_by_words(alert), ago, quote)
    return Refused(
        "closed_meanwhile",
        f"It was closed already, as {resolution_words(alert.resolution)}.",
        t.lines(alert_name(alert, case.repository), who),
        Mrkdwn("To close it for another reason, reopen it first."),
    )


def _warning(case: PersonalCase) -> Mrkdwn | None:
    """A warning that the secret still works, and how many steps of the checklist are done."""
    active = None
    if effective_validity(case.alert) == "active":
        active = t.mrkdwn(
            ":warning: *This {} still works.* Closing the alert does not revoke it.", secret_noun(case.alert)
        )
    done, total = case.steps_done, case.steps_total
    verb = "is" if done == 1 or total == 1 else "are"
    steps = f"{done} of {counted(total, 'step')} {verb} done." if done != total else None
    return t.lines(active, steps) or None
