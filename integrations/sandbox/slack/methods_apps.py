"""apps.*: what the app-level token is for."""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import Arguments
from integrations.sandbox.slack.world import SlackWorld


def open_connection(world: SlackWorld, _: Arguments) -> Json:
    """apps.connections.open: the address of one Socket Mode connection."""
    return {"url": world.tickets.make()}
