"""Builds Block Kit blocks, messages and views within Slack's documented limits.

An example; a block that is None is left out:

    message(
        mrkdwn("OPEN: {} in {}", alert.secret_type_name, repository.full_name),
        section(lines(mrkdwn("*Open*"), fact("Validity", alert.validity))),
        actions(button("I'm on it", action_id="take", value=str(alert.key)), block_id=f"alert:{alert.key}:1"),
    )
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

from integrations.slack.elements import Element, Json, identifier, marked, plain, present, with_margin
from integrations.slack.text import EMPTY, Mrkdwn, as_mrkdwn, cut

Block = NewType("Block", Json)
View = NewType("View", Json)
"""A modal."""

# Slack's docs, Block Kit reference and chat.postMessage.
MESSAGE_TEXT = 4_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
SECTION_TEXT = 3_000
CONTEXT_TEXT = 3_000
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
INPUT_LABEL = INPUT_HINT = 2_000
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message; `message` builds one within Slack's limits."""

    text: Mrkdwn
    """Shown in notifications and read by screen readers instead of the blocks."""
    blocks: tuple[Block, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the form in which jobs store a message."""
        return {"text": self.text, "blocks": list(self.blocks)}

    @classmethod
    def from_json(cls, stored: object) -> "Content":
        """Read what `to_json` wrote; raises ValueError for anything else."""
        match stored:
            case {"text": str(text), "blocks": [*blocks]}:
                return cls(Mrkdwn(text), tuple(blocks))
        raise ValueError("not a message")


@dataclass(frozen=True, slots=True)
class Metadata:
    """A message's metadata, for programs. Every app in the workspace can read it."""

    event_type: str
    payload: Mapping[str, str | int]


def message(text: Mrkdwn, *blocks: Block | None) -> Content:
    """A message of up to 50 blocks; without blocks, Slack shows `text`."""
    shown = tuple(block for block in blocks if block is not None)
    fitting = cut(as_mrkdwn(text), with_margin(MESSAGE_TEXT)) or Mrkdwn(EMPTY)
    return Content(fitting, shown[:MESSAGE_BLOCKS])


def section(text: Mrkdwn, *, accessory: Element | None = None, block_id: str | None = None) -> Block:
    """A paragraph of mrkdwn, optionally with one control beside it."""
    return _block("section", block_id=block_id, text=marked(text, SECTION_TEXT), accessory=accessory)


def plain_section(text: str) -> Block:
    """A paragraph shown literally, with its line breaks; for texts of other people."""
    return _block("section", text=plain(text, SECTION_TEXT, lines=True))


def context(*texts: Mrkdwn | None) -> Block:
    """Small grey text, in up to ten pieces side by side."""
    shown = [marked(text, CONTEXT_TEXT) for text in texts if text is not None][:CONTEXT_ELEMENTS]
    return _block("context", elements=shown or [marked(Mrkdwn(EMPTY), CONTEXT_TEXT)])


def actions(*elements: Element | None, block_id: str) -> Block | None:
    """A row of up to 25 controls; None without controls, since Slack refuses an empty row."""
    shown = [element for element in elements if element is not None][:ACTIONS_ELEMENTS]
    return _block("actions", block_id=block_id, elements=shown) if shown else None


def input_block(
    label: str,
    element: Element,
    *,
    block_id: str,
    hint: str | None = None,
    optional: bool = False,
    dispatches: bool = False,
) -> Block:
    """A labelled input of a form. Without `optional`, Slack requires a value.

    With `dispatches`, Slack sends each pick at once as a click, besides the submit.
    """
    return _block(
        "input",
        block_id=block_id,
        label=plain(label, INPUT_LABEL),
        element=element,
        hint=plain(hint, INPUT_HINT) if hint else None,
        optional=True if optional else None,
        dispatch_action=True if dispatches else None,
    )


def modal(
    *,
    callback_id: str,
    title: str,
    blocks: Sequence[Block | None],
    submit: str | None = None,
    close: str = "Cancel",
    private_metadata: str | None = None,
) -> View:
    """A modal of up to 100 blocks; titles and buttons are cut to 22 characters.

    Raises ValueError for inputs without `submit`, which Slack refuses, and for `private_metadata` of more than 3,000
    characters. Slack's client can read `private_metadata`, so it must not hold secrets.
    """
    shown = [block for block in blocks if block is not None][:VIEW_BLOCKS]
    if submit is None and any(block["type"] == "input" for block in shown):
        raise ValueError("a modal with an input needs a submit button")
    view = present(
        type="modal",
        callback_id=identifier(callback_id),
        title=plain(title, VIEW_TITLE),
        submit=None if submit is None else plain(submit, VIEW_TITLE),
        close=plain(close, VIEW_TITLE),
        private_metadata=identifier(private_metadata, PRIVATE_METADATA) if private_metadata else None,
        blocks=shown,
    )
    return View(view)


def _block(
    kind: str, *, block_id: str | None = None, **parts: Element | Sequence[Element] | bool | None
) -> Block:
    return Block(present(type=kind, block_id=None if block_id is None else identifier(block_id), **parts))
