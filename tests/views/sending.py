"""Checks messages and modals: what Slack would refuse, and what Stanch must never send."""

import json
import re
import unicodedata
from typing import Any

from integrations.sandbox.slack.blocks import elements, walk
from integrations.sandbox.slack.calls import Arguments
from integrations.sandbox.slack.checks import Checker
from integrations.sandbox.slack.hygiene import lapses
from integrations.slack.blocks import Content, Metadata, View

CHECKER = Checker()
ARGUMENTS = frozenset({"text", "blocks", "metadata", "view"})
MARKUP = re.compile(
    r"<@[A-Z][A-Z0-9]+>"
    r"|<#[A-Z][A-Z0-9]+>"
    r"|<!subteam\^[A-Z][A-Z0-9]+>"
    r"|<!date\^[0-9]+\^[^|<>]+\|[^|<>]+>"
    r"|<https?://[^|<>\s]+\|[^|<>]+>"
)
"""The only markup in angle brackets that a view may write; the rest has to be escaped."""
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def sent(content: Content, metadata: Metadata | None = None) -> dict[str, Any]:
    """A message as it is sent to Slack, after all checks."""
    message: dict[str, Any] = {"text": str(content.text), "blocks": json.loads(json.dumps(content.blocks))}
    if metadata is not None:
        message["metadata"] = {"event_type": metadata.event_type, "event_payload": dict(metadata.payload)}
    CHECKER.message(message["text"], message["blocks"])
    assert list(lapses("chat.postEphemeral", Arguments(message), message["blocks"], ARGUMENTS)) == []
    assert_harmless(message)
    assert_fit_for_a_phone(message["blocks"])
    assert_spoken(message["text"])
    return message


def opened(view: View) -> dict[str, Any]:
    """A modal as it is sent to Slack, after all checks."""
    shown: dict[str, Any] = json.loads(json.dumps(view))
    CHECKER.view(shown, "modal")
    assert list(lapses("views.update", Arguments({"view": shown}), shown["blocks"], ARGUMENTS)) == []
    assert_harmless(shown)
    assert_fit_for_a_phone(shown["blocks"])
    return shown


def assert_harmless(payload: dict[str, Any] | list[Any]) -> None:
    """Outside text has no markup and no invisible characters: it can't mention, link or hide anything."""
    for _, node in walk(payload):
        for name, value in node.items():
            if not isinstance(value, str):
                continue
            unseen = [c for c in value if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
            assert unseen == [], (name, value[:100])
            marked = name == "text" and node.get("type") != "plain_text"
            if marked:
                rest = MARKUP.sub("", value)
                assert "<" not in rest, value[:200]
                assert ">" not in rest, value[:200]
                assert not ENTITY.search(rest), value[:200]


def assert_fit_for_a_phone(blocks: list[dict[str, Any]]) -> None:
    """No columns, short button texts, and few controls per row, so that it works on a phone."""
    for block in blocks:
        assert "fields" not in block
        inside = elements(block)
        buttons = [element for element in inside if element["type"] == "button"]
        assert len(inside) <= 6
        assert len(buttons) <= 3
        for button in buttons:
            # A login in the text is cut; our own words are short.
            assert len(button["text"]["text"]) <= 71


def assert_spoken(text: str) -> None:
    """The text for lock screens and screen readers has no markup except user mentions."""
    assert text.strip()
    assert "`" not in text
    assert not re.search(r"<(?!@)", text), text
