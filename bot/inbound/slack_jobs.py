"""What Slack's requests ask for, as the durable work that does it."""

import json

from bot.actions import ACTIONS, FORMS, MENU, READ_ACTIONS
from bot.commands.buttons import BEHIND_MESSAGE, BUTTONS
from bot.job_kinds import AnswerButton, AnswerOutdated, AnswerShortcut, PerformAction, ShowDetails
from bot.job_rows import new_job
from bot.requests import ActionRequest, CommandRequest, UserInput
from bot.rules.alert_names import find_alert_link
from bot.rules.masking import mask
from bot.views.lists import PAGE_ACTION
from integrations.slack.payloads import Click, Shortcut, SlashCommand, Submit
from storage.records import AlertKey, ChannelId, MessageTs, NewJob, SlackTeamId, SlackUserId

OUTDATED = "outdated_control"
LONGEST_TEXT = 500
"""Characters of a command that are read."""


def work_of(click: Click, now: float) -> NewJob:
    """The job of a control with an effect or a look; a control that nothing is known of gets an answer."""
    if click.action_id in BUTTONS and click.channel is not None:
        return _look_up(click, now)
    key = alert_of(click)
    name = click.value if click.action_id == MENU and isinstance(click.value, str) else click.action_id
    if key is not None and any(action.id == name for action in ACTIONS if action not in FORMS):
        return new_job(PerformAction(request_of(name, key, click, now)))
    if key is not None and any(look.id == name for look in READ_ACTIONS):
        return new_job(ShowDetails(request_of(name, key, click, now)))
    return new_job(AnswerOutdated(request_of(OUTDATED, key or AlertKey.parse("0/0"), click, now)))


def submitted(form: str, submit: Submit, now: float) -> ActionRequest | None:
    """A form that was sent off; None where it does not say which alert it is about."""
    where = _metadata(submit.private_metadata)
    key = _parse_key(where.get("alert"))
    if key is None:
        return None
    return ActionRequest(
        action=form,
        alert=key,
        team=SlackTeamId(submit.user_team),
        user=SlackUserId(submit.user),
        at=now,
        channel=_channel(where.get("channel")),
        thread=_thread(where.get("thread")),
        in_thread=where.get("in_thread") is True,
        view_id=submit.view_id,
        user_input=submit.user_input,
    )


def typed(command: SlashCommand, now: float) -> CommandRequest:
    """A command, without what looks like a secret in it."""
    return CommandRequest(
        user=SlackUserId(command.user),
        team=SlackTeamId(command.user_team),
        channel=ChannelId(command.channel),
        text=mask(command.text)[:LONGEST_TEXT],
        at=now,
        response_url=command.response_url,
    )


def behind(shortcut: Shortcut, now: float, github_url: str) -> NewJob | None:
    """The shortcut in a message's menu: of the message, only its place and a link to an alert are kept."""
    if shortcut.callback_id != BEHIND_MESSAGE or shortcut.channel is None or shortcut.message_ts is None:
        return None
    link = find_alert_link(shortcut.message_text, github_url)
    reply_to = _thread_of(shortcut.thread_ts, shortcut.message_ts)
    asked = CommandRequest(
        user=SlackUserId(shortcut.user),
        team=SlackTeamId(shortcut.user_team),
        channel=ChannelId(shortcut.channel),
        text=f"{shortcut.message_ts} {shortcut.thread_ts or '-'} {link or '-'}",
        at=now,
        reply_to=reply_to,
        # Its answer would appear in the channel. Where the bot may not write, nothing else reaches the person there.
        response_url=None if reply_to else shortcut.response_url,
    )
    return new_job(AnswerShortcut(asked))


def _look_up(click: Click, now: float) -> NewJob:
    """A button of a list or a summary. A private answer is replaced by the next; a channel's message never is."""
    replaces = click.action_id == PAGE_ACTION and click.is_ephemeral
    asked = CommandRequest(
        user=SlackUserId(click.user),
        team=SlackTeamId(click.user_team),
        channel=ChannelId(click.channel or ""),
        text=click.value if isinstance(click.value, str) else "",
        at=now,
        reply_to=_thread_of(click.thread_ts, click.message_ts),
        response_url=click.response_url if replaces else None,
    )
    return new_job(AnswerButton(click.action_id, asked, replaces))


def request_of(action: str, key: AlertKey, click: Click, now: float) -> ActionRequest:
    user_input: UserInput = {"value": click.value, "shown": click.shown}
    where = _metadata(click.private_metadata)
    return ActionRequest(
        action=action,
        alert=key,
        team=SlackTeamId(click.user_team),
        user=SlackUserId(click.user),
        at=now,
        channel=_channel(click.channel or where.get("channel")),
        thread=_thread(click.thread_ts or click.message_ts or where.get("thread")),
        in_thread=_thread_of(click.thread_ts, click.message_ts) is not None or where.get("in_thread") is True,
        view_id=click.view_id,
        user_input=user_input,
    )


def alert_of(click: Click) -> AlertKey | None:
    """Which alert a control means: a button's value, or else the block it stands in."""
    named = _parse_key(click.value)
    if named is not None:
        return named
    parts = click.block_id.split(":")
    return _parse_key(parts[1]) if len(parts) > 1 and parts[0] == "alert" else None


def _parse_key(value: object) -> AlertKey | None:
    try:
        return AlertKey.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _metadata(text: str) -> dict[str, object]:
    """What a form carried; anything else than an object of ours is nothing."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _channel(value: object) -> ChannelId | None:
    return ChannelId(value) if isinstance(value, str) and value else None


def _thread_of(thread_ts: str | None, message_ts: str | None) -> MessageTs | None:
    """The thread that holds a message; None for one in the channel, which Slack calls the first of its own thread."""
    return _thread(thread_ts) if thread_ts != message_ts else None


def _thread(value: object) -> MessageTs | None:
    return MessageTs(value) if isinstance(value, str) and value else None
