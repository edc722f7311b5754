"""Reads Block Kit: the controls in blocks, their initial state, their text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# A JSON object from Slack or from the app under test. This package checks its shape at run time.
Json = dict[str, Any]

# Slack's docs, "block_actions payload": the key of an element's state, and the field of the element that
# holds its initial value. Without one the state is None, or an empty list where the key is a plural.
STATE_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
STATELESS = frozenset({"button", "overflow", "workflow_button", "icon_button", "feedback_buttons"})


@dataclass(frozen=True, slots=True)
class Control:
    """One interactive element and its block."""

    block: Json
    element: Json

    @property
    def block_id(self) -> str:
        return str(self.block.get("block_id", ""))

    @property
    def action_id(self) -> str:
        return str(self.element.get("action_id", ""))

    @property
    def type(self) -> str:
        return str(self.element["type"])

    def option(self, value: str) -> Json | None:
        return next((o for o in options(self.element) if o.get("value") == value), None)


def options(element: Json) -> list[Json]:
    """The options of a menu or of checkboxes, those in `option_groups` included."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def elements(block: Json) -> list[Json]:
    """The elements directly in a block: its `elements`, input element and accessory."""
    found = [*block.get("elements", ()), block.get("element"), block.get("accessory")]
    return [element for element in found if isinstance(element, dict)]


def controls(blocks: Iterable[Json]) -> Iterator[Control]:
    """The interactive elements of these blocks, in drawing order."""
    for block in blocks:
        for element in elements(block):
            if element.get("type") in STATE_KEYS or element.get("type") in STATELESS:
                yield Control(block, element)


def initial_state(element: Json) -> Json | None:
    """The entry of an untouched element in `state.values`; None for buttons and overflow menus."""
    keys = STATE_KEYS.get(str(element.get("type")))
    if keys is None:
        return None
    key, initial = keys
    empty: list[Any] | None = [] if key.endswith("s") else None
    return {"type": element["type"], key: element.get(initial, empty)}


def with_ids(blocks: Iterable[Json], new_id: Callable[[], str]) -> tuple[Json, ...]:
    """Copies of the blocks, with generated block and action ids where the app gave none, as Slack does."""
    return tuple(_with_ids(block, new_id) for block in blocks)


def _with_ids(block: Json, new_id: Callable[[], str]) -> Json:
    def named(element: Json) -> Json:
        interactive = element.get("type") in STATE_KEYS or element.get("type") in STATELESS
        return {"action_id": new_id(), **element} if interactive else dict(element)

    copy: Json = {"block_id": new_id(), **block}
    if block["type"] == "markdown":
        # Slack's docs: a markdown block's own block_id is ignored.
        copy["block_id"] = new_id()
    for key in ("element", "accessory"):
        if key in copy:
            copy[key] = named(copy[key])
    if "elements" in copy:
        copy["elements"] = [named(element) for element in copy["elements"]]
    return copy


def walk(node: Json | Sequence[Any], pointer: str = "") -> Iterator[tuple[str, Json]]:
    """This object and every object inside it, each with its JSON pointer."""
    if isinstance(node, dict):
        yield pointer, node
    for step, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list | tuple):
            yield from walk(value, f"{pointer}/{step}")


def words(blocks: Iterable[Json]) -> str:
    """All text in the blocks, one piece per line."""
    return "\n".join(
        node["text"] for block in blocks for _, node in walk(block) if isinstance(node.get("text"), str)
    )
