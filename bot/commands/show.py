"""`/leaks show`: one alert's card for one person, with its controls."""

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


async def show_named(context: Context, asked: CommandRequest) -> Content:
    """The card of the alert that was typed."""
    return await show_alert(context, asked, read_alert_name(context, asked.text, "show"))


async def show_alert(context: Context, asked: CommandRequest, named: AlertKey | AlertName) -> Content:
    """The card as it is now, for whoever asks; raises Refused."""
    identity = await identify.identify(context, asked.user, asked.channel)
    found, since = await find_alert(context, identity, named, store_only=asked.store_only)
    async with context.db.read() as tx:
        case = await load_case(tx, context, found.alert, found.repository)
    # Slack keeps a menu's state under an unchanged block id, so each drawing counts as a new one.
    return with_private_note(draw_card(case, controls(case), int(case.now * 1000)), since, case.now)


def read_alert_name(context: Context, text: str, subcommand: str) -> AlertName:
    """The alert that was typed; raises Refused with how to name one."""
    named = parse_alert_name(text, context.github_url)
    if named is None:
        raise Refused(
            "bad_name",
            "That names no alert.",
            t.mrkdwn(
                "Write {}, or paste the alert's link on {}.",
                t.code(f"/leaks {subcommand} octo/payments#42"),
                t.code(context.github_url),
            ),
            t.mrkdwn("To look for words: {}", t.code("/leaks search WORDS")),
        )
    return named


SHOW = Subcommand(
    "show",
    "show OWNER/NAME#NUMBER",
    "one alert with its controls; its link on GitHub names it too",
    show_named,
    from_store=True,
)
