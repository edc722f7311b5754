"""Builders of small messages and views for the tests of the stand-in Slack."""

from typing import Any

QUIET: dict[str, Any] = {
    "unfurl_links": False,
    "unfurl_media": False,
    "parse": "none",
    "link_names": False,
}
"""The arguments of a post without mentions and link previews."""


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def section(text: str = "Something leaked", **fields: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}, **fields}


def button(action_id: str, value: str = "90001/42", **fields: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), "value": value, **fields}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def menu(action_id: str, *values: str, type: str = "static_select", **fields: Any) -> dict[str, Any]:  # noqa: A002 - Slack's own word
    return {"type": type, "action_id": action_id, "options": [option(value) for value in values], **fields}


def actions(block_id: str, *elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def field(block_id: str, element: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element, **fields}


def modal(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    drawn = {"type": "modal", "callback_id": "close_alert", "title": plain("Close alert"), **fields}
    return {**drawn, "submit": plain("Close"), "blocks": list(blocks) or [section()]}


CARD = [
    section(),
    actions(
        "alert:90001/42:1",
        button("take", style="primary"),
        menu("close_as", "revoked", "wont_fix"),
        menu("more", "locations", "history", type="overflow"),
    ),
]
STEPS = [actions("alert:90001/42:steps", menu("next_steps", "rotated", "services", type="checkboxes"))]
FORM = modal(
    field("comment", {"type": "plain_text_input", "action_id": "comment", "max_length": 10}, optional=True),
    field("sure", menu("understood", "yes", type="checkboxes")),
)
