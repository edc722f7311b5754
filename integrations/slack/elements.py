"""Builds Block Kit elements (buttons, menus, checkboxes, inputs) within Slack's documented limits.

Texts are cut to fit. An id or value that is too long is a bug of ours and raises ValueError.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NewType, TypeAlias

from integrations.json_types import JsonValue
from integrations.slack.text import EMPTY, Mrkdwn, as_mrkdwn, clean, cut, web_url

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
    text: str, *, action_id: str, value: str | None = None, style: Style | None = None, url: str | None = None
) -> Element:
    """A button. With `url` it also opens that page; a `url` that is not a web address is left out."""
    element: Json = {
        "type": "button",
        "action_id": identifier(action_id),
        "text": plain(text, BUTTON_TEXT),
    }
    if value is not None:
        element["value"] = identifier(value, BUTTON_VALUE)
    if style is not None:
        element["style"] = style
    address = web_url(url, with_margin(BUTTON_URL)) if url is not None else None
    if address is not None:
        element["url"] = address
    return Element(element)


def select(
    placeholder: str, *, action_id: str, options: Sequence[Option], initial: str | None = None
) -> Element:
    """A menu of up to 100 options; `initial` is the value that is selected at first, if it is among them."""
    shown = options[:SELECT_OPTIONS]
    element: Json = {
        "type": "static_select",
        "action_id": identifier(action_id),
        "placeholder": plain(placeholder, PLACEHOLDER),
        "options": _options(shown),
    }
    chosen = _options([option for option in shown if option.value == initial])
    if chosen:
        element["initial_option"] = chosen[0]
    return Element(element)


def overflow(*, action_id: str, options: Sequence[Option]) -> Element:
    """The "…" menu of up to five options."""
    return Element(
        {
            "type": "overflow",
            "action_id": identifier(action_id),
            "options": _options(options[:OVERFLOW_OPTIONS]),
        }
    )


def checkboxes(*, action_id: str, options: Sequence[Option], checked: Collection[str] = ()) -> Element:
    """Up to ten checkboxes; those with a value in `checked` are ticked at first."""
    shown = options[:CHECKBOXES]
    element: Json = {
        "type": "checkboxes",
        "action_id": identifier(action_id),
        "options": _options(shown),
    }
    ticked = _options([option for option in shown if option.value in checked])
    if ticked:
        element["initial_options"] = ticked
    return Element(element)


def text_input(
    *,
    action_id: str,
    multiline: bool = False,
    max_length: int | None = None,
    initial: str | None = None,
) -> Element:
    """A text field; `max_length` is the longest text that people can enter, at most 3,000 characters."""
    element: Json = {"type": "plain_text_input", "action_id": identifier(action_id)}
    longest = with_margin(INPUT_TEXT)
    if multiline:
        element["multiline"] = True
    if max_length is not None:
        longest = min(longest, max_length)
        element["max_length"] = min(max(max_length, 1), INPUT_TEXT)
    if initial:
        element["initial_value"] = clean(initial, longest, lines=multiline)
    return Element(element)


def _options(options: Sequence[Option]) -> list[Json]:
    return [_option(option) for option in options]


def _option(option: Option) -> Json:
    built: Json = {"text": plain(option.text, OPTION_TEXT), "value": identifier(option.value, OPTION_VALUE)}
    if option.description:
        built["description"] = plain(option.description, OPTION_DESCRIPTION)
    return built
