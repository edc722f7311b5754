"""The builders make valid messages and views of any text."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema_rs import Draft7Validator

import integrations.sandbox
from integrations.slack.blocks import (
    Block,
    actions,
    context,
    input_block,
    message,
    modal,
    plain_section,
    section,
)
from integrations.slack.elements import (
    OVERFLOW_OPTIONS,
    Json,
    Option,
    button,
    checkboxes,
    overflow,
    people_select,
    select,
    text_input,
)
from integrations.slack.text import clean, code, lines, link, mrkdwn, prose
from tests.integrations.slack.hostile import texts

SCHEMA = json.loads(Path(integrations.sandbox.__path__[0], "data", "blocks.schema.json").read_text())
MESSAGE, MODAL = (
    Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": SCHEMA["definitions"]})
    for name in ("Message", "ModalView")
)
ALERT = "90001/42"


def faults(validator: Draft7Validator, payload: object) -> list[str]:
    return [
        f"{error.instance_path}: {error.message[:200]}"
        for error in validator.iter_errors(json.loads(json.dumps(payload)))
    ]


def texts_in(node: object) -> Iterator[Json]:
    if isinstance(node, dict):
        if node.get("type") in {"plain_text", "mrkdwn"}:
            yield node
        for child in node.values():
            yield from texts_in(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from texts_in(child)


def every_block(text: str, *, count: int = 1) -> list[Block | None]:
    options = [Option(text, f"v{number}", text) for number in range(count)]
    controls = [
        button(text, action_id="take", value=ALERT, style="primary"),
        select(text, action_id="close_as", options=options, initial="v0"),
        overflow(action_id="more", options=options[:OVERFLOW_OPTIONS]),
        checkboxes(action_id="next_steps", options=options, checked={"v0"}),
        None,
    ]
    return [
        section(lines(mrkdwn("*{}*", text), code(text), link(text, text)), accessory=controls[0]),
        plain_section(text),
        context(*[prose(text, 3_500)] * count),
        None,
        actions(*controls, block_id=f"alert:{ALERT}:1"),
    ]


def inputs(text: str) -> list[Block | None]:
    return [
        input_block(
            text,
            text_input(action_id="comment", multiline=True, max_length=240),
            block_id="comment",
            hint=text,
            optional=True,
        ),
        input_block(
            text, checkboxes(action_id="understood", options=[Option(text, "yes")]), block_id="consequence"
        ),
        input_block(
            text,
            people_select(text, action_id="receiver", initial="U0DANA"),
            block_id="receiver",
            dispatches=True,
        ),
    ]


@pytest.mark.parametrize("count", [0, OVERFLOW_OPTIONS + 1])
def test_an_overflow_menu_with_too_many_lines_is_an_error(count: int) -> None:
    """A line that were cut off would be a control that nobody can reach."""
    with pytest.raises(ValueError, match="1 to 5 lines"):
        overflow(action_id="more", options=[Option("Line", f"v{number}") for number in range(count)])


@given(texts)
def test_any_text_makes_a_valid_message(text: str) -> None:
    content = message(prose(text, 5_000), *every_block(text))
    payload = {"text": content.text, "blocks": list(content.blocks)}
    assert faults(MESSAGE, payload) == []
    for shown in texts_in(payload):
        flag = {"verbatim": True} if shown["type"] == "mrkdwn" else {"emoji": False}
        assert flag.items() <= shown.items()
        assert clean(str(shown["text"]), lines=True) == shown["text"]


@given(texts)
def test_any_text_makes_valid_forms(text: str) -> None:
    blocks = [*every_block(text), *inputs(text)]
    form = modal(
        callback_id="close_alert",
        title=text,
        submit=text,
        close=text,
        blocks=blocks,
        private_metadata=json.dumps({"alert": ALERT}),
    )
    assert faults(MODAL, form) == []


def test_the_longest_text_of_each_kind_still_fits() -> None:
    for text in ("x" * 10_000, "&" * 10_000, "🔑" * 10_000, "<!channel> " * 1_000):
        content = message(mrkdwn("{}", prose(text, 10_000)), *every_block(text, count=200))
        assert faults(MESSAGE, {"text": content.text, "blocks": list(content.blocks)}) == []
        form = modal(callback_id="x", title=text, submit=text, blocks=[*every_block(text), *inputs(text)])
        assert faults(MODAL, form) == []


def test_lists_over_slacks_limit_are_cut() -> None:
    many = [plain_section("a")] * 200
    assert len(message(mrkdwn("a"), *many).blocks) == 50
    assert faults(MODAL, modal(callback_id="x", title="t", blocks=many)) == []


def test_invisible_text_is_shown_as_empty() -> None:
    invisible = "\u200b\u202e \n"
    words = [str(shown["text"]) for shown in texts_in([*every_block(invisible), *inputs(invisible)])]
    assert all("(empty)" in text for text in words)
    assert faults(MESSAGE, {"text": "x", "blocks": [b for b in every_block(invisible) if b]}) == []


def test_blocks_that_are_none_and_rows_without_controls_are_left_out() -> None:
    content = message(mrkdwn("a"), None, actions(None, block_id="x"), plain_section("b"))
    assert content.blocks == (plain_section("b"),)


def test_a_row_of_controls_is_built_as_json() -> None:
    row = actions(
        button("I'm on it", action_id="take", value=ALERT, style="primary"),
        select("Close as…", action_id="close_as", options=[Option("Revoked", "revoked")]),
        block_id=f"alert:{ALERT}:3",
    )
    assert row == {
        "type": "actions",
        "block_id": "alert:90001/42:3",
        "elements": [
            {
                "type": "button",
                "action_id": "take",
                "text": {"type": "plain_text", "text": "I'm on it", "emoji": False},
                "value": "90001/42",
                "style": "primary",
            },
            {
                "type": "static_select",
                "action_id": "close_as",
                "placeholder": {"type": "plain_text", "text": "Close as…", "emoji": False},
                "options": [
                    {"text": {"type": "plain_text", "text": "Revoked", "emoji": False}, "value": "revoked"}
                ],
            },
        ],
    }


def test_an_initial_value_that_is_not_an_option_is_left_out() -> None:
    options = [Option("Revoked", "revoked")]
    assert "initial_option" not in select("p", action_id="a", options=options, initial="gone")
    assert "initial_options" not in checkboxes(action_id="a", options=options, checked={"gone"})


@pytest.mark.parametrize("wrong", ["", "x" * 256])
def test_an_id_of_a_wrong_length_raises_value_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="Slack takes 1 to 255 characters"):
        button("a", action_id=wrong)
    with pytest.raises(ValueError, match="Slack takes 1 to 255 characters"):
        section(mrkdwn("a"), block_id=wrong)


def test_a_form_with_an_input_needs_a_submit_button() -> None:
    with pytest.raises(ValueError, match="needs a submit button"):
        modal(callback_id="x", title="t", blocks=inputs("a"))


@pytest.mark.parametrize("build", [section, context])
def test_a_plain_string_in_place_of_markup_is_escaped(build: Callable[[Any], Block]) -> None:
    """mypy refuses it; at run time it is escaped."""
    [shown] = texts_in(build("<!channel> *x*"))
    assert shown["text"] == "&lt;!channel&gt; \N{ASTERISK OPERATOR}x\N{ASTERISK OPERATOR}"
