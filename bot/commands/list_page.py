"""Parses a typed filter and shows one page of its alerts, for `list`, `search`, `mine` and the buttons of lists."""

from bot.context import Context
from bot.errors import Refused
from bot.flows.people import identify
from bot.flows.people.alert_lookup import find_page
from bot.requests import CommandRequest
from bot.rules.filters import BadFilter, parse_filter, refuse_contradiction
from bot.rules.pagination import ListPage
from bot.views.lists import draw_list
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage.filter import Filter


def parse_typed_filter(text: str) -> Filter:
    """The filter that a person typed; raises Refused, which says what to write instead."""
    try:
        return refuse_contradiction(parse_filter(text))
    except BadFilter as error:
        hint = Mrkdwn("Every word of a filter: `/leaks help`")
        # The error quotes the typed text in backticks, which are the only markup in it.
        detail = t.escape(str(error), 1_000)
        raise Refused("bad_filter", "That filter can't be understood.", detail, hint) from None


async def show_page(context: Context, request: CommandRequest, page: ListPage) -> Content:
    """One page of a list, with the alerts that the person may see; raises Refused."""
    identity = await identify.identify(context, request.user, request.channel)
    return draw_list(await find_page(context, identity, page, store_only=request.store_only))
