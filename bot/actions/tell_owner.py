"""Tell the owner first: a direct message to the person whose token leaked, before it is reported."""

from dataclasses import dataclass

from bot.actions.action import Action, Doing, Given, Outcome
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.words import alert_name, alert_title, person_words, place_words
from integrations.slack import text as t
from integrations.slack.blocks import Content, message, section
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

    def shown(self, case: Case) -> bool:
        del case
        return False

    def decide(self, case: PersonalCase, given: Given) -> Tell:
        del given
        owner = case.alert.token.owner
        if owner is None or case.token_owner is None:
            login = t.code(owner.login) if owner else "the token's owner"
            raise Refused(
                "owner_not_linked",
                "The owner can't be told.",
                t.mrkdwn("Nobody here is linked to {}.", login),
            )
        return Tell(case.token_owner)

    async def act(self, doing: Doing, wanted: Tell) -> Outcome:
        case, owner = doing.case, wanted.owner
        await doing.tools.slack.direct_message(owner.slack_user, warning(case))
        now = doing.tools.clock.now()
        told = Event(
            case.alert.key,
            EventKind.OWNER_TOLD,
            now,
            case.actor.person,
            {"login": owner.github.login, "slack_user": owner.slack_user},
            once=f"owner_told:{owner.github.id}",
        )
        form = ReportLeak().form(case, {}, doing.request.metadata, told=True)
        return Outcome(said=told_them(case, owner), events=(told,), view=form)


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
        t.fact("Found", place_words(alert.place, repository)) if alert.place else None,
        t.mrkdwn("{} is about to report it to GitHub, which may revoke it.", person_words(case.actor.person)),
        ADVICE,
    )
    return message(t.spoken(said), section(said))
