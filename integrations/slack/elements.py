"""Builds Block Kit elements (buttons, menus, checkboxes, inputs) within Slack's documented limits.

Texts are cut to fit. An id or value that is too long is a bug of ours and raises ValueError.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NewType, TypeAlias

from integrations.json_types import JsonValue
from integrations.slack.text import EMPTY, Mrkdwn, as_mrkdwn, clean, cut

Json: TypeAlias = dict[str, JsonValue]
Element = NewType("Element", Json)
"""A control, an input or a text inside a block."""
Style: TypeAlias = Literal["primary", "danger"]

# Slack's docs, Block Kit reference. They don't say which characters the limits count (code points, UTF-16 units).
BUTTON_TEXT = OPTION_TEXT = OPTION_DESCRIPTION = 75
BUTTON_VALUE = 2_000
BUTTON_URL = 3_000
OPTION_VALUE = PLACEHOLDER = 150
IDENTIFIER = 255
SELECT_OPTIONS = 100
CHECKBOXES = 10
OVERFLOW_OPTIONS = 5
INPUT_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a menu: the text that people read, and the value that we get back."""

    text: str
    value: str
    description: str | None = None


def with_margin(limit: int) -> int:
    """Return 95 % of Slack's limit, since the unit that Slack counts in is not documented."""
    return limit * 95 // 100


def plain(text: str, limit: int, *, lines: bool = False) -> Element:
    """A plain_text object of at most `limit` characters, shown literally, emoji codes included."""
    return Element(
        {"type": "plain_text", "text": clean(text, with_margin(limit), lines=lines) or EMPTY, "emoji": False}
    )


def marked(text: Mrkdwn, limit: int) -> Element:
    """A mrkdwn object of at most `limit` characters; Slack adds no links or mentions (`verbatim`)."""
    return Element(
        {"type": "mrkdwn", "text": cut(as_mrkdwn(text), with_margin(limit)) or EMPTY, "verbatim": True}
    )


def identifier(text: str, limit: int = IDENTIFIER) -> str:
    """Return an id or value of ours unchanged. Raises ValueError for a length that Slack refuses."""
    if not 0 < len(text) <= limit:
        raise ValueError(f"Slack takes 1 to {limit} characters here, not {len(text)}")
    return text


def button(
    text: str,
    *,
    action_id: str,
    value: str | None = None,
    style: Style | None = None,
    url: str | None = None,
) -> Element:
    """A button; Slack sends its `value` with a click. With `url` a click opens that address too."""
    return _control(
        "button",
        action_id,
        text=plain(text, BUTTON_TEXT),
        value=None if value is None else identifier(value, BUTTON_VALUE),
        style=style,
        url=None if url is None else identifier(url, BUTTON_URL),
    )


def select(
    placeholder: str, *, action_id: str, options: Sequence[Option], initial: str | None = None
) -> Element:
    """A menu of up to 100 options; `initial` is the value that is selected at first, if it is among them."""
    shown = options[:SELECT_OPTIONS]
    return _control(
        "static_select",
        action_id,
        placeholder=plain(placeholder, PLACEHOLDER),
        options=_options(shown),
        initial_option=next((_option(option) for option in shown if option.value == initial), None),
    )


def overflow(*, action_id: str, options: Sequence[Option]) -> Element:
    """The "…" menu of one to five options; raises ValueError for another number, since each has an effect."""
    if not 1 <= len(options) <= OVERFLOW_OPTIONS:
        raise ValueError(f"Slack takes 1 to {OVERFLOW_OPTIONS} lines in an overflow menu, not {len(options)}")
    return _control("overflow", action_id, options=_options(options))


def people_select(placeholder: str, *, action_id: str, initial: str | None = None) -> Element:
    """A menu of all people that Slack's client knows, guests, bots and deactivated users included.

    `initial` is the user id that is selected at first.
    """
    return _control(
        "users_select", action_id, placeholder=plain(placeholder, PLACEHOLDER), initial_user=initial
    )


def checkboxes(*, action_id: str, options: Sequence[Option], checked: Collection[str] = ()) -> Element:
    """Up to ten checkboxes; those with a value in `checked` are ticked at first."""
    shown = options[:CHECKBOXES]
    ticked = _options([option for option in shown if option.value in checked])
    return _control("checkboxes", action_id, options=_options(shown), initial_options=ticked or None)


def text_input(*, action_id: str, multiline: bool = False, max_length: int | None = None) -> Element:
    """A text field; `max_length` is the longest text that people can enter, at most 3,000 characters."""
    return _control(
        "plain_text_input",
        action_id,
        multiline=True if multiline else None,
        max_length=None if max_length is None else min(max(max_length, 1), INPUT_TEXT),
    )


def present(**parts: JsonValue) -> Json:
    """A JSON object of the parts that are not None."""
    return {name: part for name, part in parts.items() if part is not None}


def _control(kind: str, action_id: str, **parts: JsonValue) -> Element:
    return Element(present(type=kind, action_id=identifier(action_id), **parts))


def _options(options: Sequence[Option]) -> list[Json]:
    return [_option(option) for option in options]


def _option(option: Option) -> Json:
    return present(
        text=plain(option.text, OPTION_TEXT),
        value=identifier(option.value, OPTION_VALUE),
        description=plain(option.description, OPTION_DESCRIPTION) if option.description else None,
    )
