"""A delivery's bytes: signature, encoding, and what is dropped before anything else sees it."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.errors import BadDelivery
from integrations.github.webhook_body import condense, decode_body
from integrations.github.webhook_events import parse_event
from integrations.github.webhook_signature import verify_signature
from integrations.json_types import JsonValue
from tests.integrations.github.examples import WEBHOOKS, event_of, load, webhook

SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
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


def test_github_docs_test_vector_is_accepted() -> None:
    assert verify_signature(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.upper(),
        SIGNATURE[:-1],
        SIGNATURE + "0",
        "sha1=" + "0" * 40,
        "sha256=é",
        "sha256=\ud800",
        "\udcff" * 71,
    ],
)
def test_any_other_header_is_refused_without_an_error(header: str | None) -> None:
    assert not verify_signature(SECRET, BODY, header)


def test_a_changed_body_or_secret_is_refused() -> None:
    assert not verify_signature(SECRET, BODY + b" ", SIGNATURE)
    assert not verify_signature(SECRET + "!", BODY, SIGNATURE)


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_header_text_makes_verification_raise(body: bytes, header: str) -> None:
    assert not verify_signature(SECRET, body, header)


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
def test_a_body_that_is_no_json_object_is_a_bad_delivery(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        decode_body(body, JSON)


@pytest.mark.parametrize(
    "body", [b"", b"a=1", b"payload=", b"payload=%7B", b"payload={}&payload={}", b"\xff", b"a&" * 99]
)
def test_a_form_without_one_json_payload_is_a_bad_delivery(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        decode_body(body, FORM)


def test_a_bad_body_is_not_carried_along_by_the_error() -> None:
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
def test_what_is_left_can_be_encoded_and_stored(payload: dict[str, JsonValue]) -> None:
    stored = json.dumps(condense({"location": payload, "alert": payload}, str), ensure_ascii=False)
    assert stored.encode()
    assert "\\u0000" not in stored


def test_a_field_that_is_kept_whole_stays_as_it_was() -> None:
    payload = webhook("secret_scanning_alert.created")
    assert condense({"location": payload}, str) == {"location": payload}


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.name)
def test_what_is_stored_says_what_the_delivery_said(path: Path) -> None:
    payload = load(path)
    assert parse_event(event_of(path), condense(payload, str)) == parse_event(event_of(path), payload)


def test_only_what_is_read_is_stored() -> None:
    payload = webhook("secret_scanning_alert.created")
    stored = condense(
        payload | {"new_field": 1, "sender": {"id": 1, "login": "ana", "url": "https://x"}}, str
    )
    assert stored["sender"] == {"id": 1, "login": "ana"}
    assert "new_field" not in stored


def test_every_text_is_masked_wherever_it_stands() -> None:
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


def test_absurd_nesting_is_a_bad_delivery() -> None:
    payload: JsonValue = []
    for _ in range(200):
        payload = [payload]
    with pytest.raises(BadDelivery):
        condense({"location": payload}, str)
