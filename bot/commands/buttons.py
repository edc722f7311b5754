"""Answers the buttons of lists, summaries and subscriptions, and the shortcut in a message's menu.

A button's value holds all that its answer needs, so that it works after a restart. The person's roles are checked at
every click.
"""

from collections.abc import Awaitable, Callable, Mapping

from bot.commands.list_page import parse_typed_filter, show_page
from bot.commands.show import show_alert
from bot.context import Context
from bot.errors import Refused
from bot.flows.subscribing import subscribe
from bot.requests import CommandRequest
from bot.rules.alert_names import parse_alert_name
from bot.rules.pagination import ListPage, parse_page
from bot.views.lists import PAGE_ACTION, SHOW_ALERT_ACTION, SHOW_LIST_ACTION
from bot.views.refusals import outdated_control
from bot.views.subscriptions import ADOPT_ACTION, SUBSCRIBE_ACTION, UNSUBSCRIBE_ACTION
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage import messages
from storage.records import AlertKey, ChannelId, MessageTs

MESSAGE_SHORTCUT = "show_alert"
"""The shortcut's callback id."""


async def turn_page(context: Context, request: CommandRequest) -> Content:
    """Another page of a list."""
    page = parse_page(request.text)
    if page is None:
        raise outdated_control()
    return await show_page(context, request, page)


async def open_list(context: Context, request: CommandRequest) -> Content:
    """The list of the alerts that a summary counts."""
    return await show_page(context, request, ListPage(parse_typed_filter(request.text)))


async def open_alert(context: Context, request: CommandRequest) -> Content:
    """The card of an alert in a list."""
    try:
        key = AlertKey.parse(request.text)
    except ValueError:
        raise outdated_control() from None
    return await show_alert(context, request, key)


async def show_message_alert(context: Context, request: CommandRequest) -> Content:
    """The card of the alert that a message is about: our own message, its thread, or a link in its text.

    `request.text` is `<ts> <thread's ts or -> <alert's name or ->`, as `bot/inbound` found them in the message.
    """
    ts, thread, name = request.text.split(" ")
    async with context.db.read() as tx:
        found = [await messages.at(tx, ChannelId(request.channel), MessageTs(at)) for at in (ts, thread)]
    key = next((message.alert for message in found if message is not None and message.alert), None)
    about = key or parse_alert_name(name, context.github_url)
    if about is None:
        raise Refused(
            "no_alert_here",
            "This message is about no alert.",
            Mrkdwn("It has to be a card, a message in a card's thread, or one with a link to an alert."),
            Mrkdwn("All open alerts: `/leaks list`"),
        )
    return await show_alert(context, request, about)


BUTTONS: Mapping[str, Callable[[Context, CommandRequest], Awaitable[Content]]] = {
    PAGE_ACTION: turn_page,
    SHOW_LIST_ACTION: open_list,
    SHOW_ALERT_ACTION: open_alert,
    SUBSCRIBE_ACTION: subscribe.subscribe,
    UNSUBSCRIBE_ACTION: subscribe.unsubscribe,
    ADOPT_ACTION: subscribe.adopt,
}
