"""`/leaks history`: what happened to one alert, who did it and why."""

from bot.commands.command import Subcommand
from bot.commands.show import read_alert_name
from bot.context import Context
from bot.flows.people import identify
from bot.flows.people.alert_lookup import find_alert
from bot.requests import CommandRequest
from bot.views.history import draw_history
from bot.views.lists import with_private_note
from integrations.slack.blocks import Content
from storage import alerts


async def tell_history(context: Context, asked: CommandRequest) -> Content:
    """The timeline of the alert that was typed, from our own store."""
    named = read_alert_name(context, asked.text, "history")
    identity = await identify.identify(context, asked.user, asked.channel)
    found, since = await find_alert(context, identity, named, store_only=asked.store_only)
    async with context.db.read() as tx:
        events = await alerts.events(tx, found.alert.key)
    return with_private_note(draw_history(found.alert, found.repository, events), since, context.clock.now())


HISTORY = Subcommand(
    "history",
    "history OWNER/NAME#NUMBER",
    "what happened to one alert: who did what, and why",
    tell_history,
    from_store=True,
)
