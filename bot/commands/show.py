"""`/leaks show`: shows one alert's card to one person, with its controls."""

from bot.actions import controls
from bot.commands.command import Subcommand
from bot.context import Context
from bot.errors import Refused
from bot.flows.build_case import load_case
from bot.flows.people import identify
from bot.flows.people.alert_lookup import find_alert
from bot.requests import CommandRequest
from bot.rules.alert_names import AlertName, parse_alert_name
from bot.views.card import draw_card
from bot.views.lists import with_private_note
from integrations.slack import text as t
from integrations.slack.blocks import Content
from storage.records import AlertKey


async def show_named(context: Context, request: CommandRequest) -> Content:
    """The card of the named alert."""
    return await show_alert(context, request, parse_typed_alert(context, request.text, "show"))


async def show_alert(context: Context, request: CommandRequest, named: AlertKey | AlertName) -> Content:
    """The card of an alert, if the person may see it; raises Refused."""
    identity = await identify.identify(context, request.user, request.channel)
    found, since = await find_alert(context, identity, named, store_only=request.store_only)
    async with context.db.read() as tx:
        case = await load_case(tx, context, found.alert, found.repository)
    # Slack keeps a menu's state under an unchanged block id, so each drawing gets a new number.
    return with_private_note(draw_card(case, controls(case), int(case.now * 1000)), since, case.now)


def parse_typed_alert(context: Context, text: str, subcommand: str) -> AlertName:
    """The name of the alert that a person typed; raises Refused, which says how to name one."""
    named = parse_alert_name(text, context.github_url)
    if named is None:
        example, page = t.code(f"/leaks {subcommand} octo/payments#42"), t.code(context.github_url)
        detail = t.mrkdwn("Write {}, or paste the alert's link on {}.", example, page)
        hint = t.mrkdwn("To look for words: {}", t.code("/leaks search WORDS"))
        raise Refused("bad_name", "That names no alert.", detail, hint)
    return named


SHOW = Subcommand(
    "show",
    "show OWNER/NAME#NUMBER",
    "one alert with its controls; its link on GitHub names it too",
    show_named,
    from_store=True,
)
