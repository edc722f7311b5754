"""`/leaks subscribe`: previews a channel's subscription; the preview's button stores it."""

from bot.commands.command import Subcommand
from bot.flows.subscribing.subscribe import ask_subscription
from bot.rules.subscription_words import USAGE

SUBSCRIBE = Subcommand(
    "subscribe",
    f"subscribe {USAGE}",
    "this channel gets the alerts of a filter; a preview comes first",
    ask_subscription,
)
