"""What the two doors do with requests that they refuse, or that Stanch has no use for."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from storage import deliveries, jobs
from storage.records import JobState
from tests.flows.stage import CHANNEL, Stage
from tests.flows.test_slack_edge import a_click, deliver, form
from tests.flows.test_webhook_edge import held, post
from tests.integrations.github.examples import webhook

pytestmark = pytest.mark.either_database

MEBIBYTE = 1_048_576
ENTERPRISE = {"id": 5, "slug": "octo-ent", "name": "Octo"}


def about(installation: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"action": "created", "installation": installation, "sender": None, **more}


def without_owner(name: str) -> dict[str, Any]:
    """An example of GitHub's whose repository belongs to nobody."""
    payload: dict[str, Any] = webhook(name)
    payload["repository"]["owner"] = None
    return payload


NO_USE: list[tuple[str, dict[str, Any]]] = [
    ("installation", about({"id": 88, "target_type": "Enterprise", "account": ENTERPRISE}, repositories=[])),
    ("installation", about({"id": 88, "account": None})),
    ("installation_repositories", about({"id": 88, "account": None}, repositories_added=[])),
    ("installation_target", about({"id": 88}, account=ENTERPRISE, target_type="Enterprise")),
    ("secret_scanning_alert", without_owner("secret_scanning_alert.created")),
    ("secret_scanning_alert_location", without_owner("secret_scanning_alert_location.created")),
    ("repository", without_owner("repository.renamed")),
    ("team", {"action": "created", "team": {"id": 1}, "enterprise": ENTERPRISE}),
    ("member", {"action": "added", "member": {"id": 1, "login": "ana"}, "enterprise": ENTERPRISE}),
]


@pytest.mark.parametrize(("event", "payload"), NO_USE)
async def test_a_signed_delivery_without_use_is_202_and_stored_as_ignored(
    stage: Stage, event: str, payload: dict[str, Any]
) -> None:
    headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": "of-no-use"}
    assert await post(stage, json.dumps(payload).encode(), headers) == 202
    async with stage.context.db.read() as tx:
        stored = await deliveries.load(tx, "of-no-use")
        waiting = await jobs.list_jobs(tx, states=(JobState.READY,))
    assert stored is not None
    assert stored.outcome == "no_account"
    assert [job.kind for job in waiting if job.kind == "delivery"] == []


async def test_both_addresses_are_right_with_and_without_a_slash_at_the_end(stage: Stage) -> None:
    github, slack = stage.address("/github/webhooks/"), stage.address("/slack/events/")
    stage.github.webhook_url, stage.slack.events_url = github, slack
    await stage.leak()
    await stage.click("U0ADMIN", "take")
    assert {one.status_code for one in stage.github.deliveries} == {202}
    assert "U0ADMIN" in stage.card(CHANNEL).shown_text
    async with stage.context.session.get(github) as response:
        assert response.status == 405


async def test_refused_signatures_are_logged_once_a_minute(stage: Stage) -> None:
    body = stage.github.body(await held(stage))
    with capture_logs() as lines:
        for _ in range(3):
            assert await post(stage, body, {"X-Hub-Signature-256": "sha256=00"}) == 401
            assert (await deliver(stage, form(a_click()), signature="v0=00")).status == 401
        assert await post(stage, b"{}") == 400
        stage.clock.advance(61)
        assert await post(stage, body, {"X-Hub-Signature-256": None}) == 401
    said = [line for line in lines if line["event"] == "request_refused"]
    assert [(line["route"], line["reason"], line["not_logged"]) for line in said] == [
        ("/github/webhooks", "bad_signature", 0),
        ("/slack/events", "bad_signature", 0),
        ("/github/webhooks", "bad_delivery", 0),
        ("/github/webhooks", "bad_signature", 2),
    ]
    assert "GITHUB_WEBHOOK_SECRET" in said[0]["detail"]
    assert "SLACK_SIGNING_SECRET" in said[1]["detail"]


async def send(stage: Stage, path: str, length: int, body: bytes, *, within: float = 10.0) -> bytes:
    """Send the head of a request and only so much of its body; returns the status line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    head = f"POST {path} HTTP/1.1\r\nHost: stanch\r\nContent-Length: {length}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    try:
        async with asyncio.timeout(within):
            return await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("path", ["/github/webhooks", "/slack/events"])
async def test_a_body_that_does_not_come_to_its_end_is_given_up(stage: Stage, path: str) -> None:
    waiting = asyncio.create_task(send(stage, path, 1000, b"{"))
    done: set[asyncio.Task[bytes]] = set()
    for _ in range(100):
        # Each turn is two seconds for the product; the request has come long before ten have gone.
        stage.clock.advance(2.0)
        done, _ = await asyncio.wait({waiting}, timeout=0.02)
        if done:
            break
    assert done, "it is held"
    assert await waiting == b"HTTP/1.1 408 Request Timeout\r\n"


async def test_a_body_above_the_limit_of_its_route_is_refused_before_it_has_come(stage: Stage) -> None:
    line = b"HTTP/1.1 413 Request Entity Too Large\r\n"
    assert await send(stage, "/slack/events", MEBIBYTE + 1, b"x") == line
    assert await send(stage, "/github/webhooks", 26_214_401, b"x") == line


async def test_a_chunked_body_is_not_buffered_beyond_the_limit(stage: Stage) -> None:
    """Nobody says beforehand how long it is: after one mebibyte the answer comes, though the sender goes on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: stanch\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    answer = asyncio.create_task(reader.readline())
    while not answer.done() and sent < 8 * MEBIBYTE:
        writer.write(piece)
        await writer.drain()
        sent += 65536
        await asyncio.wait({answer}, timeout=0.01)
    assert await answer == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    assert sent < 2 * MEBIBYTE
    writer.close()
