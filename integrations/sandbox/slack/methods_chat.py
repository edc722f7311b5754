"""The chat.* methods: post, update, delete, permalink, ephemeral messages."""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.records import SlackMessage
from integrations.sandbox.slack.world import SlackWorld

# Each method's arguments from Slack's reference. Bolt's clients add `team_id` to every call.
SHOWN_ARGUMENTS = frozenset({"channel", "text", "blocks", "parse", "link_names", "team_id"})
POST_ARGUMENTS = SHOWN_ARGUMENTS | {
    "metadata",
    "thread_ts",
    "reply_broadcast",
    "unfurl_links",
    "unfurl_media",
    "mrkdwn",
}
UPDATE_ARGUMENTS = SHOWN_ARGUMENTS | {"metadata", "ts", "reply_broadcast"}
EPHEMERAL_ARGUMENTS = SHOWN_ARGUMENTS | {"user", "thread_ts"}


def post_message(world: SlackWorld, arguments: Arguments) -> Json:
    """chat.postMessage."""
    channel = world.postable_channel(arguments.required("channel"))
    content = world.content("chat.postMessage", arguments, POST_ARGUMENTS)
    message = world.workspace.post_as_app(
        channel.id,
        content.text,
        content.blocks or (),
        metadata=content.metadata or None,
        thread_ts=_thread(world, channel.id, arguments.text("thread_ts")),
        reply_broadcast=arguments.flag("reply_broadcast"),
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_json(world, message)}


def update(world: SlackWorld, arguments: Arguments) -> Json:
    """chat.update.

    Slack's docs: only the app's own messages; `text` without `blocks` removes the blocks; metadata stays
    unless given, and `{}` removes it.
    """
    message = _own_message(world, arguments, "cant_update_message")
    if world.workspace.channels[message.channel].is_archived:
        raise ApiError("is_inactive")
    content = world.content("chat.update", arguments, UPDATE_ARGUMENTS)
    _refuse_block_mismatch(message, content.blocks or [])
    changed = world.workspace.redraw(
        message,
        text=content.text,
        blocks=content.blocks or (),
        metadata=message.metadata if content.metadata is None else content.metadata or None,
        # Slack's docs: an update with blocks doesn't show "(edited)".
        edited=message.edited or not content.blocks,
    )
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": changed.text,
        "message": message_json(world, changed),
    }


def delete(world: SlackWorld, arguments: Arguments) -> Json:
    """chat.delete."""
    message = _own_message(world, arguments, "cant_delete_message")
    world.workspace.delete_message(message.channel, message.ts)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(world: SlackWorld, arguments: Arguments) -> Json:
    """chat.getPermalink."""
    channel = world.channel(arguments.required("channel"))
    message = world.workspace.message(channel.id, arguments.required("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    link = f"https://{world.app.team_domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def post_ephemeral(world: SlackWorld, arguments: Arguments) -> Json:
    """chat.postEphemeral.

    Slack's docs: success does not prove delivery. The message is shown only to an active user, and in a
    thread only if the thread exists.
    """
    channel = world.channel(arguments.required("channel"))
    user_id = arguments.required("user")
    if channel.is_archived:
        raise ApiError("is_archived")
    if not world.workspace.bot_is_in(channel):
        raise ApiError("not_in_channel")
    if user_id not in channel.members:
        raise ApiError("user_not_in_channel")
    content = world.content("chat.postEphemeral", arguments, EPHEMERAL_ARGUMENTS)
    thread_ts = arguments.text("thread_ts")
    thread_exists = thread_ts is None or bool(world.workspace.replies(channel.id, thread_ts))
    user = world.workspace.users[user_id]
    if not thread_exists or user.presence != "active" or user.deleted:
        return {"message_ts": world.workspace.next_ts()}
    message = world.workspace.post_as_app(
        channel.id, content.text, content.blocks or (), thread_ts=thread_ts, ephemeral_to=user_id
    )
    return {"message_ts": message.ts}


def message_json(world: SlackWorld, message: SlackMessage, *, all_metadata: bool = True) -> Json:
    """A message as it appears in Slack's answers and payloads.

    Slack's docs: without `include_all_metadata` only the metadata's event_type is returned.
    """
    if message.deleted:
        body: Json = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
        body |= {"text": "This message was deleted.", "ts": message.ts, "thread_ts": message.ts}
        return body
    body = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    body["team"] = world.workspace.users[message.user].team_id
    if message.bot_id is not None:
        body |= {"bot_id": message.bot_id, "app_id": world.app.app_id}
    if message.blocks:
        body["blocks"] = list(message.blocks)
    if message.metadata is not None:
        event_type = {"event_type": message.metadata["event_type"]}
        body["metadata"] = message.metadata if all_metadata else event_type
    if message.edited:
        body["edited"] = {"user": message.user, "ts": message.ts}
    return body | _thread_json(world, message)


def _thread_json(world: SlackWorld, message: SlackMessage) -> Json:
    if message.is_reply:
        parent = world.workspace.message(message.channel, message.thread_ts or "")
        parent_user = {"parent_user_id": parent.user} if parent is not None else {}
        return {"thread_ts": message.thread_ts, **parent_user}
    replies = world.workspace.replies(message.channel, message.ts)
    if not replies:
        return {}
    users = sorted({reply.user for reply in replies})
    thread: Json = {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
    return thread | {"reply_users": users, "reply_users_count": len(users)}


def _thread(world: SlackWorld, channel: str, thread_ts: str | None) -> str | None:
    """The thread of a reply. Slack's docs: `thread_ts` should name the parent, not a reply."""
    if thread_ts is None:
        return None
    parent = world.workspace.message(channel, thread_ts)
    if parent is None:
        raise ApiError("cannot_reply_to_message")
    if parent.is_reply:
        world.hygiene.append(
            "chat.postMessage: thread_ts names a reply instead of the thread's first message"
        )
        return parent.thread_ts
    return thread_ts


def _own_message(world: SlackWorld, arguments: Arguments, not_own: str) -> SlackMessage:
    channel = world.channel(arguments.required("channel"))
    message = world.workspace.message(channel.id, arguments.required("ts"))
    if message is None or message.deleted:
        raise ApiError("message_not_found")
    if message.bot_id != world.app.bot_id:
        raise ApiError(not_own)
    return message


def _refuse_block_mismatch(message: SlackMessage, blocks: list[Json]) -> None:
    def rich(some: list[Json]) -> bool:
        return any(block["type"] == "rich_text" for block in some)

    if rich(list(message.blocks)) and blocks and not rich(blocks):
        raise ApiError("block_mismatch")
