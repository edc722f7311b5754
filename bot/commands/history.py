"""`/leaks history`: shows what happened to one alert, who did it and why."""

from bot.commands.command import Subcommand
from bot.commands.show import parse_typed_alert
from bot.context import Context
from bot.flows.people import identify
from bot.flows.people.alert_lookup import find_alert
from bot.requests import CommandRequest
from bot.views.history import draw_history
from bot.views.lists import with_private_note
from integrations.slack.blocks import Content
from storage import alerts


async def show_history(context: Context, request: CommandRequest) -> Content:
    """The stored timeline of an alert."""
    named = parse_typed_alert(context, request.text, "history")
    identity = await identify.identify(context, request.user, request.channel)
    found, since = await find_alert(context, identity, named, store_only=request.store_only)
    async with context.db.read() as tx:
        events = await alerts.events(tx, found.alert.key)
    return with_private_note(draw_history(found.alert, found.repository, events), since, context.clock.now())


HISTORY = Subcommand(
    "history",
    "history OWNER/NAME#NUMBER",
    "what happened to one alert: who did what, and why",
    show_history,
    from_store=True,
)
