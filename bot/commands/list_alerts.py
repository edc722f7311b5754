"""`/leaks list`: the open alerts, or those that a filter wants."""

from bot.commands.command import Asked, Subcommand
from bot.commands.listing import read_filter, show_page
from bot.rules.filters import or_open
from bot.rules.pages import Page
from bot.tools import Tools
from integrations.slack.blocks import Content


async def list_alerts(tools: Tools, asked: Asked) -> Content:
    """The first page; of open alerts where the filter says nothing of open or closed."""
    return await show_page(tools, asked, Page(or_open(read_filter(asked.text))))


LIST = Subcommand(
    "list",
    "list [FILTER]",
    "open alerts, or those of a filter: validity:active repo:octo/payments older:7d",
    list_alerts,
    from_store=True,
)
