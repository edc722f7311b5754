"""Normalizes typed text, because phones and Slack's clients change white space, quotes and dashes."""

import re
import unicodedata

from bot.rules.masking import INVISIBLE

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\uff02"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\uff07"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_QUOTES = str.maketrans({**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'")})
_TO_HYPHEN = str.maketrans(dict.fromkeys(DASHES, "-"))
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Variation selectors, which follow a character that can be shown as an emoji."""

# Single quotes count only around a whole value, so the one in "don't" does not.
QUOTED = rf"""(?s:"(?:\\.|[^"\\])*"|(?<![^\s:,\-{DASHES}])'(?:\\.|[^'\\])*'(?![^\s,]))"""
"""Text in quotes, as a regular expression."""
_OUTSIDE = re.compile(rf"({QUOTED})")


def normalize_typed(text: str) -> str:
    """The text with plain spaces, straight quotes and `-` for dashes, without invisible characters; idempotent.

    Dashes inside quotes stay, because they may be part of a name.
    """
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or not _is_invisible(c))
    parts = _OUTSIDE.split(seen.translate(_QUOTES))
    # Every second part is a match of the pattern.
    return "".join(part if number % 2 else part.translate(_TO_HYPHEN) for number, part in enumerate(parts))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE or character in _SELECTORS
