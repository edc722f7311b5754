"""What every `/leaks` subcommand is made of."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.context import Context
from bot.requests import CommandRequest
from integrations.slack.blocks import Content


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
