"""Changes single settings in the text of a `.env` file, and leaves all its other lines as they are. Pure."""

import io
import re
from collections.abc import Mapping

from dotenv.parser import Binding, parse_stream

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~-]+")
"""A value of these characters means the same with and without quotes, for every program that reads such files."""
_COMMENT = re.compile(r"[^\S\r\n]+#[^\r\n]*$")


class Unwritable(ValueError):
    """A value that `.env` can't hold; `str()` is the end of a sentence about the setting."""


def changed(text: str, values: Mapping[str, str]) -> str:
    """The text with these settings. Each replaces its last line; without one it is added at the end, unless empty.

    Names are compared without regard to case, as they are read. Raises Unwritable.
    """
    lines = list(parse_stream(io.StringIO(text)))
    ending = "\r\n" if "\r\n" in text else "\n"
    last = {line.key.upper(): number for number, line in enumerate(lines) if line.key}
    written = [line.original.string for line in lines]
    added = []
    for name, value in values.items():
        if name in last:
            written[last[name]] = _replaced(lines[last[name]], f"{name}={quoted(value)}", ending)
        elif value:
            added.append(f"{name}={quoted(value)}{ending}")
    kept = "".join(written)
    return (kept + ending if added and kept and not kept.endswith("\n") else kept) + "".join(added)


def quoted(value: str) -> str:
    """The value as it is written behind `=`; an empty one counts as not set. Raises Unwritable."""
    if not value or _PLAIN.fullmatch(value):
        return value
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Unwritable("has a line break or another control character, which .env can't hold")
    if "${" in value:
        # python-dotenv puts another variable's value in its place, also between quotes.
        raise Unwritable("has ${ in it, which .env can't hold")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _replaced(line: Binding, setting: str, ending: str) -> str:
    """The setting in place of a line, with the blank lines before it and the comment behind it."""
    original = line.original.string
    body = original.rstrip("\r\n")
    blank = body[: len(body) - len(body.lstrip())]
    comment = "" if line.value and "#" in line.value else "".join(_COMMENT.findall(body))
    return f"{blank}{setting}{comment}{original[len(body) :] or ending}"
