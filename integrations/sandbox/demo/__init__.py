"""The demo page: a Slack and a GitHub to click on, on top of the two stand-ins."""

from integrations.sandbox.demo.process import BotProcess, BotState, CommandFailed, ProcessCommand
from integrations.sandbox.demo.server import serve_page
from integrations.sandbox.demo.stage import Stage
from integrations.sandbox.demo.world import CHANNELS, PEOPLE, DemoPerson

__all__ = [
    "CHANNELS",
    "PEOPLE",
    "BotProcess",
    "BotState",
    "CommandFailed",
    "DemoPerson",
    "ProcessCommand",
    "Stage",
    "serve_page",
]
