"""What every `/leaks` subcommand is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.tools import Tools
from integrations.slack.blocks import Content
from storage.records import ChannelId, SlackTeamId, SlackUserId, UnixTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as somebody typed it."""

    user: SlackUserId
    team: SlackTeamId
    channel: ChannelId
    text: str
    """What follows the subcommand."""
    at: UnixTime
    response_url: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Asked":
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A word after `/leaks`, its help beside it, and what it answers."""

    name: str
    usage: str
    help: str
    answer: Callable[[Tools, Asked], Awaitable[Content]]
    """Raises Refused."""
