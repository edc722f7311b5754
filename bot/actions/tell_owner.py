"""Tell the owner first: sends a direct message to the token's owner before the token is reported."""

from dataclasses import replace

from bot.actions.action import Action, ActionRun, Outcome
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.job_kinds import FillForm
from bot.job_rows import job_text
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.owner_message import owner_obstacle
from bot.views.answers import answer
from bot.views.formatting import alert_name
from bot.views.owner_message import draw_owner_message, notice_of
from bot.views.report_form import owner_not_told
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.errors import SlackError, SlackUncertain
from storage import alerts
from storage.records import Event, EventKind, Identity, StoredJson


class TellOwner(Action[Identity]):
    """A button in the form of `report_leak`; no card shows it. The decision is who gets the message."""

    id = "tell_owner"
    audited_as = "tell_owner"
    asks_about_owner = True
    asks_about_approval = True

    def decide(self, case: PersonalCase, user_input: UserInput) -> Identity:
        obstacle = owner_obstacle(case)
        if obstacle is not None or case.token_owner is None:
            why = owner_not_told(case, obstacle or "owner_not_linked")
            raise Refused(obstacle or "owner_not_linked", "The owner can't be told.", why)
        return case.token_owner

    async def act(self, run: ActionRun, decision: Identity) -> Outcome:
        case, owner = run.case, decision
        # Drawn before the message is sent: if the token can no longer be reported, this raises Refused.
        form = ReportLeak().form(replace(case, owner_told=True), {}, run.request.metadata)
        key, now, person = case.alert.key, run.context.clock.now(), case.actor.person
        details: dict[str, StoredJson] = {"login": owner.github.login, "slack_user": owner.slack_user}
        once = f"owner_told:{owner.github.id}"
        told = Event(key, EventKind.OWNER_TOLD, now, person, details, once=once)
        if not await _was_told(run, told):
            channel, ts = await _send(run, owner)
            more: dict[str, StoredJson] = {
                "channel": channel,
                "ts": ts,
                "place": case.owner_views,
                "by_name": case.actor_name,
                "form": _open_form(run),
            }
            told = replace(told, details={**details, **more})
        return Outcome(answer=owner_told_answer(case, owner), is_shown=True, events=(told,), view=form)


def _open_form(run: ActionRun) -> str | None:
    """The form in which the button was pressed, as the job that fills it again once the owner has answered."""
    if run.request.view_id is None:
        return None
    request = replace(run.request, action=ReportLeak.id, user_input={}, response_url=None)
    return job_text(FillForm(request))


async def _was_told(run: ActionRun, told: Event) -> bool:
    """Whether the owner was told of this alert before; a second click sends nothing."""
    async with run.context.db.read() as tx:
        known = await alerts.events_of_kind(tx, told.alert, told.kind)
    return any(event.once == told.once for event in known)


async def _send(run: ActionRun, owner: Identity) -> tuple[str, str]:
    """Send the direct message, and return its channel and `ts`.

    Raises Refused if Slack refuses it, or if it is unknown whether it was sent. The app may not read direct messages,
    so it can't look for one that may have been sent.
    """
    unknown = Refused(
        "owner_unknown_whether_told",
        "It is not known whether the owner got the message.",
        "Ask them before you press the button again.",
    )
    if run.case.resumed:
        raise unknown
    try:
        content = draw_owner_message(notice_of(run.case))
        return await run.context.slack.direct_message(owner.slack_user, content)
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
