"""`/leaks search`: alerts by words in their secret type, repository or path, open and closed."""

from bot.commands.command import Subcommand
from bot.commands.list_page import read_filter, show_page
from bot.context import Context
from bot.errors import Refused
from bot.requests import CommandRequest
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn


async def search_alerts(context: Context, asked: CommandRequest) -> Content:
    """The first page of alerts in any state."""
    wanted = read_filter(asked.text)
    if not wanted.terms:
        example = Mrkdwn("For example `/leaks search deploy.yml` or `/leaks search stripe is:open`.")
        raise Refused("nothing_to_search", "Say what to look for.", example)
    return await show_page(context, asked, ListPage(wanted))


SEARCH = Subcommand(
    "search",
    "search WORDS [FILTER]",
    "alerts, closed ones too, with words in their secret type, repository or path",
    search_alerts,
    from_store=True,
)
