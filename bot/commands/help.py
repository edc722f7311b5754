"""`/leaks help`: every subcommand with its use, and the words of a filter."""

import difflib
from collections.abc import Sequence

from bot.commands.command import Subcommand
from bot.rules.filters import EXAMPLES, VALUES, WORDS
from bot.rules.masking import mask
from integrations.slack import text as t
from integrations.slack.blocks import Content, context, message, section
from integrations.slack.text import Mrkdwn

HELP = "help"


def help_answer(subcommands: Sequence[Subcommand]) -> Content:
    """Every subcommand with its use."""
    rows = [t.mrkdwn("{}: {}", t.code(f"/leaks {one.usage}"), one.help) for one in subcommands]
    rows.append(t.mrkdwn("{}: this help", t.code("/leaks help")))
    commands = t.lines(Mrkdwn("*What* `/leaks` *can do*"), *rows)
    filters = t.lines(Mrkdwn("*What a* `FILTER` *is made of*"), *_filter_words())
    note = Mrkdwn("Answers are visible to you alone. Alerts are worked with the buttons on their cards.")
    return message(
        t.without_markup(t.lines(commands, filters)),
        section(commands),
        section(filters),
        context(note),
    )


def _filter_words() -> list[Mrkdwn]:
    """Every word of a filter, with its values or an example."""
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


def unknown_word_answer(word: str, subcommands: Sequence[Subcommand]) -> Content:
    """Says that a word is no subcommand, and suggests the nearest one."""
    names = [*(one.name for one in subcommands), HELP]
    near = difflib.get_close_matches(word, names, n=1)
    meant = t.mrkdwn(" Did you mean {}?", t.code(f"/leaks {near[0]}")) if near else Mrkdwn("")
    words = t.mrkdwn(
        "`/leaks` has no {}.{} {} lists what there is.", t.code(mask(word)[:40]), meant, t.code("/leaks help")
    )
    return message(t.without_markup(words), section(t.mrkdwn(":grey_question: {}", words)))
