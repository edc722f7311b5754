"""Block Kit's controls, kept within Slack's documented limits: buttons, menus, checkboxes, inputs.

What people read is cut to fit. Ids and values are ours and come back to us: one that does not fit is a
mistake in our code and raises ValueError.
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

# Slack's docs, Block Kit reference; the limits on text are in characters of an undocumented unit.
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
    """One choice of a menu: what people read, and what comes back when they pick it."""

    text: str
    value: str
    description: str | None = None


def with_margin(limit: int) -> int:
    """Slack's limit less 5 %, since its unit of counting is not documented."""
    return limit * 95 // 100


def plain(text: str, limit: int, *, lines: bool = False) -> Element:
    """A plain_text object of at most `limit` characters, shown literally and without emoji codes."""
    return Element(
        {"type": "plain_text", "text": clean(text, with_margin(limit), lines=lines) or EMPTY, "emoji": False}
    )


def marked(text: Mrkdwn, limit: int) -> Element:
    """A mrkdwn object of at most `limit` characters, in which Slack links and mentions nothing by itself."""
    return Element(
        {"type": "mrkdwn", "text": cut(as_mrkdwn(text), with_margin(limit)) or EMPTY, "verbatim": True}
    )


def identifier(text: str, limit: int = IDENTIFIER) -> str:
    """An id or value of ours as it is; raises ValueError where Slack would refuse it."""
    if not 0 < len(text) <= limit:
        raise ValueError(f"Slack takes 1 to {limit} characters here, not {len(text)}")
    return text


def button(
    text: str, *, action_id: str, value: str | None = None, style: Style | None = None, url: str | None = None
) -> Element:
    """A button; with `url` it opens that page as well, unless it is no web address."""
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
    """A menu of up to 100 options; `initial` is the value picked at first, if it is one of them."""
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
    """Up to ten boxes; those whose value is in `checked` are ticked at first."""
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
    """A field to type in; `max_length` is what Slack's client lets people type, at most 3,000."""
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
