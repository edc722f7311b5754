"""The record of a `/leaks` subcommand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.context import Context
from bot.requests import CommandRequest
from integrations.slack.blocks import Content


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A word after `/leaks`, its line in the help, and the function that answers it."""

    name: str
    usage: str
    help: str
    answer: Callable[[Context, CommandRequest], Awaitable[Content]]
    """Raises Refused."""
    from_store: bool = False
    """The answer may come from stored data alone, while Slack waits for the acknowledgement."""
