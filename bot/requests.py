"""What came in from Slack, as records: a click or submit about an alert, and a command. All of it is untrusted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import not_
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from storage.records import AlertKey, ChannelId, MessageTs, SlackTeamId, SlackUserId, UnixTime

FORBID = ConfigDict(extra="forbid")
"""A stored request with a field that this version does not know may ask for something else."""

ADDED = Field(exclude_if=not_)
"""For a field that 0.1.0 does not have: it is stored only if it is set, so that 0.1.0 can read rows without it."""


def _alert_key(stored: object) -> object:
    return AlertKey.parse(stored) if isinstance(stored, str) else stored


StoredAlertKey: TypeAlias = Annotated[AlertKey, BeforeValidator(_alert_key), PlainSerializer(str)]
"""Stored as `<repository_id>/<alert_number>`."""
UserInput: TypeAlias = Mapping[str, str | tuple[str, ...] | None]
"""What a person entered: by block id for a form, `value` for a menu or a button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """One click or submit about an alert, as it came."""

    __pydantic_config__ = FORBID

    action: str
    alert: StoredAlertKey
    team: SlackTeamId
    user: SlackUserId
    at: UnixTime
    channel: ChannelId | None = None
    thread: MessageTs | None = None
    """The card's ts."""
    in_thread: Annotated[bool, ADDED] = False
    """The click was in the card's thread, where its answer appears too; else both are in the channel."""
    view_id: str | None = None
    response_url: str | None = field(default=None, repr=False)
    user_input: Annotated[UserInput, Field(alias="given")] = field(default_factory=dict, repr=False)
    waited: bool = False
    """An earlier try had to wait; this is the next one."""
    approval: Annotated[str | None, ADDED] = None
    """The request that a second person approved, which this carries out; never set by what comes in from Slack."""

    @property
    def is_promised(self) -> bool:
        """Whether it was accepted earlier, so that a passing failure does not end it."""
        return self.waited or self.approval is not None

    @property
    def reply_to(self) -> MessageTs | None:
        """The thread in which a private answer appears; None for the channel itself."""
        return self.thread if self.in_thread else None

    @property
    def metadata(self) -> str:
        """What a form carries to its submit: the alert, where the card is, and whether its thread was clicked."""
        where = {"alert": str(self.alert), "channel": self.channel, "thread": self.thread}
        return json.dumps({**where, "in_thread": True} if self.in_thread else where)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A command, a button of a list or summary, or a shortcut, as it came."""

    __pydantic_config__ = FORBID

    user: SlackUserId
    team: SlackTeamId
    channel: ChannelId
    text: str
    """What follows `/leaks`, or what the button carries."""
    at: UnixTime
    reply_to: Annotated[MessageTs | None, ADDED] = None
    """The thread of the message that was clicked, where the answer appears too."""
    response_url: str | None = field(default=None, repr=False)
    store_only: Annotated[bool, Field(exclude=True)] = False
    """Slack waits for the acknowledgement: GitHub is not asked, and what needs it raises NeedsGitHub. Not stored."""
