"""`/leaks mine`: the open alerts that somebody took on here, or is assigned on GitHub."""

from bot.commands.command import Subcommand
from bot.commands.list_page import read_filter, show_page
from bot.context import Context
from bot.requests import CommandRequest
from bot.rules.filters import open_by_default
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content
from storage.filter import ME


async def list_mine(context: Context, asked: CommandRequest) -> Content:
    """The first page; a filter narrows it."""
    return await show_page(
        context, asked, ListPage(open_by_default(read_filter(f"{asked.text} assignee:{ME}")))
    )


MINE = Subcommand(
    "mine",
    "mine [FILTER]",
    "open alerts that you are on, or are assigned to on GitHub",
    list_mine,
    from_store=True,
)
