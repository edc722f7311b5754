"""Any delivery is parsed or raises BadDelivery, and quickly."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.errors import BadDelivery
from integrations.github.webhook_body import condense, decode_body
from integrations.github.webhook_events import Ignored, parse_event
from integrations.github.webhook_signature import verify_signature
from integrations.json_types import JsonValue
from tests.integrations.github.examples import WEBHOOKS, event_of, load, webhook
from tests.integrations.github.test_webhook_body import json_values
from tests.integrations.github.test_webhook_events import EVENTS, alert_event, in_alert


@pytest.mark.parametrize("number", [None, 0, -1, True, "42", 1.5, 2**63, []])
def test_an_alert_without_a_usable_number_is_a_bad_delivery(number: JsonValue) -> None:
    with pytest.raises(BadDelivery):
        alert_event(in_alert(webhook("secret_scanning_alert.created"), number=number))


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "1"},
        {"id": True},
        {"full_name": "no-slash"},
        {"full_name": "../.."},
        {"full_name": "octo/.."},
        {"full_name": "octo/a/b"},
        {"full_name": "octo/a?x"},
        {"owner": {"login": "octo"}},
        {"owner": {"id": 1, "login": None}},
    ],
)
def test_a_repository_without_a_usable_identity_is_a_bad_delivery(change: dict[str, JsonValue]) -> None:
    payload = webhook("secret_scanning_alert.created")
    repository = payload["repository"]
    assert isinstance(repository, dict)
    with pytest.raises(BadDelivery):
        alert_event(payload | {"repository": repository | change})


@pytest.mark.parametrize("owner", [None, {"id": 5, "slug": "octo-ent", "name": "Octo"}])
def test_an_event_without_an_account_is_ignored(owner: JsonValue) -> None:
    """GitHub's description allows null; such a delivery is accepted and ignored."""
    payload = webhook("secret_scanning_alert.created")
    repository = payload["repository"]
    assert isinstance(repository, dict)
    repository["owner"] = owner
    assert parse_event("secret_scanning_alert", payload) == Ignored("no_account")


@pytest.mark.parametrize("missing", ["action", "alert", "repository"])
def test_an_alert_event_without_its_parts_is_a_bad_delivery(missing: str) -> None:
    payload = webhook("secret_scanning_alert.created")
    del payload[missing]
    with pytest.raises(BadDelivery):
        alert_event(payload)


@settings(deadline=None)
@given(st.sampled_from(EVENTS), json_values)
def test_any_json_is_parsed_or_a_bad_delivery(event: str, payload: JsonValue) -> None:
    with suppress(BadDelivery):
        parse_event(event, payload)  # type: ignore[arg-type]  # What comes over the wire keeps no promise.


@settings(deadline=None)
@given(st.data())
def test_any_change_of_an_example_is_parsed_or_a_bad_delivery(data: st.DataObject) -> None:
    """Puts any value into one or two fields of an example."""
    path = data.draw(st.sampled_from(WEBHOOKS))
    payload = load(path)
    for _ in range(data.draw(st.integers(1, 2))):
        place: JsonValue = payload
        while isinstance(place, dict) and place:
            name = data.draw(st.sampled_from(sorted(place)))
            if not isinstance(place[name], dict) or data.draw(st.booleans()):
                place[name] = data.draw(json_values)
                break
            place = place[name]
    with suppress(BadDelivery):
        parse_event(event_of(path), payload)


def test_a_delivery_is_parsed_within_a_millisecond() -> None:
    payload = webhook("secret_scanning_alert.created")
    body = json.dumps(payload).encode()
    assert best(lambda: parse_event("secret_scanning_alert", payload)) < 0.0002
    assert best(lambda: condense(decode_body(body, "application/json"), str)) < 0.001
    assert best(lambda: verify_signature("secret", body, "sha256=00")) < 0.0002


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of 200 runs, so that a busy machine does not change the result."""
    durations = []
    for _ in range(200):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)
