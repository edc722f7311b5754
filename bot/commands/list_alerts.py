"""`/leaks list`: the open alerts, or those that a filter wants."""

from bot.commands.command import Subcommand
from bot.commands.list_page import read_filter, show_page
from bot.context import Context
from bot.requests import CommandRequest
from bot.rules.filters import open_by_default
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content


async def list_alerts(context: Context, asked: CommandRequest) -> Content:
    """The first page; of open alerts where the filter says nothing of open or closed."""
    return await show_page(context, asked, ListPage(open_by_default(read_filter(asked.text))))


LIST = Subcommand(
    "list",
    "list [FILTER]",
    "open alerts, or those of a filter: validity:active repo:octo/payments older:7d",
    list_alerts,
    from_store=True,
)
