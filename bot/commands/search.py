"""`/leaks search`: finds open and closed alerts by words in their secret type, repository or path."""

from bot.commands.command import Subcommand
from bot.commands.list_page import parse_typed_filter, show_page
from bot.context import Context
from bot.errors import Refused
from bot.requests import CommandRequest
from bot.rules.pagination import ListPage
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn


async def search_alerts(context: Context, request: CommandRequest) -> Content:
    """The first page of alerts in any state."""
    alert_filter = parse_typed_filter(request.text)
    if not alert_filter.terms:
        example = Mrkdwn("For example `/leaks search deploy.yml` or `/leaks search stripe is:open`.")
        raise Refused("nothing_to_search", "Say what to look for.", example)
    return await show_page(context, request, ListPage(alert_filter))


SEARCH = Subcommand(
    "search",
    "search WORDS [FILTER]",
    "alerts, closed ones too, with words in their secret type, repository or path",
    search_alerts,
    from_store=True,
)
