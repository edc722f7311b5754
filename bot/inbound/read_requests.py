"""Turns the payloads of clicks, submits, commands and shortcuts into requests and jobs. Pure."""

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.actions import ACTIONS, FORMS, READ_ACTIONS
from bot.job_kind import JobKind
from bot.job_kinds import (
    AnswerButton,
    AnswerOutdated,
    AnswerShortcut,
    FillForm,
    PerformAction,
    RecordOwnerAnswer,
    ShowDetails,
)
from bot.requests import ActionRequest, CommandRequest
from bot.rules.alert_names import find_alert_link
from bot.rules.masking import mask
from bot.views.approval import APPROVE, DENY
from bot.views.lists import PAGE_ACTION
from bot.views.subscriptions import SUBSCRIBE_ACTION, UNSUBSCRIBE_ACTION
from integrations.slack.payloads import Click, Shortcut, SlashCommand, Submit
from storage.records import AlertKey, ChannelId, MessageTs, SlackTeamId, SlackUserId

OUTDATED = "outdated_control"
NO_ALERT = AlertKey.parse("0/0")
LONGEST_TEXT = 2_000
"""Characters of a command that are read: more than a filter may have, so that no filter is cut to another one."""
REPLACED = frozenset({PAGE_ACTION, SUBSCRIBE_ACTION, UNSUBSCRIBE_ACTION})
"""Buttons whose answer replaces the private message that they are in."""
APPROVAL_BUTTONS = frozenset({APPROVE, DENY})
PERFORMED = frozenset(action.id for action in ACTIONS if action not in FORMS)
SHOWN = frozenset(line.id for line in READ_ACTIONS)
FORM_OF_PICKER = {form.receiver_block: form for form in FORMS if form.receiver_block is not None}


def action_job(click: Click, now: float) -> JobKind:
    """The job of a control; one that is not known or names no alert is answered as outdated."""
    return _job_of(click.action_id, click, now)


def menu_job(click: Click, now: float) -> JobKind:
    """The same for the menu line that was picked."""
    return _job_of(click.value if isinstance(click.value, str) else "", click, now)


def _job_of(name: str, click: Click, now: float) -> JobKind:
    alert = alert_of(click)
    if alert is not None and name in PERFORMED:
        return PerformAction(action_request(name, alert, click, now))
    if alert is not None and name in SHOWN:
        return ShowDetails(action_request(name, alert, click, now))
    return outdated_job(click, now)


def owner_job(click: Click, now: float) -> JobKind:
    """The job of a button in the message to a token's owner."""
    alert = alert_of(click)
    if alert is None:
        return outdated_job(click, now)
    return RecordOwnerAnswer(action_request(click.action_id, alert, click, now))


def pick_job(click: Click, now: float) -> JobKind:
    """The job of a pick of a person in a form; the form's metadata names the alert."""
    form = FORM_OF_PICKER.get(click.action_id)
    alert = _parse_key(_metadata(click.private_metadata).get("alert"))
    if form is None or alert is None or click.view_id is None:
        return outdated_job(click, now)
    request = action_request(form.id, alert, click, now)
    return FillForm(replace(request, user_input={click.action_id: click.value}))


def outdated_job(click: Click, now: float) -> AnswerOutdated:
    """The answer that a control does nothing any more."""
    return AnswerOutdated(action_request(OUTDATED, alert_of(click) or NO_ALERT, click, now))


def button_job(click: Click, now: float) -> JobKind:
    """The job of a button of a list or a summary."""
    if click.channel is None:
        return outdated_job(click, now)
    # Only a private answer is replaced: other people read the message of a channel.
    replaces = click.action_id in REPLACED and click.is_ephemeral
    request = CommandRequest(
        user=SlackUserId(click.user),
        team=SlackTeamId(click.user_team),
        channel=ChannelId(click.channel),
        text=click.value if isinstance(click.value, str) else "",
        at=now,
        reply_to=_thread_of(click.thread_ts, click.message_ts),
        response_url=click.response_url if replaces else None,
    )
    return AnswerButton(click.action_id, request, replaces)


def shortcut_job(shortcut: Shortcut, now: float, github_url: str) -> AnswerShortcut | None:
    """The job of the shortcut on a message; of the message only its ts and a link to an alert are kept."""
    if shortcut.channel is None or shortcut.message_ts is None:
        return None
    link = find_alert_link(shortcut.message_text, github_url)
    reply_to = _thread_of(shortcut.thread_ts, shortcut.message_ts)
    request = CommandRequest(
        user=SlackUserId(shortcut.user),
        team=SlackTeamId(shortcut.user_team),
        channel=ChannelId(shortcut.channel),
        text=f"{shortcut.message_ts} {shortcut.thread_ts or '-'} {link or '-'}",
        at=now,
        reply_to=reply_to,
        # An answer by `response_url` appears in the channel, not in the thread. Where the bot may not write, it is
        # the only way to answer in that place.
        response_url=None if reply_to else shortcut.response_url,
    )
    return AnswerShortcut(request)


def command_request(command: SlashCommand, now: float) -> CommandRequest:
    """A command, with what looks like a secret masked."""
    return CommandRequest(
        user=SlackUserId(command.user),
        team=SlackTeamId(command.user_team),
        channel=ChannelId(command.channel),
        text=mask(command.text)[:LONGEST_TEXT],
        at=now,
        response_url=command.response_url,
    )


def submit_request(action: str, submit: Submit, now: float) -> ActionRequest | None:
    """A submitted form; None where it does not say which alert it is about."""
    metadata = _metadata(submit.private_metadata)
    alert = _parse_key(metadata.get("alert"))
    if alert is None:
        return None
    return ActionRequest(
        action=action,
        alert=alert,
        team=SlackTeamId(submit.user_team),
        user=SlackUserId(submit.user),
        at=now,
        channel=_channel(metadata.get("channel")),
        thread=_ts(metadata.get("thread")),
        in_thread=metadata.get("in_thread") is True,
        view_id=submit.view_id,
        user_input={**_carried(metadata), **submit.user_input},
    )


def action_request(action: str, alert: AlertKey, click: Click, now: float) -> ActionRequest:
    """A click on a control of a message or of a form."""
    metadata = _metadata(click.private_metadata)
    is_in_thread = _thread_of(click.thread_ts, click.message_ts) is not None
    return ActionRequest(
        action=action,
        alert=alert,
        team=SlackTeamId(click.user_team),
        user=SlackUserId(click.user),
        at=now,
        channel=_channel(click.channel or metadata.get("channel")),
        thread=_ts(click.thread_ts or click.message_ts or metadata.get("thread")),
        in_thread=is_in_thread or metadata.get("in_thread") is True,
        view_id=click.view_id,
        user_input={"value": click.value, "shown": click.shown},
    )


def alert_of(click: Click) -> AlertKey | None:
    """The alert that a control names: in a button's value, or else in the id of its block."""
    value = click.value
    if click.action_id in APPROVAL_BUTTONS and isinstance(value, str):
        # `<repository_id>/<alert_number>/<request>`.
        value = value.rpartition("/")[0]
    named = _parse_key(value)
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
    """What a form carried; empty where it is not an object of ours."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _carried(metadata: Mapping[str, object]) -> dict[str, str]:
    """What the form told the person, as far as its action carries it to the submit."""
    carried = metadata.get("said")
    known = carried.items() if isinstance(carried, dict) else ()
    return {name: value for name, value in known if isinstance(value, str)}


def _channel(value: object) -> ChannelId | None:
    return ChannelId(value) if isinstance(value, str) and value else None


def _thread_of(thread_ts: str | None, message_ts: str | None) -> MessageTs | None:
    """The thread that holds a message; None for the first message of a thread, which is in the channel."""
    return _ts(thread_ts) if thread_ts != message_ts else None


def _ts(value: object) -> MessageTs | None:
    return MessageTs(value) if isinstance(value, str) and value else None
