"""The words after `/leaks`: one file each, listed here in the order of the help."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.commands.buttons import BUTTONS, open_behind
from bot.commands.command import Subcommand
from bot.commands.history import HISTORY
from bot.commands.list_alerts import LIST
from bot.commands.mine import MINE
from bot.commands.search import SEARCH
from bot.commands.show import SHOW
from bot.commands.whoami import WHOAMI
from bot.context import Context
from bot.errors import Refused, RetryLater, UnusableJob
from bot.flows.audit import audit_refused_look_up
from bot.flows.people.visibility import NeedsGitHub
from bot.requests import CommandRequest
from bot.rules.filters import EXAMPLES, VALUES, WORDS
from bot.rules.masking import mask
from bot.rules.typed_text import normalize_typed
from bot.views.answers import refusal
from integrations.slack import text as t
from integrations.slack.blocks import Content, context, message, section
from integrations.slack.text import Mrkdwn

SUBCOMMANDS: tuple[Subcommand, ...] = (LIST, SHOW, SEARCH, MINE, HISTORY, WHOAMI)
HELP = "help"
PATIENCE = 1.5
"""Seconds to look for an answer while Slack waits for the acknowledgement; Slack's docs give it three."""


def answer_at_once(typed: str) -> Content | None:
    """What needs nobody to be asked: the help, and a word that is none. None where a subcommand has to work."""
    word, _ = split(typed)
    if word in ("", HELP):
        return help_text()
    if any(subcommand.name == word for subcommand in SUBCOMMANDS):
        return None
    return unknown_word(word)


async def answer_from_store(context: Context, asked: CommandRequest) -> Content | None:
    """The answer, where it can be had soon and without GitHub; None where it is work for later."""
    subcommand = _named(asked)
    if subcommand is None or not subcommand.from_store:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer(context, replace(asked, store_only=True))
    except Refused as refused:
        return refusal(refused)
    except (NeedsGitHub, RetryLater, TimeoutError):
        return None


async def answer(context: Context, asked: CommandRequest) -> Content:
    """What a subcommand answers; raises Refused."""
    subcommand = _named(asked)
    if subcommand is None:
        word = mask(split(asked.text)[0])[:40]
        raise Refused("unknown_command", f"/leaks has no {word}.", "Type /leaks help.")
    return await _answer(subcommand.answer, context, replace(asked, text=split(asked.text)[1]))


async def answer_button(context: Context, button: str, asked: CommandRequest) -> Content:
    """What a button of a list or a summary shows; `asked.text` is what it carries. Raises Refused."""
    if button not in BUTTONS:
        raise UnusableJob(f"this version knows no button {button}")
    return await _answer(BUTTONS[button], context, asked)


async def answer_shortcut(context: Context, asked: CommandRequest) -> Content:
    """The alert behind a message; raises Refused."""
    return await _answer(open_behind, context, asked)


async def _answer(
    look_up: Callable[[Context, CommandRequest], Awaitable[Content]], context: Context, asked: CommandRequest
) -> Content:
    try:
        return await look_up(context, asked)
    except Refused as refused:
        await audit_refused_look_up(context, asked.team, asked.user, refused)
        raise


def _named(asked: CommandRequest) -> Subcommand | None:
    word = split(asked.text)[0]
    return next((subcommand for subcommand in SUBCOMMANDS if subcommand.name == word), None)


def split(typed: str) -> tuple[str, str]:
    """The subcommand in lower case, and what follows it, both as plain text."""
    word, _, rest = normalize_typed(typed).strip().partition(" ")
    return word.lower(), rest.strip()


def help_text() -> Content:
    """Every subcommand with its use."""
    rows = [t.mrkdwn("{}: {}", t.code(f"/leaks {one.usage}"), one.help) for one in SUBCOMMANDS]
    rows.append(t.mrkdwn("{}: this help", t.code("/leaks help")))
    commands = t.lines(Mrkdwn("*What* `/leaks` *can do*"), *rows)
    filters = t.lines(Mrkdwn("*What a* `FILTER` *is made of*"), *_filter_words())
    return message(
        t.without_markup(t.lines(commands, filters)),
        section(commands),
        section(filters),
        context(
            Mrkdwn("Answers are visible to you alone. Alerts are worked with the buttons on their cards.")
        ),
    )


def _filter_words() -> list[Mrkdwn]:
    """Every word of a filter with its values."""
    fixed = [
        t.mrkdwn("{} {}", t.code(f"{word}:"), ", ".join(VALUES[word])) for word in WORDS if word in VALUES
    ]
    free = t.join((t.code(EXAMPLES[word].partition(",")[0]) for word in WORDS if word in EXAMPLES), " ")
    return [
        *fixed,
        free,
        t.mrkdwn(
            "Several values: {}. Not: {}. With spaces: {}. Other words are looked for in the secret type's name, "
            "the repository and the path.",
            t.code("validity:active,unknown"),
            t.code("-repo:octo/web"),
            t.code('secret-type:"My Pattern"'),
        ),
    ]


def unknown_word(word: str) -> Content:
    """A word that is no subcommand, with the nearest one that is."""
    names = [*(one.name for one in SUBCOMMANDS), HELP]
    near = difflib.get_close_matches(word, names, n=1)
    meant = t.mrkdwn(" Did you mean {}?", t.code(f"/leaks {near[0]}")) if near else Mrkdwn("")
    words = t.mrkdwn(
        "`/leaks` has no {}.{} {} lists what there is.", t.code(mask(word)[:40]), meant, t.code("/leaks help")
    )
    return message(t.without_markup(words), section(t.mrkdwn(":grey_question: {}", words)))
