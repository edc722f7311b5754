"""`/leaks mine`: lists the open alerts that the person has taken or is assigned to on GitHub."""

from bot.commands.command import Subcommand
from bot.commands.list_page import parse_typed_filter, show_page
from bot.context import Context
from bot.requests import CommandRequest
from bot.rules.filters import open_by_default
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content
from storage.filter import ME


async def list_mine(context: Context, request: CommandRequest) -> Content:
    """The first page; a filter can narrow it."""
    alert_filter = parse_typed_filter(f"{request.text} assignee:{ME}")
    return await show_page(context, request, ListPage(open_by_default(alert_filter)))


MINE = Subcommand(
    "mine",
    "mine [FILTER]",
    "open alerts that you are on, or are assigned to on GitHub",
    list_mine,
    from_store=True,
)
