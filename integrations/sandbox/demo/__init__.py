"""One web page that is Slack and GitHub in miniature, on top of the two stand-ins."""

from integrations.sandbox.demo.process import BotProcess, BotState, Command, CommandFailed
from integrations.sandbox.demo.server import serve_page
from integrations.sandbox.demo.stage import Stage
from integrations.sandbox.demo.world import CHANNELS, PEOPLE, Person

__all__ = [
    "CHANNELS",
    "PEOPLE",
    "BotProcess",
    "BotState",
    "Command",
    "CommandFailed",
    "Person",
    "Stage",
    "serve_page",
]
