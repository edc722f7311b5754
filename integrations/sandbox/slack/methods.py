"""The Web API methods that the stand-in knows, with scope and rate tier; all others are refused."""

from collections.abc import Callable
from dataclasses import dataclass

from integrations.sandbox.slack import methods_chat as chat
from integrations.sandbox.slack import methods_conversations as conversations
from integrations.sandbox.slack import methods_people as people
from integrations.sandbox.slack import methods_views as views
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import Arguments
from integrations.sandbox.slack.world import SlackWorld


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    `scope` is None where none is needed or it depends on the channel. `per_minute` is the rate tier (Slack's
    docs, "Rate limits"). `json`: it reads a JSON body. `app_level`: it needs the app-level token.
    """

    name: str
    run: Callable[[SlackWorld, Arguments], Json]
    per_minute: int
    scope: str | None = None
    json: bool = False
    app_level: bool = False


def _open_connection(world: SlackWorld, _: Arguments) -> Json:
    """apps.connections.open: the address of one Socket Mode connection."""
    return {"url": world.tickets.make()}


TIER_2, TIER_3, TIER_4, SPECIAL = 20, 50, 100, 600

METHODS = {
    method.name: method
    for method in (
        Method("apps.connections.open", _open_connection, TIER_3, json=True, app_level=True),
        Method("auth.test", people.auth_test, SPECIAL, json=True),
        Method("chat.postMessage", chat.post_message, SPECIAL, "chat:write", json=True),
        Method("chat.update", chat.update, TIER_3, "chat:write", json=True),
        Method("chat.delete", chat.delete, TIER_3, "chat:write", json=True),
        Method("chat.postEphemeral", chat.post_ephemeral, TIER_4, "chat:write", json=True),
        Method("chat.getPermalink", chat.get_permalink, SPECIAL),
        Method("views.open", views.open_view, TIER_4, json=True),
        Method("views.update", views.update, TIER_4, json=True),
        Method("views.publish", views.publish, TIER_4, json=True),
        Method("conversations.info", conversations.info, TIER_3),
        Method("conversations.members", conversations.members, TIER_4),
        Method("conversations.history", conversations.history, TIER_3, json=True),
        Method("conversations.replies", conversations.replies, TIER_3),
        Method("conversations.open", conversations.open_dm, TIER_3, json=True),
        Method("users.info", people.users_info, TIER_4, "users:read"),
        Method("users.list", people.users_list, TIER_2, "users:read"),
        Method("users.conversations", people.users_conversations, TIER_3),
        Method("bots.info", people.bots_info, TIER_3, "users:read"),
        Method("usergroups.list", people.usergroups, TIER_2, "usergroups:read"),
        Method("usergroups.users.list", people.usergroup_users, TIER_2, "usergroups:read"),
    )
}

# The scopes in the app's manifest.
DEFAULT_SCOPES = frozenset(
    {
        "chat:write",
        "commands",
        "channels:read",
        "channels:history",
        "groups:read",
        "groups:history",
        "im:write",
        "users:read",
    }
)
