"""A payload of Slack that lacks what Stanch needs is refused; what is optional in it may be missing."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.json_types import JsonObject
from integrations.slack.blocks import Content
from integrations.slack.payloads import BadPayload, Click, OtherPayload, decode_body, parse_payload

TICKED = {"type": "checkboxes", "block_id": "steps-2", "action_id": "steps", "selected_options": []}


FORM = "application/x-www-form-urlencoded"
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(ANY_TEXT.filter(lambda name: name != "payload"), ANY_TEXT, max_size=8))
def test_a_form_is_decoded_as_it_was_encoded(form: dict[str, str]) -> None:
    assert decode_body(urlencode(form).encode(), FORM) == form


@pytest.mark.parametrize(
    "body", [b"command", b"a=1&&b=2", b"a=1&b", b"\xff=1", b"a=1&" * 64 + b"b=1"], ids=repr
)
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    """Sixty-four fields are the most."""
    with pytest.raises(BadPayload, match="neither JSON nor a form"):
        decode_body(body, FORM)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "the payload has no type"),
        ({"type": "block_actions", "actions": ["take"]}, "the click has no action"),
        (
            {"type": "view_submission", "view": {"type": "modal", "state": {"values": {"comment": "yes"}}}},
            "the form's values are not objects",
        ),
    ],
)
def test_a_payload_without_what_is_needed_is_refused(payload: JsonObject, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        parse_payload(payload)


def test_slacks_check_of_the_certificate_is_no_command() -> None:
    assert parse_payload({"ssl_check": "1"}) == OtherPayload("ssl_check")


@pytest.mark.parametrize(
    ("blocks", "shown"),
    [
        ([], ()),
        (["no object"], ()),
        ([{"block_id": "steps-1", "elements": [{"action_id": "steps"}]}], ()),
        ([{"block_id": "steps-2", "elements": [{"action_id": "other"}]}], ()),
        (
            [
                {
                    "block_id": "steps-2",
                    "elements": [{"action_id": "steps", "initial_options": [{"value": "logs"}]}],
                }
            ],
            ("logs",),
        ),
    ],
)
def test_ticks_are_compared_with_those_of_the_same_checkboxes(
    blocks: list[object], shown: tuple[str, ...]
) -> None:
    payload = {
        "type": "block_actions",
        "actions": [TICKED],
        "message": {"blocks": blocks},
        "user": {"id": "U1"},
        "team": {"id": "T1"},
    }
    click = parse_payload(payload)
    assert isinstance(click, Click)
    assert click.shown == shown


@pytest.mark.parametrize("stored", [None, "text", {"text": "Hello"}, {"text": 1, "blocks": []}])
def test_what_is_no_stored_message_is_refused(stored: object) -> None:
    with pytest.raises(ValueError, match="not a message"):
        Content.from_json(stored)
