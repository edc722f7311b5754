"""The words after `/leaks`: one file each, listed here in the order of the help."""

import difflib

from bot.commands.command import Asked, Subcommand
from bot.commands.whoami import WHOAMI
from bot.errors import Refused
from bot.rules.masking import mask
from bot.tools import Tools
from integrations.slack import text as t
from integrations.slack.blocks import Content, context, message, section
from integrations.slack.text import Mrkdwn

SUBCOMMANDS: tuple[Subcommand, ...] = (WHOAMI,)
HELP = "help"


def answer_at_once(typed: str) -> Content | None:
    """What needs nobody to be asked: the help, and a word that is none. None where a subcommand has to work."""
    word, _ = split(typed)
    if word in ("", HELP):
        return help_text()
    if any(subcommand.name == word for subcommand in SUBCOMMANDS):
        return None
    return unknown_word(word)


async def answer(tools: Tools, asked: Asked) -> Content:
    """What a subcommand answers; raises Refused."""
    word, rest = split(asked.text)
    for subcommand in SUBCOMMANDS:
        if subcommand.name == word:
            asked = Asked(
                user=asked.user,
                team=asked.team,
                channel=asked.channel,
                text=rest,
                at=asked.at,
                response_url=asked.response_url,
            )
            return await subcommand.answer(tools, asked)
    raise Refused("unknown_command", f"/leaks has no {mask(word)[:40]}.", "Type /leaks help.")


def split(typed: str) -> tuple[str, str]:
    """The subcommand in lower case, and what follows it."""
    word, _, rest = typed.strip().partition(" ")
    return word.lower(), rest.strip()


def help_text() -> Content:
    """Every subcommand with its use."""
    rows = [t.mrkdwn("{}: {}", t.code(f"/leaks {one.usage}"), one.help) for one in SUBCOMMANDS]
    rows.append(t.mrkdwn("{}: this help", t.code("/leaks help")))
    return message(
        Mrkdwn("What /leaks can do"),
        section(t.lines(Mrkdwn("*What* `/leaks` *can do*"), *rows)),
        context(
            Mrkdwn("Answers are visible to you alone. Alerts are worked with the buttons on their cards.")
        ),
    )


def unknown_word(word: str) -> Content:
    """A word that is no subcommand, with the nearest one that is."""
    names = [*(one.name for one in SUBCOMMANDS), HELP]
    near = difflib.get_close_matches(word, names, n=1)
    meant = t.mrkdwn(" Did you mean {}?", t.code(f"/leaks {near[0]}")) if near else Mrkdwn("")
    words = t.mrkdwn(
        "`/leaks` has no {}.{} {} lists what there is.", t.code(mask(word)[:40]), meant, t.code("/leaks help")
    )
    return message(words, section(t.mrkdwn(":grey_question: {}", words)))
