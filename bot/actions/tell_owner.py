"""Tell the owner first: a direct message to the person whose token leaked, before it is reported."""

from dataclasses import dataclass

from bot.actions.action import Action, ActionRun, Outcome
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.formatting import alert_name, alert_title, location_words, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Content, message, section
from integrations.slack.errors import SlackError, SlackUncertain
from storage import alerts
from storage.records import Event, EventKind, Identity

HEADLINE = "A token of yours has leaked."
ADVICE = "Make a new token, give it to whatever uses the old one, and delete the old one now."


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is to be told."""

    owner: Identity


class TellOwner(Action[Tell]):
    """A button in the form of `report_leak`; no card shows it."""

    id = "tell_owner"
    audited_as = "tell_owner"
    needs = Need.VIEW

    def decide(self, case: PersonalCase, user_input: UserInput) -> Tell:
        owner = case.alert.token.owner
        if owner is None or case.token_owner is None:
            login = t.code(owner.login) if owner else "the token's owner"
            raise Refused(
                "owner_not_linked",
                "The owner can't be told.",
                t.mrkdwn("Nobody here is linked to {}.", login),
            )
        return Tell(case.token_owner)

    async def act(self, run: ActionRun, decision: Tell) -> Outcome:
        case, owner = run.case, decision.owner
        # Before anything is sent: where there is nothing left to report, there is nothing to tell either.
        form = ReportLeak().form(case, {}, run.request.metadata, told=True)
        told = Event(
            case.alert.key,
            EventKind.OWNER_TOLD,
            run.context.clock.now(),
            case.actor.person,
            {"login": owner.github.login, "slack_user": owner.slack_user},
            once=f"owner_told:{owner.github.id}",
        )
        if not await _is_noted(run, told):
            await _send(run, owner)
        return Outcome(answer=told_them(case, owner), events=(told,), view=form)


async def _is_noted(run: ActionRun, told: Event) -> bool:
    """Whether they were told of this alert before: a second click sends nothing."""
    async with run.context.db.read() as tx:
        known = await alerts.events_of_kind(tx, told.alert, told.kind)
    return any(event.once == told.once for event in known)


async def _send(run: ActionRun, owner: Identity) -> None:
    """The direct message; raises Refused where Slack does not bring it, or nobody can tell whether it did.

    Slack lets us read no direct messages, so what may have been sent can't be looked for.
    """
    if run.case.resumed:
        raise _perhaps_told()
    try:
        await run.context.slack.direct_message(owner.slack_user, warning(run.case))
    except SlackUncertain:
        raise _perhaps_told() from None
    except SlackError as error:
        raise Refused(
            "owner_not_reached",
            "The owner could not be told.",
            t.mrkdwn("Slack did not take a message to {}: {}.", t.user(owner.slack_user), t.code(error.code)),
        ) from None


def _perhaps_told() -> Refused:
    return Refused(
        "owner_perhaps_told",
        "It is not known whether the owner got the message.",
        "Ask them before you press the button again.",
    )


def told_them(case: PersonalCase, owner: Identity) -> Content:
    """What whoever pressed the button hears."""
    who = t.mrkdwn("{} ({})", t.user(owner.slack_user), t.code(owner.github.login))
    name = alert_name(case.alert, case.repository)
    return answer("speech_balloon", "The owner has been told.", t.lines(who, name))


def warning(case: PersonalCase) -> Content:
    """For the owner: what leaked, where, and who is about to report it."""
    alert, repository = case.alert, case.repository
    said = t.lines(
        t.mrkdwn(":rotating_light: *{}*", HEADLINE),
        alert_title(alert, repository),
        t.fact("Found", location_words(alert.place, repository)) if alert.place else None,
        t.mrkdwn("{} is about to report it to GitHub, which may revoke it.", person_words(case.actor.person)),
        ADVICE,
    )
    return message(t.without_markup(said), section(said))
