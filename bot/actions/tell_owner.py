"""Tell the owner first: sends a direct message to the token's owner before the token is reported."""

from dataclasses import replace

from bot.actions.action import Action, ActionRun, Outcome
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.views.answers import answer
from bot.views.formatting import alert_name, alert_title, location_words, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content, message, section
from integrations.slack.errors import SlackError, SlackUncertain
from storage import alerts
from storage.records import Event, EventKind, Identity

HEADLINE = "A token of yours has leaked."
ADVICE = "Make a new token, give it to whatever uses the old one, and delete the old one now."


class TellOwner(Action[Identity]):
    """A button in the form of `report_leak`; no card shows it. The decision is who gets the message."""

    id = "tell_owner"
    audited_as = "tell_owner"

    def decide(self, case: PersonalCase, user_input: UserInput) -> Identity:
        owner = case.alert.token.owner
        if owner is None or case.token_owner is None:
            login = t.code(owner.login) if owner else "the token's owner"
            nobody = t.mrkdwn("Nobody here is linked to {}.", login)
            raise Refused("owner_not_linked", "The owner can't be told.", nobody)
        return case.token_owner

    async def act(self, run: ActionRun, decision: Identity) -> Outcome:
        case, owner = run.case, decision
        # Drawn before the message is sent: if the token can no longer be reported, this raises Refused.
        form = ReportLeak().form(replace(case, owner_told=True), {}, run.request.metadata)
        key, now, person = case.alert.key, run.context.clock.now(), case.actor.person
        details = {"login": owner.github.login, "slack_user": owner.slack_user}
        once = f"owner_told:{owner.github.id}"
        told = Event(key, EventKind.OWNER_TOLD, now, person, details, once=once)
        if not await _was_told(run, told):
            await _send(run, owner)
        return Outcome(answer=owner_told_answer(case, owner), events=(told,), view=form)


async def _was_told(run: ActionRun, told: Event) -> bool:
    """Whether the owner was told of this alert before; a second click sends nothing."""
    async with run.context.db.read() as tx:
        known = await alerts.events_of_kind(tx, told.alert, told.kind)
    return any(event.once == told.once for event in known)


async def _send(run: ActionRun, owner: Identity) -> None:
    """Send the direct message; raises Refused if Slack refuses it, or if it is unknown whether it was sent.

    The app may not read direct messages, so it can't look for one that may have been sent.
    """
    unknown = Refused(
        "owner_unknown_whether_told",
        "It is not known whether the owner got the message.",
        "Ask them before you press the button again.",
    )
    if run.case.resumed:
        raise unknown
    try:
        await run.context.slack.direct_message(owner.slack_user, owner_message(run.case))
    except SlackUncertain:
        raise unknown from None
    except SlackError as error:
        raise Refused(
            "owner_not_reached",
            "The owner could not be told.",
            t.mrkdwn("Slack did not take a message to {}: {}.", t.user(owner.slack_user), t.code(error.code)),
        ) from None


def owner_told_answer(case: PersonalCase, owner: Identity) -> Content:
    who = t.mrkdwn("{} ({})", t.user(owner.slack_user), t.code(owner.github.login))
    name = alert_name(case.alert, case.repository)
    return answer("speech_balloon", "The owner has been told.", t.lines(who, name))


def owner_message(case: PersonalCase) -> Content:
    """The message to the owner: what leaked, where, and who is about to report it."""
    alert, repository = case.alert, case.repository
    lines = t.lines(
        t.mrkdwn(":rotating_light: *{}*", HEADLINE),
        alert_title(alert, repository),
        t.fact("Found", location_words(alert.place, repository)) if alert.place else None,
        t.mrkdwn("{} is about to report it to GitHub, which may revoke it.", person_words(case.actor.person)),
        ADVICE,
    )
    return message(t.without_markup(lines), section(lines))
