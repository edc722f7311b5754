"""Checks messages and views as Slack does: by Block Kit's schema and by rules that no schema states."""

import functools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator

from integrations.sandbox.slack.blocks import Json, elements, options, walk
from integrations.sandbox.slack.calls import ApiError

SCHEMA = Path(__file__).parent.parent / "data" / "blocks.schema.json"
LONGEST_TEXT = 4_000
LARGEST_VIEW = 250_000
# Slack documents `metadata_too_large` without a limit; this is far above what a key needs.
LARGEST_METADATA = 8_000
LONGEST_MARKDOWN = 12_000
LONGEST_TABLE = 10_000
# `<!channel>`, `<!here>` and `<!everyone>` notify people. `<!date^…>` and `<!subteam^…>` are allowed.
SPECIAL_MENTION = re.compile(r"<!(?!date\^|subteam\^)")


@functools.cache
def validator(surface: str) -> Draft7Validator:
    """The schema of a surface, compiled once per process: `Message`, `ModalView` or `HomeView`."""
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    return Draft7Validator({"$ref": f"#/definitions/{surface}", "definitions": definitions})


class Checker:
    """Block Kit's schema and the further rules.

    `on=False` accepts everything: for benchmarks of the app alone.
    """

    def __init__(self, *, on: bool = True) -> None:
        self.on = on

    def message(self, text: str, blocks: list[Json] | None) -> None:
        """Refuse a message as Slack does: `no_text`, `msg_too_long`, `invalid_blocks` with the details.

        Slack cuts or splits a text above 40,000 characters; the stand-in refuses one above 4,000.
        """
        if not self.on:
            return
        if not text.strip() and not blocks:
            raise ApiError("no_text")
        if len(text) > LONGEST_TEXT:
            raise ApiError("msg_too_long")
        if SPECIAL_MENTION.search(text):
            raise ApiError("invalid_blocks", "special mention [json-pointer:/text]")
        if blocks:
            found = list(self._schema_faults("Message", {"text": text or "-", "blocks": blocks}))
            # The further rules assume shapes that the schema has checked.
            found = found or list(rule_faults(blocks))
            if found:
                raise ApiError("invalid_blocks", *found)

    def view(self, view: Json, kind: str) -> None:
        """Refuse a `modal` or `home` view as Slack does: `view_too_large`, `invalid_arguments`."""
        if not self.on:
            return
        if len(json.dumps(view)) > LARGEST_VIEW:
            raise ApiError("view_too_large")
        surface = "ModalView" if kind == "modal" else "HomeView"
        found = list(self._schema_faults(surface, view, "/view"))
        if not found:
            found = [fault.replace("pointer:/", "pointer:/view/") for fault in rule_faults(view["blocks"])]
            found += view_faults(view)
        if found:
            raise ApiError("invalid_arguments", *found)

    def _schema_faults(self, surface: str, payload: Json, root: str = "") -> Iterator[str]:
        for error in validator(surface).iter_errors(payload):
            pointer = "".join(f"/{step}" for step in error.instance_path)
            yield f"{error.message[:160]} [json-pointer:{root}{pointer}]"


def metadata(value: Json) -> Json | None:
    """The metadata to store; None for the empty object, which deletes it.

    Slack's docs: an `event_type` and an `event_payload` whose values are plain values, objects of plain
    values, or lists of such objects.
    """
    if not value:
        return None
    payload = value.get("event_payload")
    event_type = value.get("event_type")
    if set(value) != {"event_type", "event_payload"} or not isinstance(event_type, str) or not event_type:
        raise ApiError("invalid_metadata_schema", "needs event_type and event_payload, and nothing else")
    if not isinstance(payload, dict) or not all(_is_metadata_value(item) for item in payload.values()):
        raise ApiError("invalid_metadata_schema", "a value of event_payload has a shape that Slack refuses")
    if len(json.dumps(value)) > LARGEST_METADATA:
        raise ApiError("metadata_too_large")
    return value


def _is_metadata_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, dict) and _is_metadata_value(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(item, str | int | float) for item in value.values())
    return isinstance(value, str | int | float)


def rule_faults(blocks: list[Json]) -> Iterator[str]:
    """Faults in blocks that fit the schema."""
    for rule in (
        _repeated_ids,
        _primaries,
        _options,
        _initial_options,
        _mentions,
        _inputs,
        _tables,
        _markdown,
    ):
        yield from rule(blocks)


def view_faults(view: Json) -> list[str]:
    """Faults of a modal or home view as a whole."""
    if view["type"] == "modal" and "submit" not in view and any(b["type"] == "input" for b in view["blocks"]):
        return ["a modal with an input block needs submit [json-pointer:/view]"]
    return []


def _repeated(values: Iterable[Any]) -> list[Any]:
    seen: list[Any] = []
    repeated: list[Any] = []
    for value in values:
        (repeated if value in seen else seen).append(value)
    return repeated


def _repeated_ids(blocks: list[Json]) -> Iterator[str]:
    for block_id in _repeated(block["block_id"] for block in blocks if "block_id" in block):
        yield f"block_id {block_id!r} is there twice [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        for action_id in _repeated(e["action_id"] for e in elements(block) if "action_id" in e):
            yield f"action_id {action_id!r} is there twice [json-pointer:/blocks/{index}]"


def _primaries(blocks: list[Json]) -> Iterator[str]:
    for index, block in enumerate(blocks):
        if sum(element.get("style") == "primary" for element in elements(block)) > 1:
            yield f"more than one primary button [json-pointer:/blocks/{index}]"


def _options(blocks: list[Json]) -> Iterator[str]:
    for pointer, node in walk(blocks, "/blocks"):
        if any(key in node for key in ("options", "option_groups")):
            for value in _repeated(option["value"] for option in options(node)):
                yield f"option value {value!r} is there twice [json-pointer:{pointer}]"
            if node.get("type") != "overflow" and any("url" in option for option in options(node)):
                yield f"url in an option outside an overflow menu [json-pointer:{pointer}]"


def _initial_options(blocks: list[Json]) -> Iterator[str]:
    for pointer, node in walk(blocks, "/blocks"):
        chosen = node.get("initial_options", [])
        if "initial_option" in node:
            chosen = [node["initial_option"]]
        if "options" not in node and "option_groups" not in node:
            continue
        if any(option not in options(node) for option in chosen):
            yield f"an initial option is not one of the options [json-pointer:{pointer}]"
        if _repeated(chosen):
            yield f"an initial option is there twice [json-pointer:{pointer}]"


def _mentions(blocks: list[Json]) -> Iterator[str]:
    for pointer, node in walk(blocks, "/blocks"):
        if node.get("type") == "mrkdwn" and SPECIAL_MENTION.search(node["text"]):
            yield f"special mention in mrkdwn [json-pointer:{pointer}/text]"


def _inputs(blocks: list[Json]) -> Iterator[str]:
    if sum(bool(node.get("focus_on_load")) for _, node in walk(blocks)) > 1:
        yield "more than one element with focus_on_load [json-pointer:/blocks]"
    for pointer, node in walk(blocks, "/blocks"):
        if node.get("type") == "plain_text_input":
            shortest, longest = node.get("min_length", 0), node.get("max_length", 3000)
            if shortest > longest:
                yield f"min_length above max_length [json-pointer:{pointer}]"
            if len(node.get("initial_value", "")) > longest:
                yield f"initial_value longer than max_length [json-pointer:{pointer}]"


def _tables(blocks: list[Json]) -> Iterator[str]:
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) > 1:
        yield "only_one_table_allowed [json-pointer:/blocks]"
    for table in tables:
        if sum(len(node["text"]) for _, node in walk(table) if "text" in node) > LONGEST_TABLE:
            yield f"a table of more than {LONGEST_TABLE} characters [json-pointer:/blocks]"
    if sum(block["type"] == "data_visualization" for block in blocks) > 2:
        yield "more than two data visualizations [json-pointer:/blocks]"


def _markdown(blocks: list[Json]) -> Iterator[str]:
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > LONGEST_MARKDOWN:
        yield f"markdown blocks of more than {LONGEST_MARKDOWN} characters in all [json-pointer:/blocks]"
