"""The conversations.* methods: channel facts, members, history, replies, direct messages."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import TypeVar

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.methods_chat import message_json
from integrations.sandbox.slack.records import Channel, SlackMessage
from integrations.sandbox.slack.world import SlackWorld

T = TypeVar("T")
TIMESTAMP = re.compile(r"\d+(\.\d+)?")


def info(world: SlackWorld, arguments: Arguments) -> Json:
    """conversations.info."""
    channel = world.channel(arguments.required("channel"))
    world.need_scope(f"{channel.kind}:read")
    body = channel_json(world, channel)
    if arguments.flag("include_num_members"):
        body["num_members"] = len(channel.members)
    return {"channel": body}


def members(world: SlackWorld, arguments: Arguments) -> Json:
    """conversations.members, including people of other organizations."""
    channel = world.channel(arguments.required("channel"))
    world.need_scope(f"{channel.kind}:read")
    listed, cursor = page(sorted(channel.members), arguments, default=100, most=1000)
    return {"members": listed, "response_metadata": {"next_cursor": cursor}}


def history(world: SlackWorld, arguments: Arguments) -> Json:
    """conversations.history: newest first, replies only where they were broadcast."""
    channel = _readable_channel(world, arguments)
    shown = [m for m in world.workspace.history(channel.id) if not m.is_reply or m.reply_broadcast]
    listed, cursor = page(
        _between(_readable(world, shown), arguments)[::-1], arguments, default=100, most=999
    )
    return _messages(world, listed, cursor, arguments) | {"pin_count": 0, "channel_actions_ts": None}


def replies(world: SlackWorld, arguments: Arguments) -> Json:
    """conversations.replies: the thread's first message, then its replies, oldest first."""
    channel = _readable_channel(world, arguments)
    message = world.workspace.message(channel.id, arguments.required("ts"))
    if message is None:
        raise ApiError("thread_not_found")
    parent_ts = message.thread_ts or message.ts
    thread = [m for m in world.workspace.history(channel.id) if m.ts == parent_ts or m.thread_ts == parent_ts]
    listed, cursor = page(_between(_readable(world, thread), arguments), arguments, default=1000, most=1000)
    return _messages(world, listed, cursor, arguments)


def open_dm(world: SlackWorld, arguments: Arguments) -> Json:
    """conversations.open for one person; the stand-in has no group direct messages."""
    world.need_scope("im:write")
    channel_id = arguments.text("channel")
    if channel_id:
        channel = world.channel(channel_id)
    else:
        names = [name for name in (arguments.text("users") or "").split(",") if name]
        if len(names) != 1:
            raise ApiError("users_list_not_supplied" if not names else "too_many_users")
        user = world.workspace.users.get(names[0])
        if user is None:
            raise ApiError("user_not_found")
        if user.deleted:
            raise ApiError("user_disabled")
        channel = world.workspace.dm(world.reachable_user(user.id).id)
    full = arguments.flag("return_im")
    return {"channel": channel_json(world, channel) if full else {"id": channel.id}}


def channel_json(world: SlackWorld, channel: Channel) -> Json:
    """Slack's conversation object, including the fields about sharing."""
    if channel.is_im:
        return {
            "id": channel.id,
            "is_im": True,
            "user": channel.dm_user,
            "is_org_shared": False,
            "is_open": True,
        }
    ours = world.app.team_id
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": channel.is_ext_shared or channel.is_org_shared,
        "is_org_shared": channel.is_org_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": channel.is_pending_ext_shared,
        "pending_shared": list(channel.pending_connected_team_ids),
        "pending_connected_team_ids": list(channel.pending_connected_team_ids),
        "connected_team_ids": list(channel.connected_team_ids),
        "shared_team_ids": [ours, *channel.connected_team_ids],
        "context_team_id": ours,
        "is_member": world.workspace.bot_is_in(channel),
    }


def page(items: Sequence[T], arguments: Arguments, *, default: int, most: int) -> tuple[list[T], str]:
    """One page of a collection and the cursor of the next page, empty on the last one."""
    limit = arguments.integer("limit", default, most=most)
    start = _offset(arguments.text("cursor"))
    following = start + limit
    cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(items) else ""
    return list(items[start:following]), cursor


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        return int(number) if word == "next" else int("")
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None


def _readable_channel(world: SlackWorld, arguments: Arguments) -> Channel:
    channel = world.channel(arguments.required("channel"))
    world.need_scope(f"{channel.kind}:history")
    if not world.workspace.bot_is_in(channel):
        raise ApiError("not_in_channel")
    return channel


def _readable(world: SlackWorld, messages: list[SlackMessage]) -> list[SlackMessage]:
    """The messages that reads return already, given `history_lag`."""
    if not world.history_lag:
        return messages
    return [message for message in messages if float(message.ts) <= world.now() - world.history_lag]


def _between(messages: list[SlackMessage], arguments: Arguments) -> list[SlackMessage]:
    """The messages after `oldest` and before `latest`; with `inclusive` also those at these times."""
    inclusive = arguments.flag("inclusive")
    oldest, latest = _timestamp(arguments, "oldest"), _timestamp(arguments, "latest")

    def in_range(message: SlackMessage) -> bool:
        at = float(message.ts)
        after = oldest is None or at > oldest or (inclusive and at == oldest)
        return after and (latest is None or at < latest or (inclusive and at == latest))

    return [message for message in messages if in_range(message)]


def _timestamp(arguments: Arguments, name: str) -> float | None:
    value = arguments.values.get(name)
    if value is None:
        return None
    if not TIMESTAMP.fullmatch(str(value)):
        raise ApiError(f"invalid_ts_{name}")
    return float(value)


def _messages(world: SlackWorld, listed: list[SlackMessage], cursor: str, arguments: Arguments) -> Json:
    full = arguments.flag("include_all_metadata")
    body: Json = {
        "messages": [message_json(world, message, all_metadata=full) for message in listed],
        "has_more": bool(cursor),
    }
    return body | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})
