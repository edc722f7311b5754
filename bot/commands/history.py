"""`/leaks history`: what happened to one alert, who did it and why."""

from bot.commands.command import Asked, Subcommand
from bot.commands.show import read_alert_name
from bot.flows import authorize
from bot.flows.finding import find_alert
from bot.tools import Tools
from bot.views.history import draw_history
from bot.views.lists import for_one
from integrations.slack.blocks import Content
from storage import alerts


async def tell_history(tools: Tools, asked: Asked) -> Content:
    """The timeline of the alert that was typed, from our own store."""
    named = read_alert_name(tools, asked.text, "history")
    identity = await authorize.identify(tools, asked.user, asked.channel)
    found, since = await find_alert(tools, identity, named, hurried=asked.hurried)
    async with tools.db.read() as tx:
        events = await alerts.events(tx, found.alert.key)
    return for_one(draw_history(found.alert, found.repository, events), since, tools.clock.now())


HISTORY = Subcommand(
    "history",
    "history OWNER/NAME#NUMBER",
    "what happened to one alert: who did what, and why",
    tell_history,
    from_store=True,
)
