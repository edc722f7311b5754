"""GitHub's deliveries: which are stored, and what each other request is answered."""

import hashlib
import hmac
import io
import json
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from integrations.sandbox.github import WebhookDelivery
from storage import deliveries
from storage.clock import Clock
from tests.flows.stage import CHANNEL, Stage, open_stage
from tests.integrations.github.examples import WEBHOOKS, event_of, load

pytestmark = pytest.mark.either_database

LARGEST = 26_214_400
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def signed(stage: Stage, body: bytes) -> str:
    key = stage.github.webhook_secret.encode()
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


async def post(
    stage: Stage, body: bytes, headers: Mapping[str, str | None] | None = None, content_type: str = JSON
) -> int:
    """Post a body as GitHub does, with some headers replaced; None leaves a header out."""
    usual: dict[str, str | None] = {
        "Content-Type": content_type,
        "X-GitHub-Event": "secret_scanning_alert",
        "X-GitHub-Delivery": hashlib.sha1(body[:1000]).hexdigest(),
        "X-Hub-Signature-256": signed(stage, body),
    }
    sent = {name: value for name, value in {**usual, **(headers or {})}.items() if value is not None}
    url = stage.address("/github/webhooks")
    async with stage.context.session.post(url, data=io.BytesIO(body), headers=sent) as response:
        return response.status


async def held(stage: Stage) -> WebhookDelivery:
    """A delivery about a new alert that is not sent yet."""
    stage.github.deliver = "hold"
    stage.github.leak(stage.repository)
    return stage.github.held[-1]


async def test_a_signed_delivery_is_stored_before_it_is_answered(stage: Stage) -> None:
    delivery = await held(stage)
    assert await stage.github.send(delivery) == 202
    async with stage.context.db.read() as tx:
        stored = await deliveries.load(tx, delivery.guid)
    assert stored is not None
    assert stored.outcome is None
    assert stage.slack.channel_messages(CHANNEL) == []


BAD_SIGNATURES = [
    None,
    "",
    "sha256=",
    "sha256=" + "0" * 64,
    "sha1=" + "0" * 40,
    "sha256=" + "ä" * 64,
    "nonsense",
    "sha256=" + "0" * 5000,
]


async def test_a_bad_or_missing_signature_is_401(stage: Stage) -> None:
    body = stage.github.body(await held(stage))
    for bad in BAD_SIGNATURES:
        assert await post(stage, body, {"X-Hub-Signature-256": bad}) == 401, bad
    await stage.work(within=10)
    assert stage.slack.channel_messages(CHANNEL) == []


async def test_a_signature_of_another_body_or_by_sha1_is_401(stage: Stage) -> None:
    body = stage.github.body(await held(stage))
    assert await post(stage, body + b" ", {"X-Hub-Signature-256": signed(stage, body)}) == 401
    key = stage.github.webhook_secret.encode()
    old = "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest()
    assert await post(stage, body, {"X-Hub-Signature-256": None, "X-Hub-Signature": old}) == 401


NO_DELIVERIES = [
    b"",
    b"{",
    b"not json",
    b"[]",
    b'"text"',
    b"7",
    b"null",
    b"\xff\xfe\x00",
    b'{"action": NaN}',
    b"{}",
    b'{"action": "created"}',
    b'{"action": "created", "alert": {}, "repository": {}}',
    b'{"action": "created", "alert": {"number": "1"}, "repository": {"id": 1}}',
    b'{"action": "created", "alert": [], "repository": []}',
    b"[" * 100_000,
    b'{"alert":' * 5000 + b"1" + b"}" * 5000,
    b'{"action": "created", "alert": ' + b"[" * 900 + b"]" * 900 + b"}",
]


async def test_what_is_not_a_delivery_is_400(stage: Stage) -> None:
    for body in NO_DELIVERIES:
        assert await post(stage, body) == 400, body[:80]


async def test_a_delivery_without_a_usable_event_header_is_400(stage: Stage) -> None:
    body = stage.github.body(await held(stage))
    for event in (None, "", "x" * 101):
        assert await post(stage, body, {"X-GitHub-Event": event}) == 400


async def test_a_form_without_one_payload_is_400(stage: Stage) -> None:
    for form in (b"", b"other=1", b"payload=", b"payload=%7B", b"payload=%7B%7D&payload=%7B%7D"):
        assert await post(stage, form, content_type=FORM) == 400, form


async def test_githubs_form_encoding_is_accepted(stage: Stage) -> None:
    body = urlencode({"payload": stage.github.body(await held(stage)).decode()}).encode()
    assert await post(stage, body, content_type=f"{FORM}; charset=utf-8") == 202
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")


async def test_a_repeated_delivery_id_is_202_and_handled_once(stage: Stage) -> None:
    delivery = await held(stage)
    body, headers = stage.github.body(delivery), {"X-GitHub-Delivery": delivery.guid}
    assert [await post(stage, body, headers) for _ in range(3)] == [202, 202, 202]
    await stage.work(within=10)
    assert await post(stage, body, headers) == 202
    await stage.work(within=10)
    assert len(stage.slack.calls("chat.postMessage")) == 1


async def test_without_a_delivery_id_a_repeated_body_is_handled_once(stage: Stage) -> None:
    body = stage.github.body(await held(stage))
    for _ in range(2):
        assert await post(stage, body, {"X-GitHub-Delivery": None}) == 202
        await stage.work(within=10)
    assert len(stage.slack.calls("chat.postMessage")) == 1


async def test_unused_events_are_202(stage: Stage) -> None:
    for event in ("ping", "star", "an_event_of_next_year"):
        assert await post(stage, b'{"zen": "Design for failure."}', {"X-GitHub-Event": event}) == 202


async def test_the_largest_delivery_is_202_and_one_byte_more_is_413(stage: Stage) -> None:
    start = b'{"zen": "'
    body = start + b"x" * (LARGEST - len(start) - 2) + b'"}'
    assert len(body) == LARGEST
    assert await post(stage, body, {"X-GitHub-Event": "ping"}) == 202
    assert await post(stage, body + b" ", {"X-GitHub-Event": "ping"}) == 413


async def test_what_is_not_stored_is_503_and_github_delivers_it_again(stage: Stage) -> None:
    delivery = await held(stage)
    await stage.context.batch_writer.stop()
    assert await stage.github.send(delivery) == 503
    await stage.context.batch_writer.start()
    assert await stage.github.send(delivery) == 202
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")


async def test_without_a_secret_every_delivery_is_503(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_webhook_secret=None) as stage:
        body = stage.github.body(await held(stage))
        assert await post(stage, body) == 503
        assert await post(stage, b"", {"X-Hub-Signature-256": None}) == 503
        stage.check()


async def test_other_methods_are_405_and_other_paths_404(stage: Stage) -> None:
    session = stage.context.session
    async with session.get(stage.address("/github/webhooks")) as response:
        assert response.status == 405
    async with session.post(stage.address("/github/webhooks/more")) as response:
        assert response.status == 404


async def test_every_example_payload_is_accepted_and_handled(stage: Stage) -> None:
    """Captured and constructed payloads, among them those of foreign accounts and of unknown repositories."""
    assert len(WEBHOOKS) > 40
    for path in WEBHOOKS:
        body = json.dumps(load(path)).encode()
        headers = {"X-GitHub-Event": event_of(path), "X-GitHub-Delivery": path.name}
        assert await post(stage, body, headers) == 202, path.name
    await stage.work(within=600)
    async with stage.context.db.read() as tx:
        for path in WEBHOOKS:
            stored = await deliveries.load(tx, path.name)
            assert stored is not None
            assert stored.outcome, path.name
    assert stage.slack.channel_messages(CHANNEL) == []
