"""The state that Web API methods read and change, and the checks that they share."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.sandbox.slack import checks, hygiene
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import CONTENT_FAULTS, ApiError, Arguments
from integrations.sandbox.slack.modals import Modals
from integrations.sandbox.slack.records import App, Channel, SlackUser
from integrations.sandbox.slack.tickets import Tickets
from integrations.sandbox.slack.triggers import Triggers
from integrations.sandbox.slack.workspace import SlackWorkspace


@dataclass(frozen=True, slots=True)
class MessageContent:
    """The content of a message. `blocks` and `metadata` are None if the call does not give them."""

    text: str
    blocks: list[Json] | None
    metadata: Json | None


@dataclass(slots=True)
class SlackWorld:
    """The stand-in's state and checks, and the violations found so far."""

    app: App
    now: Callable[[], float]
    scopes: set[str]
    workspace: SlackWorkspace
    modals: Modals
    triggers: Triggers
    tickets: Tickets
    checker: checks.Checker
    history_lag: float = 0.0
    """Seconds until conversations.history and conversations.replies return a new message."""
    enforce_rate_limits: bool = False
    elsewhere: list[App] = field(default_factory=list)
    """Other apps, in other workspaces."""
    violations: list[str] = field(default_factory=list)
    hygiene: list[str] = field(default_factory=list)

    def need_token(self, token: str | None, *, app_level: bool) -> None:
        """Refuse a call without token, with an unknown token, or with the app's other token."""
        if token is None:
            raise ApiError("not_authed")
        expected, other = self.app.bot_token if self.app.installed else "", self.app.app_token
        if app_level:
            expected, other = other, expected
        if not expected or not secrets.compare_digest(token.encode(), expected.encode()):
            raise ApiError("not_allowed_token_type" if token == other else "invalid_auth")

    def add_elsewhere(self, team_id: str) -> App:
        """Another app in another workspace."""
        app = App(
            team_id=team_id,
            team_domain=team_id.lower(),
            app_id=self.workspace.new_id("A"),
            bot_id=self.workspace.new_id("B"),
            bot_user_id=self.workspace.new_id("U"),
            bot_token="xoxb-" + secrets.token_hex(16),
            app_token="xapp-1-A0ELSEWHERE-" + secrets.token_hex(16),
            signing_secret=secrets.token_hex(16),
        )
        self.elsewhere.append(app)
        return app

    def app_elsewhere(self, token: str | None) -> App | None:
        """The other app whose token this is."""
        return next((each for each in self.elsewhere if token in (each.bot_token, each.app_token)), None)

    def answer_elsewhere(self, app: App, method: str, token: str | None) -> Json:
        """The answer to another app's call; only those that say which app it is."""
        wants = {"apps.connections.open": app.app_token}
        wants |= {"auth.test": app.bot_token, "bots.info": app.bot_token}
        if method not in wants:
            raise ApiError("team_access_not_granted")
        if token != wants[method]:
            raise ApiError("not_allowed_token_type")
        if method == "apps.connections.open":
            return {"url": f"wss://127.0.0.1:9/link/?app_id={app.app_id}"}
        if method == "bots.info":
            return {"bot": {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.app_id}}
        team = self.workspace.teams[app.team_id]
        facts = {"url": f"https://{app.team_domain}.slack.com/", "team": team.name, "team_id": app.team_id}
        return facts | {"user": "other", "user_id": app.bot_user_id, "bot_id": app.bot_id}

    def need_scope(self, scope: str) -> None:
        """Refuse a call that the app's token does not cover: `missing_scope`."""
        if scope not in self.scopes:
            raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def channel(self, channel_id: str) -> Channel:
        """A channel that the app can see: a public one, or one with its bot in it."""
        channel = self.workspace.channels.get(channel_id)
        if channel is None or (channel.private and not self.workspace.bot_is_in(channel)):
            raise ApiError("channel_not_found")
        return channel

    def postable_channel(self, channel_id: str) -> Channel:
        """The channel to post to, with the bot in it; a person's id means their direct message channel."""
        if channel_id in self.workspace.users:
            return self.workspace.dm(self.reachable_user(channel_id).id)
        channel = self.channel(channel_id)
        if channel.is_archived:
            raise ApiError("is_archived")
        if not self.workspace.bot_is_in(channel) and "chat:write.public" not in self.scopes:
            raise ApiError("not_in_channel")
        return channel

    def reachable_user(self, user_id: str) -> SlackUser:
        """A user who can get direct messages."""
        user = self.workspace.users[user_id]
        if user.deleted or user.is_stranger:
            raise ApiError("channel_not_found")
        if user.is_bot:
            raise ApiError("cannot_dm_bot")
        return user

    def content(self, method: str, arguments: Arguments, known: frozenset[str]) -> MessageContent:
        """The checked content of a message; lapses are recorded in `hygiene`."""
        text = arguments.text("text") or ""
        blocks: list[Json] | None = arguments.json("blocks", list, "invalid_blocks_format")
        self.checker.message(text, blocks)
        sent: Json | None = arguments.json("metadata", dict, "invalid_metadata_format")
        metadata = None if sent is None else checks.metadata(sent) or {}
        self.note_lapses(method, arguments, blocks or [], known)
        return MessageContent(text, blocks, metadata)

    def view_content(self, method: str, arguments: Arguments, kind: str, known: frozenset[str]) -> Json:
        """The checked view of a call; `kind` is `modal` or `home`."""
        view: Json | None = arguments.json("view", dict, "invalid_arguments")
        if view is None:
            raise ApiError("invalid_arguments", "missing required field: view")
        self.checker.view(view, kind)
        self.note_lapses(method, arguments, view["blocks"], known)
        return view

    def note_lapses(
        self, method: str, arguments: Arguments, blocks: list[Json], known: frozenset[str]
    ) -> None:
        if self.checker.on:
            self.hygiene += hygiene.lapses(method, arguments, blocks, known)

    def note(self, where: str, error: ApiError) -> None:
        """Record an error in `violations` if what the app sent caused it."""
        if error.error in CONTENT_FAULTS:
            self.violations.append(f"{where}: {error}")
