"""Frozen records of the stand-in Slack: app, people, channels, messages, views."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.slack.blocks import Control, Json, controls, words


@dataclass(slots=True, eq=False)
class App:
    """The app under test and the workspace where it is installed; creating another app changes it.

    `bot_token` is valid while it is installed, `app_token` is empty until somebody generates it.
    """

    team_id: str
    team_domain: str
    app_id: str
    bot_id: str
    bot_user_id: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    name: str = "Stanch"
    enterprise_id: str | None = None
    """The Enterprise Grid organization that the workspace belongs to."""
    installed: bool = True
    app_token_scopes: set[str] = field(default_factory=lambda: {"connections:write"})
    required_scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    """The scopes of the manifest that it was created from; the person who installs it may leave out these."""


@dataclass(frozen=True, slots=True)
class SlackTeam:
    """A workspace: the app's own, or another organization's."""

    id: str
    domain: str
    name: str


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A person or bot; the flags are those of Slack's user object."""

    id: str
    team_id: str
    name: str
    real_name: str
    display_name: str | None = None
    """`None`: the same as `name`."""
    email: str | None = None
    is_email_confirmed: bool | None = None
    """`None`: Slack does not send the field."""
    presence: str = "active"
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_invited_user: bool = False
    is_workflow_bot: bool = False
    is_connector_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    enterprise_user: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group such as `@security`."""

    id: str
    handle: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """A public or private channel, or (`dm_user` set) the app's direct message channel with one person."""

    id: str
    name: str
    members: frozenset[str]
    private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_org_shared: bool = False
    connected_team_ids: tuple[str, ...] = ()
    pending_connected_team_ids: tuple[str, ...] = ()
    dm_user: str | None = None

    @property
    def is_im(self) -> bool:
        return self.dm_user is not None

    @property
    def kind(self) -> str:
        """The prefix of the scopes for it: `channels`, `groups` or `im`."""
        return "im" if self.is_im else "groups" if self.private else "channels"


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """One message: in a channel, direct, or (`ephemeral_to` set) shown to one person."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    bot_id: str | None = None
    metadata: Json | None = None
    thread_ts: str | None = None
    reply_broadcast: bool = False
    edited: bool = False
    deleted: bool = False
    ephemeral_to: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def control(self, action_id: str) -> Json | None:
        """The button, menu or input with this action id, as drawn."""
        return _control(self.blocks, action_id)

    @property
    def action_ids(self) -> list[str]:
        return [control.action_id for control in controls(self.blocks)]

    @property
    def shown_text(self) -> str:
        """The text that a reader sees: that of the blocks, or `text` without blocks."""
        return words(self.blocks) if self.blocks else self.text


@dataclass(frozen=True, slots=True)
class View:
    """A modal or an App Home; `content` is what the app sent, with the ids that Slack adds."""

    id: str
    user: str
    hash: str
    content: Json
    root_view_id: str
    previous_view_id: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.content["type"])

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.content["blocks"])

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.content.get("private_metadata", ""))

    @property
    def external_id(self) -> str:
        return str(self.content.get("external_id", ""))

    @property
    def title(self) -> str:
        return str(self.content.get("title", {}).get("text", ""))

    def control(self, action_id: str) -> Json | None:
        """The button, menu or input with this action id, as drawn."""
        return _control(self.blocks, action_id)

    @property
    def action_ids(self) -> list[str]:
        return [control.action_id for control in controls(self.blocks)]

    @property
    def shown_text(self) -> str:
        """The title and all text of the blocks."""
        return "\n".join(part for part in (self.title, words(self.blocks)) if part)


def _control(blocks: Iterable[Json], action_id: str) -> Json | None:
    found: Control | None = next((c for c in controls(blocks) if c.action_id == action_id), None)
    return found.element if found else None
