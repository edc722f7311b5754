"""Builds Slack's payloads: interactions, commands, events."""

from integrations.sandbox.slack.blocks import Control, Json
from integrations.sandbox.slack.methods_chat import message_json
from integrations.sandbox.slack.methods_views import view_json
from integrations.sandbox.slack.records import Channel, SlackMessage, View
from integrations.sandbox.slack.world import SlackWorld

# Slack still sends this token, deprecated in favour of the signature.
VERIFICATION_TOKEN = "unused-verification-token"  # noqa: S105 - made up, and checked nowhere


def person(world: SlackWorld, user_id: str) -> Json:
    """The user of an interaction. `team_id` is the person's own workspace, even if the app's is another."""
    user = world.workspace.users[user_id]
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def team(world: SlackWorld, team_id: str) -> Json:
    found = world.workspace.teams[team_id]
    return {"id": found.id, "domain": found.domain}


def channel_name(channel: Channel) -> str:
    """Slack sends these words instead of the names of direct messages and private channels."""
    return "directmessage" if channel.is_im else "privategroup" if channel.private else channel.name


def action(world: SlackWorld, control: Control, chosen: Json) -> Json:
    """One entry of `actions`: the control as drawn, and the choice."""
    drawn: Json = {
        key: control.element[key]
        for key in ("text", "style", "confirm", "placeholder")
        if key in control.element
    }
    return {
        "type": control.type,
        "action_id": control.action_id,
        "block_id": control.block_id,
        **drawn,
        **chosen,
        "action_ts": world.workspace.next_ts(),
    }


def message_actions(
    world: SlackWorld, user_id: str, message: SlackMessage, chosen: Json, trigger_id: str, response_url: str
) -> Json:
    """block_actions of a message.

    `team` is the app's workspace, even if the person's is another. The payload of an ephemeral message has no
    `message`.
    """
    channel = world.workspace.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    body: Json = {
        **_interaction(world, "block_actions", user_id, world.app.team_id, trigger_id),
        "container": container,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": world.modals.state_values(user_id, message.ts, message.blocks)},
        "response_url": response_url,
        "actions": [chosen],
    }
    if message.ephemeral_to is None:
        body["message"] = message_json(world, message)
    return body


def view_actions(world: SlackWorld, view: View, chosen: Json, trigger_id: str) -> Json:
    """block_actions of a modal or App Home: no channel and no response_url; the state is in the view."""
    own_team = world.workspace.users[view.user].team_id
    return {
        **_interaction(world, "block_actions", view.user, own_team, trigger_id),
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(world, view),
        "actions": [chosen],
    }


def view_submission(world: SlackWorld, view: View, values: Json, trigger_id: str) -> Json:
    """view_submission. `team` is the person's workspace; `view.app_installed_team_id` is the app's."""
    own_team = world.workspace.users[view.user].team_id
    return {
        **_interaction(world, "view_submission", view.user, own_team, trigger_id),
        "view": view_json(world, view) | {"state": {"values": values}},
        "response_urls": [],
    }


def view_closed(world: SlackWorld, view: View, *, is_cleared: bool) -> Json:
    """view_closed; `is_cleared`: the whole stack was closed."""
    own_team = world.workspace.users[view.user].team_id
    body = _interaction(world, "view_closed", view.user, own_team, "")
    del body["trigger_id"]
    return body | {"view": view_json(world, view), "is_cleared": is_cleared}


def message_shortcut(
    world: SlackWorld,
    user_id: str,
    message: SlackMessage,
    callback_id: str,
    trigger_id: str,
    response_url: str,
) -> Json:
    """message_action, of a message shortcut."""
    channel = world.workspace.channels[message.channel]
    return {
        **_interaction(world, "message_action", user_id, world.app.team_id, trigger_id),
        "callback_id": callback_id,
        "action_ts": world.workspace.next_ts(),
        "message_ts": message.ts,
        "message": message_json(world, message),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "response_url": response_url,
    }


def global_shortcut(world: SlackWorld, user_id: str, callback_id: str, trigger_id: str) -> Json:
    """shortcut, of a global shortcut: no channel, no message, no response_url."""
    return {
        **_interaction(world, "shortcut", user_id, world.app.team_id, trigger_id),
        "callback_id": callback_id,
        "action_ts": world.workspace.next_ts(),
    }


def slash_command(
    world: SlackWorld,
    user_id: str,
    channel: Channel,
    command: str,
    text: str,
    *,
    trigger_id: str,
    response_url: str,
) -> Json:
    """A slash command, as flat form fields."""
    enterprise = world.app.enterprise_id
    user = world.workspace.users[user_id]
    return {
        "token": VERIFICATION_TOKEN,
        # On Enterprise Grid the workspace in which it was typed, and not the person's own.
        "team_id": world.app.team_id if enterprise else user.team_id,
        "team_domain": world.workspace.teams[world.app.team_id if enterprise else user.team_id].domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": world.app.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
        **({"enterprise_id": enterprise, "enterprise_name": enterprise} if enterprise else {}),
    }


def event_callback(world: SlackWorld, event: Json, event_id: str) -> Json:
    """The envelope of every event."""
    app = world.app
    channel = world.workspace.channels.get(str(event.get("channel")))
    authorization = {
        "enterprise_id": app.enterprise_id,
        "team_id": app.team_id,
        "user_id": app.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": app.team_id,
        "context_team_id": app.team_id,
        "context_enterprise_id": app.enterprise_id,
        "api_app_id": app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(world.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
        "event_context": f"4-{event_id}",
    }


def _interaction(world: SlackWorld, kind: str, user_id: str, team_id: str, trigger_id: str) -> Json:
    enterprise = world.app.enterprise_id
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": world.app.app_id,
        "team": team(world, team_id),
        "user": person(world, user_id),
        "enterprise": enterprise and {"id": enterprise, "name": enterprise},
        "is_enterprise_install": False,
        "trigger_id": trigger_id,
    }
