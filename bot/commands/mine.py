"""`/leaks mine`: the open alerts that somebody took on here, or is assigned on GitHub."""

from bot.commands.command import Asked, Subcommand
from bot.commands.listing import read_filter, show_page
from bot.rules.filters import or_open
from bot.rules.pages import Page
from bot.tools import Tools
from integrations.slack.blocks import Content
from storage.filter import ME


async def list_mine(tools: Tools, asked: Asked) -> Content:
    """The first page; a filter narrows it."""
    return await show_page(tools, asked, Page(or_open(read_filter(f"{asked.text} assignee:{ME}"))))


MINE = Subcommand(
    "mine",
    "mine [FILTER]",
    "open alerts that you are on, or are assigned to on GitHub",
    list_mine,
    from_store=True,
)
