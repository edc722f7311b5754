"""The methods auth.test, bots.info, users.* and usergroups.*."""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.methods_conversations import channel_json, page
from integrations.sandbox.slack.records import Channel, SlackUser
from integrations.sandbox.slack.world import SlackWorld

CHANNEL_TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}

SLACKBOT: Json = {
    "id": "USLACKBOT",
    "name": "slackbot",
    "deleted": False,
    "profile": {"real_name": "Slackbot", "display_name": "Slackbot"},
    "is_bot": False,
    "is_app_user": False,
    "is_admin": False,
    "is_owner": False,
    "is_primary_owner": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
}
"""Slack's own bot, which its API does not call one."""


def auth_test(world: SlackWorld, _arguments: Arguments) -> Json:
    """auth.test."""
    app = world.app
    return {
        "url": f"https://{app.team_domain}.slack.com/",
        "team": world.workspace.teams[app.team_id].name,
        "user": world.workspace.users[app.bot_user_id].name,
        "team_id": app.team_id,
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
        **({"enterprise_id": app.enterprise_id} if app.enterprise_id else {}),
    }


def users_info(world: SlackWorld, arguments: Arguments) -> Json:
    """users.info."""
    user = world.workspace.users.get(arguments.required("user"))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_json(world, user)}


def bots_info(world: SlackWorld, arguments: Arguments) -> Json:
    """bots.info: the stand-in knows its own bot alone."""
    app = world.app
    if arguments.required("bot") != app.bot_id:
        raise ApiError("bot_not_found")
    facts: Json = {"id": app.bot_id, "deleted": False, "name": app.name, "updated": 0}
    return {"bot": facts | {"app_id": app.app_id, "user_id": app.bot_user_id}}


def users_list(world: SlackWorld, arguments: Arguments) -> Json:
    """users.list: everybody whom the workspace knows, deactivated people and bots too, and Slackbot."""
    listed, cursor = page(list(world.workspace.users.values()), arguments, default=1000, most=1000)
    members = [user_json(world, user) for user in listed]
    if not cursor:
        members.append(SLACKBOT | {"team_id": world.app.team_id, "updated": 0})
    return {
        "members": members,
        "cache_ts": int(world.now()),
        "response_metadata": {"next_cursor": cursor},
    }


def users_conversations(world: SlackWorld, arguments: Arguments) -> Json:
    """users.conversations: channels of the bot or of `user`; only public ones unless `types` names more."""
    kinds = set()
    for name in (arguments.text("types") or "public_channel").split(","):
        if name.strip() not in CHANNEL_TYPES:
            raise ApiError("invalid_types")
        kinds.add(CHANNEL_TYPES[name.strip()])
    for kind in sorted(kinds):
        world.need_scope(f"{kind}:read")
    user = arguments.text("user") or world.app.bot_user_id

    def is_listed(channel: Channel) -> bool:
        visible = not channel.private or world.workspace.bot_is_in(channel)
        archived = channel.is_archived and arguments.flag("exclude_archived")
        return channel.kind in kinds and user in channel.members and visible and not archived

    found = [channel for channel in world.workspace.channels.values() if is_listed(channel)]
    listed, cursor = page(found, arguments, default=100, most=999)
    channels = [channel_json(world, channel) for channel in listed]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


def usergroups(world: SlackWorld, arguments: Arguments) -> Json:
    """usergroups.list, without deactivated groups."""
    team = world.app.team_id
    listed = [
        {"id": group.id, "team_id": team, "is_usergroup": True, "name": group.handle, "handle": group.handle}
        for group in world.workspace.usergroups.values()
    ]
    return {"usergroups": listed}


def usergroup_users(world: SlackWorld, arguments: Arguments) -> Json:
    """usergroups.users.list, without deactivated people."""
    group = world.workspace.usergroups.get(arguments.required("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": [user for user in group.users if not world.workspace.users[user].deleted]}


def user_json(world: SlackWorld, user: SlackUser) -> Json:
    """Slack's user object.

    A deactivated user has no role flags. `is_stranger` and `is_invited_user` appear only if true,
    `is_email_confirmed` only where Slack sends it, the e-mail only with its scope.
    """
    display_name = user.name if user.display_name is None else user.display_name
    profile: Json = {"real_name": user.real_name, "display_name": display_name, "team": user.team_id}
    if user.email and "users:read.email" in world.scopes:
        profile["email"] = user.email
    body: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": int(world.now()),
    }
    for flag in ("is_stranger", "is_invited_user", "is_workflow_bot", "is_connector_bot"):
        if getattr(user, flag):
            body[flag] = True
    if user.is_email_confirmed is not None:
        body["is_email_confirmed"] = user.is_email_confirmed
    if user.enterprise_user is not None:
        body["enterprise_user"] = dict(user.enterprise_user)
    if user.deleted:
        return body
    return body | {
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
    }
