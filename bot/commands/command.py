"""What every `/leaks` subcommand is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.context import Context
from bot.errors import UnusableJob
from integrations.slack.blocks import Content
from storage.records import ChannelId, MessageTs, SlackTeamId, SlackUserId, StoredJson, UnixTime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A command as somebody typed it."""

    user: SlackUserId
    team: SlackTeamId
    channel: ChannelId
    text: str
    """What follows the subcommand."""
    at: UnixTime
    reply_to: MessageTs | None = None
    """The thread of the message that was clicked, where the answer appears too."""
    response_url: str | None = field(default=None, repr=False)
    hurried: bool = False
    """Slack waits for the acknowledgement: GitHub is not asked, and what needs it raises NotAtHand."""

    def to_json(self) -> dict[str, StoredJson]:
        return {
            "user": self.user,
            "team": self.team,
            "channel": self.channel,
            "text": self.text,
            "at": self.at,
            "reply_to": self.reply_to,
            "response_url": self.response_url,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CommandRequest":
        """A stored one; raises UnusableJob where another version stored it in another shape."""
        try:
            return cls(**data)
        except TypeError:
            raise UnusableJob("this version does not know the stored shape of the command") from None


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A word after `/leaks`, its help beside it, and what it answers."""

    name: str
    usage: str
    help: str
    answer: Callable[[Context, CommandRequest], Awaitable[Content]]
    """Raises Refused."""
    from_store: bool = False
    """It may be answered from the store alone, while Slack waits for the acknowledgement."""
