"""`/leaks list`: lists open alerts, or those of a filter."""

from bot.commands.command import Subcommand
from bot.commands.list_page import parse_typed_filter, show_page
from bot.context import Context
from bot.requests import CommandRequest
from bot.rules.filters import open_by_default
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content


async def list_alerts(context: Context, request: CommandRequest) -> Content:
    """The first page; open alerts only, unless the filter says open or closed."""
    return await show_page(context, request, ListPage(open_by_default(parse_typed_filter(request.text))))


LIST = Subcommand(
    "list",
    "list [FILTER]",
    "open alerts, or those of a filter: validity:active repo:octo/payments older:7d",
    list_alerts,
    from_store=True,
)
