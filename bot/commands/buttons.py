"""The buttons of lists and summaries, and the shortcut in a message's menu: look-ups without typing.

What a button carries says all of it, so that it works after a restart; whoever clicks is asked for anew.
"""

from collections.abc import Awaitable, Callable, Mapping

from bot.commands.list_page import read_filter, show_page
from bot.commands.show import show_alert
from bot.context import Context
from bot.errors import Refused
from bot.requests import CommandRequest
from bot.rules.alert_names import parse_alert_name
from bot.rules.pagination import ListPage, parse_page
from bot.views.lists import PAGE_ACTION, SHOW_ALERT_ACTION, SHOW_LIST_ACTION
from bot.views.refusals import outdated_control
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage import messages
from storage.records import AlertKey, ChannelId, MessageTs

BEHIND_MESSAGE = "show_alert"
"""The shortcut's callback id."""


async def turn_page(context: Context, asked: CommandRequest) -> Content:
    """Another page of a list, as it is now."""
    page = parse_page(asked.text)
    if page is None:
        raise outdated_control()
    return await show_page(context, asked, page)


async def open_list(context: Context, asked: CommandRequest) -> Content:
    """The list that a summary speaks of."""
    return await show_page(context, asked, ListPage(read_filter(asked.text)))


async def open_alert(context: Context, asked: CommandRequest) -> Content:
    """The alert of a row."""
    try:
        key = AlertKey.parse(asked.text)
    except ValueError:
        raise outdated_control() from None
    return await show_alert(context, asked, key)


async def open_behind(context: Context, asked: CommandRequest) -> Content:
    """The alert that a message is about: our own message or its thread, or else a link in its text.

    `asked.text` is what the edge found in the message: `<ts> <thread's ts or -> <alert's name or ->`.
    """
    ts, thread, named = asked.text.split(" ")
    async with context.db.read() as tx:
        places = [await messages.at(tx, ChannelId(asked.channel), MessageTs(place)) for place in (ts, thread)]
    key = next((message.alert for message in places if message is not None and message.alert), None)
    about = key or parse_alert_name(named, context.github_url)
    if about is None:
        raise Refused(
            "no_alert_here",
            "This message is about no alert.",
            Mrkdwn("It has to be a card, a message in a card's thread, or one with a link to an alert."),
            Mrkdwn("All open alerts: `/leaks list`"),
        )
    return await show_alert(context, asked, about)


BUTTONS: Mapping[str, Callable[[Context, CommandRequest], Awaitable[Content]]] = {
    PAGE_ACTION: turn_page,
    SHOW_LIST_ACTION: open_list,
    SHOW_ALERT_ACTION: open_alert,
}
