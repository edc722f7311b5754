"""Decoding a delivery's body, and cutting it to the fields that are read."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.errors import BadDelivery
from integrations.github.webhook_body import condense, decode_body
from integrations.github.webhook_events import parse_event
from integrations.json_types import JsonValue
from tests.integrations.github.examples import WEBHOOKS, event_of, load, webhook

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.just("secret"), inner, max_size=3)
    ),
    max_leaves=20,
)


def test_json_and_form_bodies_give_the_same_payload() -> None:
    payload = webhook("secret_scanning_alert.created")
    text = json.dumps(payload)
    assert decode_body(text.encode(), JSON) == payload
    assert decode_body(text.encode(), "application/json; charset=utf-8") == payload
    assert decode_body(urlencode({"payload": text}).encode(), FORM) == payload
    assert (
        decode_body(urlencode({"payload": text}).encode(), "Application/X-WWW-Form-Urlencoded; charset=utf-8")
        == payload
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"null", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b'"x"']
)
def test_a_body_that_is_not_a_json_object_is_a_bad_delivery(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        decode_body(body, JSON)


@pytest.mark.parametrize(
    "body", [b"", b"a=1", b"payload=", b"payload=%7B", b"payload={}&payload={}", b"\xff", b"a&" * 99]
)
def test_a_form_without_one_json_payload_is_a_bad_delivery(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        decode_body(body, FORM)


def test_the_error_does_not_hold_the_bad_body() -> None:
    with pytest.raises(BadDelivery) as caught:
        decode_body(b'{"secret": "do not repeat"', JSON)
    assert caught.value.__context__ is None


def test_the_secret_in_githubs_own_example_is_dropped() -> None:
    payload = webhook("secret_scanning_alert_location.created.spec")
    assert '"secret":' in json.dumps(payload)
    assert '"secret":' not in json.dumps(condense(payload, str))
    assert '"secret":' not in json.dumps(condense({"location": payload}, str))


def holds_secret(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return "secret" in value or any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4) | st.just("secret"), json_values, max_size=4))
def test_no_field_named_secret_survives_at_any_depth(payload: dict[str, JsonValue]) -> None:
    assert not holds_secret(condense({"location": payload, "alert": payload}, str))


@settings(deadline=None)
@given(st.dictionaries(st.text(alphabet="abc\x00\ud800", max_size=4), json_values, max_size=4))
def test_the_condensed_payload_can_be_encoded_and_stored(payload: dict[str, JsonValue]) -> None:
    stored = json.dumps(condense({"location": payload, "alert": payload}, str), ensure_ascii=False)
    assert stored.encode()
    assert "\\u0000" not in stored


def test_a_field_that_is_kept_whole_is_not_changed() -> None:
    payload = webhook("secret_scanning_alert.created")
    assert condense({"location": payload}, str) == {"location": payload}


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.name)
def test_the_condensed_payload_gives_the_same_event(path: Path) -> None:
    payload = load(path)
    assert parse_event(event_of(path), condense(payload, str)) == parse_event(event_of(path), payload)


def test_only_fields_that_are_read_are_kept() -> None:
    payload = webhook("secret_scanning_alert.created")
    stored = condense(
        payload | {"new_field": 1, "sender": {"id": 1, "login": "ana", "url": "https://x"}}, str
    )
    assert stored["sender"] == {"id": 1, "login": "ana"}
    assert "new_field" not in stored


def test_every_text_is_masked_at_any_depth() -> None:
    payload: dict[str, JsonValue] = {
        "action": "a",
        "alert": {"metadata": [{"value": "b", "deeper": ["c"]}], "resolution_comment": "d"},
        "sender": {"login": {"odd": "e"}},
    }
    assert condense(payload, str.upper) == {
        "action": "A",
        "alert": {"metadata": [{"value": "B", "deeper": ["C"]}], "resolution_comment": "D"},
        "sender": {"login": {"odd": "E"}},
    }


def test_very_deep_nesting_is_a_bad_delivery() -> None:
    payload: JsonValue = []
    for _ in range(200):
        payload = [payload]
    with pytest.raises(BadDelivery):
        condense({"location": payload}, str)
