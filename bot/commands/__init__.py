"""Lists every subcommand of `/leaks`, in the order of the help, and answers commands, buttons and the shortcut."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.commands.buttons import BUTTONS, show_message_alert
from bot.commands.command import Subcommand
from bot.commands.doctor import DOCTOR
from bot.commands.help import HELP, help_answer, unknown_word_answer
from bot.commands.history import HISTORY
from bot.commands.link import LINK
from bot.commands.list_alerts import LIST
from bot.commands.mine import MINE
from bot.commands.search import SEARCH
from bot.commands.show import SHOW
from bot.commands.subscribe import SUBSCRIBE
from bot.commands.subscriptions import SUBSCRIPTIONS
from bot.commands.unlink import UNLINK
from bot.commands.unsubscribe import UNSUBSCRIBE
from bot.commands.whoami import WHOAMI
from bot.context import Context
from bot.errors import Refused, RetryLater, UnusableJob
from bot.flows.audit import audit_refused_look_up
from bot.flows.people.visibility import NeedsGitHub
from bot.job_kinds import AnswerCommand
from bot.requests import CommandRequest
from bot.rules.masking import mask
from bot.rules.typed_text import normalize_typed
from bot.views.answers import refusal
from integrations.slack.blocks import Content

SUBCOMMANDS: tuple[Subcommand, ...] = (
    LIST,
    SHOW,
    SEARCH,
    MINE,
    HISTORY,
    WHOAMI,
    LINK,
    UNLINK,
    SUBSCRIBE,
    UNSUBSCRIBE,
    SUBSCRIPTIONS,
    DOCTOR,
)
PATIENCE = 1.5
"""Seconds for an answer while Slack waits for the acknowledgement, for which its docs allow three."""


def answer_without_look_up(typed: str) -> Content | None:
    """The answer to `help` and to a word that is no subcommand; None for a subcommand."""
    word, _ = split_command(typed)
    if word in ("", HELP):
        return help_answer(SUBCOMMANDS)
    return None if _find_subcommand(word) else unknown_word_answer(word, SUBCOMMANDS)


async def answer_from_store(context: Context, request: CommandRequest) -> Content | None:
    """The answer of a subcommand from stored data alone; None if that is not possible or takes too long."""
    subcommand = _find_subcommand(split_command(request.text)[0])
    if subcommand is None or not subcommand.from_store:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer(context, replace(request, store_only=True))
    except Refused as refused:
        return refusal(refused, AnswerCommand(request))
    except (NeedsGitHub, RetryLater, TimeoutError):
        return None


async def answer(context: Context, request: CommandRequest) -> Content:
    """The answer of a subcommand; raises Refused."""
    word, rest = split_command(request.text)
    subcommand = _find_subcommand(word)
    if subcommand is None:
        raise Refused("unknown_command", f"/leaks has no {mask(word)[:40]}.", "Type /leaks help.")
    return await _answer(subcommand.answer, context, replace(request, text=rest))


async def answer_button(context: Context, button: str, request: CommandRequest) -> Content:
    """The answer of a button of a list or a summary; `request.text` is the button's value. Raises Refused."""
    if button not in BUTTONS:
        raise UnusableJob(f"this version knows no button {button}")
    return await _answer(BUTTONS[button], context, request)


async def answer_shortcut(context: Context, request: CommandRequest) -> Content:
    """The card of the alert that a message is about; raises Refused."""
    return await _answer(show_message_alert, context, request)


async def _answer(
    look_up: Callable[[Context, CommandRequest], Awaitable[Content]],
    context: Context,
    request: CommandRequest,
) -> Content:
    try:
        return await look_up(context, request)
    except Refused as refused:
        await audit_refused_look_up(context, request.team, request.user, refused)
        raise


def _find_subcommand(word: str) -> Subcommand | None:
    return next((subcommand for subcommand in SUBCOMMANDS if subcommand.name == word), None)


def split_command(typed: str) -> tuple[str, str]:
    """The subcommand in lower case, and the text after it, both as plain text."""
    word, _, rest = normalize_typed(typed).strip().partition(" ")
    return word.lower(), rest.strip()
