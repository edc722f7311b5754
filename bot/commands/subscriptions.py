"""`/leaks subscriptions`: lists the subscriptions whose alerts the person may view."""

from bot.commands.command import Subcommand
from bot.flows.subscribing.listing import list_subscriptions

SUBSCRIPTIONS = Subcommand(
    "subscriptions",
    "subscriptions",
    "which channels get which of the alerts that you may view",
    list_subscriptions,
)
