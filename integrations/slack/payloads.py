"""Parses Slack's requests (clicks, form submits, commands, shortcuts, events) into records.

The signature proves only that Slack sent a request; everything in it is untrusted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from yarl import query_to_pairs

from integrations.json_types import JsonObject
from integrations.slack.facts import items, member, text

InputValue: TypeAlias = str | tuple[str, ...] | None


class BadPayload(Exception):
    """A body that Slack can't have sent: not decodable, or without the fields that identify its subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A click on a button, menu or checkbox of a message or view (`block_actions`)."""

    user: str
    user_team: str
    action_id: str
    block_id: str
    value: InputValue
    """The button's value, the selected option's value, the picked user, or the values of all ticked checkboxes."""
    shown: tuple[str, ...] | None
    """For checkboxes of a message: the values that were ticked in the message before the click."""
    trigger_id: str
    channel: str | None
    message_ts: str | None
    thread_ts: str | None
    is_ephemeral: bool
    """Whether the message is ephemeral, so only this person sees it."""
    view_id: str | None
    private_metadata: str
    response_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """A submitted form (`view_submission`)."""

    user: str
    user_team: str
    callback_id: str
    view_id: str
    private_metadata: str
    user_input: Mapping[str, InputValue] = field(repr=False)
    """The inputs' values by block id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A slash command."""

    user: str
    user_team: str
    command: str
    text: str = field(repr=False)
    channel: str
    trigger_id: str
    response_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A message shortcut (`message_action`) or a global shortcut, which has no message."""

    user: str
    user_team: str
    callback_id: str
    trigger_id: str
    channel: str | None
    message_ts: str | None
    thread_ts: str | None
    message_text: str = field(repr=False)
    response_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackEvent:
    """An event of the Events API (`event_callback`)."""

    type: str
    channel: str | None


@dataclass(frozen=True, slots=True)
class OtherPayload:
    """A well-formed payload that we do not use: a closed view, a handshake, an unknown type."""

    type: str


Payload: TypeAlias = Click | Submit | SlashCommand | Shortcut | SlackEvent | OtherPayload


def decode_body(body: bytes, content_type: str) -> JsonObject:
    """Decode the body of an event, an interaction or a command into an object or form. Raises BadPayload."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return _object(body)
    try:
        form = _form(body.decode())
    except ValueError:
        raise BadPayload("the body is neither JSON nor a form") from None
    return _object(form["payload"]) if "payload" in form else form


def _form(body: str) -> dict[str, str]:
    """A form as `application/x-www-form-urlencoded`; raises ValueError.

    yarl decodes it in C. `urllib.parse` took a third of the time in which a click is acknowledged.
    """
    if body and not all("=" in field for field in body.split("&")):
        raise ValueError("a field without a value")
    return dict(query_to_pairs(body, max_fields=64))


def _object(source: bytes | str) -> JsonObject:
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadPayload("the payload is not a JSON object")
    return value


def parse_payload(payload: JsonObject) -> Payload:
    """Parse an interaction, a command or an event. Raises BadPayload without a required field."""
    kind = text(payload, "type")
    match kind:
        case "block_actions":
            return _click(payload)
        case "view_submission":
            return _submit(payload)
        case "message_action" | "shortcut":
            return _shortcut(payload)
        case "event_callback":
            return _event(payload)
        case "":
            if text(payload, "command"):
                return _command(payload)
            if text(payload, "ssl_check"):
                return OtherPayload("ssl_check")
            raise BadPayload("the payload has no type")
        case _:
            return OtherPayload(kind)


def _command(form: JsonObject) -> SlashCommand:
    return SlashCommand(
        user=_needed(form, "user_id"),
        user_team=_needed(form, "team_id"),
        command=_needed(form, "command"),
        text=text(form, "text"),
        channel=_needed(form, "channel_id"),
        trigger_id=text(form, "trigger_id"),
        response_url=_needed(form, "response_url"),
    )


def _click(payload: JsonObject) -> Click:
    actions = [action for action in items(payload, "actions") if isinstance(action, dict)]
    if not actions:
        raise BadPayload("the click has no action")
    action, container, view = actions[0], member(payload, "container"), member(payload, "view")
    channel = text(member(payload, "channel"), "id") or text(container, "channel_id")
    return Click(
        user=_needed(member(payload, "user"), "id"),
        user_team=text(member(payload, "user"), "team_id"),
        action_id=_needed(action, "action_id"),
        block_id=text(action, "block_id"),
        value=_value(action),
        shown=_shown(payload, action),
        trigger_id=text(payload, "trigger_id"),
        channel=channel or None,
        message_ts=text(container, "message_ts") or None,
        thread_ts=text(container, "thread_ts") or None,
        is_ephemeral=container.get("is_ephemeral") is True,
        view_id=text(view, "id") or None,
        private_metadata=text(view, "private_metadata"),
        response_url=text(payload, "response_url") or None,
    )


def _shown(payload: JsonObject, action: JsonObject) -> tuple[str, ...] | None:
    """Return the values that were ticked in the message before the click; None for other elements."""
    if action.get("type") != "checkboxes":
        return None
    ids = (text(action, "block_id"), text(action, "action_id"))
    for block in items(member(payload, "message"), "blocks"):
        if not isinstance(block, dict) or text(block, "block_id") != ids[0]:
            continue
        for element in items(block, "elements"):
            if isinstance(element, dict) and text(element, "action_id") == ids[1]:
                return _values(items(element, "initial_options"))
    return ()


def _submit(payload: JsonObject) -> Submit:
    view = member(payload, "view")
    _needed(view, "type")  # Bolt reads it and raises KeyError without it.
    user_input: dict[str, InputValue] = {}
    for block_id, elements in member(member(view, "state"), "values").items():
        if not isinstance(elements, dict):
            raise BadPayload("the form's values are not objects")
        for element in elements.values():
            user_input[block_id] = _value(element) if isinstance(element, dict) else None
    return Submit(
        user=_needed(member(payload, "user"), "id"),
        user_team=text(member(payload, "user"), "team_id"),
        callback_id=_needed(view, "callback_id"),
        view_id=_needed(view, "id"),
        private_metadata=text(view, "private_metadata"),
        user_input=user_input,
    )


def _shortcut(payload: JsonObject) -> Shortcut:
    message = member(payload, "message")
    return Shortcut(
        user=_needed(member(payload, "user"), "id"),
        user_team=text(member(payload, "user"), "team_id"),
        callback_id=_needed(payload, "callback_id"),
        trigger_id=text(payload, "trigger_id"),
        channel=text(member(payload, "channel"), "id") or None,
        message_ts=text(message, "ts") or None,
        thread_ts=text(message, "thread_ts") or None,
        message_text=text(message, "text"),
        response_url=text(payload, "response_url") or None,
    )


def _event(payload: JsonObject) -> SlackEvent:
    event = member(payload, "event")
    channel = text(event, "channel") or text(member(event, "channel"), "id")
    return SlackEvent(type=_needed(event, "type"), channel=channel or None)


def _value(element: JsonObject) -> InputValue:
    """Return the value of an element of any type."""
    if element.get("type") == "checkboxes":
        return _values(items(element, "selected_options"))
    selected = member(element, "selected_option")
    return text(selected, "value") or text(element, "value") or text(element, "selected_user") or None


def _values(options: list[object]) -> tuple[str, ...]:
    return tuple(text(option, "value") for option in options if isinstance(option, dict))


def _needed(payload: JsonObject, key: str) -> str:
    value = text(payload, key)
    if not value or len(value) > 3000:
        raise BadPayload(f"the payload has no usable {key}")
    return value
