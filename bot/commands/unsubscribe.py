"""`/leaks unsubscribe`: ends a channel's subscription, after a question."""

from bot.commands.command import Subcommand
from bot.flows.subscribing.subscribe import ask_removal

UNSUBSCRIBE = Subcommand(
    "unsubscribe", "unsubscribe", "this channel gets no new alerts by its subscription any more", ask_removal
)
