"""Builds Slack's markup (mrkdwn), and makes texts from outside harmless in it.

A plain `str` may come from anybody. A `Mrkdwn` is finished markup, and only this module's functions make one. A `str`
that they take can't mention, link or format.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

WORDS_LIMIT = 300
"""The longest plain argument of a template, in UTF-16 units after escaping; longer text is cut."""
CODE_LIMIT = 200
URL_LIMIT = 2_000
"""The longest address of a link; Slack limits only the whole text."""
EMPTY = "(empty)"
"""Shown for an empty text, since Slack refuses empty text objects."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_LOOK_ALIKES = str.maketrans({"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "`": "'"})
_UNDERSCORE, _COLON, _ANGLE = (
    "\N{FULLWIDTH LOW LINE}",
    "\N{RATIO}",
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
)
# These don't backtrack into what they have matched, so their time grows linearly with the text.
_EDGE_UNDERSCORE = re.compile(r"(?<!\w)_+|(?<!_)_++(?!\w)")
_QUOTE_MARK = re.compile("^>")
_EMOJI_CODE = re.compile(r":(?=[a-z0-9_'-]*[a-z]|100:|1234:|[+-]1:)([a-z0-9_+'-]+):")
_MARKUP = re.compile(
    r"<@[A-Z0-9]+> \(`(?P<login>[^`\n]*)`\)"
    r"|`(?P<code>[^`\n]*)`"
    r"|<#(?P<channel>[A-Z][A-Z0-9]+)>"
    r"|<(?:https?://|!date\^)[^<|>]*\|(?P<label>[^<>]*)>"
    rf"|{_EMOJI_CODE.pattern} ?"
    r"|\*"
)
_PIECE = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|`[^`\n]*`|.", re.DOTALL)
_SLACK_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}")


class Mrkdwn(str):
    """Finished Slack markup, safe to send. `+` and f-strings turn it into a plain str."""

    __slots__ = ()


def clean(text: str, limit: int | None = None, *, lines: bool = False) -> str:
    """Return `text` without invisible characters, cut to `limit` (UTF-16 units) with an ellipsis.

    Removes control, bidirectional, zero-width and other format characters, and lone surrogates. White space becomes
    single spaces; with `lines`, line breaks stay. The result is for Slack's plain_text, which is shown literally.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    if not lines:
        text = text.replace("\n", " ")
    text = text.replace("\t", " ")
    if not text.isprintable():  # Of most texts no character has to be looked at.
        text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _INVISIBLE)
    text = _SPACES.sub(" ", text).strip()
    if lines:
        text = _BLANK_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n")))
    return text if limit is None else _cut(text, limit, units)


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 units.

    Slack does not document whether it counts code points or UTF-16 units; this is the larger number.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escape(text: str, limit: int = WORDS_LIMIT) -> Mrkdwn:
    """Clean text and escape `&`, `<` and `>`; the escaped result fits `limit`.

    Slack's docs: only these three are escaped. Formatting characters still format, so use `prose` for running text.
    """
    return _escaped(_cut(clean(text), limit, _escaped_units))


def prose(text: str, limit: int = WORDS_LIMIT) -> Mrkdwn:
    """Make text of other people harmless in ours: escape it, and replace characters that format by look-alikes."""
    return _escaped(_cut(_without_formatting(clean(text)), limit, _escaped_units))


def code(text: str, limit: int = CODE_LIMIT) -> Mrkdwn:
    """A code span, for names, paths and values. A backtick in `text` becomes an apostrophe."""
    inside = escape(text.replace("`", "'"), max(limit - 2, 1))
    return Mrkdwn(f"`{inside}`" if inside else EMPTY)


def web_url(url: str) -> str | None:
    """Return the http(s) address, encoded so that it can't end a link; None if it is not one or is too long."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or _has_blanks(url):
        return None
    if not re.fullmatch(r"[A-Za-z0-9.\-:\[\]]+", parts.netloc):
        return None
    encoded = quote(url, safe="%:/?#[]@!$&'()*+,;=~", errors="replace")
    return encoded if units(encoded) <= URL_LIMIT else None


def _has_blanks(text: str) -> bool:
    """Whether there is white space or an invisible character in it."""
    if text.isprintable():
        return " " in text
    return any(c.isspace() or unicodedata.category(c) in _INVISIBLE for c in text)


def link(url: str, label: str | Mrkdwn) -> Mrkdwn:
    """A link with our label; only the label if `url` is not a web address."""
    shown = as_mrkdwn(label) or Mrkdwn(EMPTY)
    address = web_url(url)
    if address is None:
        return shown
    return Mrkdwn(f"<{_escaped(address)}|{shown.replace('|', '¦').replace('<', '').replace('>', '')}>")


def utc(unix: float) -> str:
    """Format Unix seconds as `24 Nov 2026, 02:43 UTC`, for places where Slack shows no local time."""
    try:
        at = datetime.fromtimestamp(unix, UTC)
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def date(unix: float, fmt: str = "{date_short_pretty} at {time}") -> Mrkdwn:
    """A time (Unix seconds) that Slack shows in the reader's time zone; old clients show it in UTC.

    `fmt` is ours, with the tokens of Slack's docs: `{date_num}`, `{date_short_pretty}`, `{time}`, …
    """
    shown = prose(utc(unix))
    return Mrkdwn(f"<!date^{int(unix)}^{fmt}|{shown}>") if 0 <= unix < 10**11 else shown


def user(slack_user_id: str) -> Mrkdwn:
    """A mention, shown by name. An id of another form becomes a code span, so that it can't be `<!channel>`."""
    return Mrkdwn(f"<@{slack_user_id}>") if _SLACK_ID.fullmatch(slack_user_id) else code(slack_user_id)


def user_group(group_id: str) -> Mrkdwn:
    """A mention of a user group. An id of another form becomes a code span, so that it can't be `<!channel>`."""
    return Mrkdwn(f"<!subteam^{group_id}>") if _SLACK_ID.fullmatch(group_id) else code(group_id)


def channel(channel_id: str) -> Mrkdwn:
    """A link to a channel, shown by name to people who may see it."""
    return Mrkdwn(f"<#{channel_id}>") if _SLACK_ID.fullmatch(channel_id) else code(channel_id)


def emoji(name: str) -> Mrkdwn:
    """An emoji by its name, which is a literal in our source: `emoji("warning")`."""
    return Mrkdwn(f":{name}:") if _EMOJI_CODE.fullmatch(f":{name}:") else prose(name)


def mrkdwn(template: str, *args: str | int | Mrkdwn, **named: str | int | Mrkdwn) -> Mrkdwn:
    """Our markup with `{}` or `{name}` for the arguments: `mrkdwn("*{}* in {}", title, code(path))`.

    `template` must be a literal in our source (a test checks it). Arguments that are not `Mrkdwn` become `prose`.
    """
    return Mrkdwn(
        template.format(*map(as_mrkdwn, args), **{name: as_mrkdwn(value) for name, value in named.items()})
    )


def as_mrkdwn(value: str | int | Mrkdwn) -> Mrkdwn:
    """`Mrkdwn` as it is, anything else as `prose`."""
    return value if isinstance(value, Mrkdwn) else prose(str(value))


def fact(name: str, value: str | int | Mrkdwn) -> Mrkdwn:
    """One line of a card: `*Validity:* active`."""
    return mrkdwn("*{}:* {}", name, value)


def join(parts: Iterable[str | int | Mrkdwn], separator: str = ", ") -> Mrkdwn:
    """Join pieces with `separator`, which is ours."""
    return Mrkdwn(separator.join(as_mrkdwn(part) for part in parts))


def lines(*parts: str | int | Mrkdwn | None) -> Mrkdwn:
    """Join pieces by line breaks; None and empty pieces are left out."""
    return join((part for part in parts if part is not None and part != ""), "\n")


def without_markup(text: Mrkdwn) -> Mrkdwn:
    """Return the text of finished markup, for notifications and screen readers.

    Code spans, links and times become their text, a channel its id; emoji and bold marks are removed. A mention
    followed by a login in brackets becomes the login; other mentions stay, since Slack shows a name for them.
    """
    kept = ("login", "code", "label", "channel")
    return Mrkdwn(_MARKUP.sub(lambda found: next((found[part] for part in kept if found[part]), ""), text))


def cut(text: Mrkdwn, limit: int) -> Mrkdwn:
    """Cut markup to `limit` UTF-16 units, but not inside an entity, a link, a mention or a code span."""
    if units(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - 1
    for piece in _PIECE.findall(text):
        room -= units(piece)
        if room < 0:
            break
        kept.append(piece)
    return Mrkdwn("".join(kept).rstrip() + "…")


def _cut(text: str, limit: int, size: Callable[[str], int]) -> str:
    if size(text) <= limit:
        return text
    room = limit - 1
    for index, character in enumerate(text):
        room -= size(character)
        if room < 0:
            return text[:index].rstrip() + "…"
    return text


def _escaped(text: str) -> Mrkdwn:
    return Mrkdwn(html.escape(text, quote=False))


def _escaped_units(text: str) -> int:
    return units(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def _without_formatting(text: str) -> str:
    """Replace each character that formats by a look-alike; the length stays the same."""
    text = _EMOJI_CODE.sub(rf"{_COLON}\1{_COLON}", text.translate(_LOOK_ALIKES))
    text = _EDGE_UNDERSCORE.sub(lambda found: _UNDERSCORE * len(found[0]), text)
    return _QUOTE_MARK.sub(_ANGLE, text)
