"""Measures how long a click waits for its acknowledgement when fifty people click at once."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence

from integrations.sandbox.slack.transport import DeliveryResult, SlackDelivery, encode
from tests.bench import baseline
from tests.bench.clients import Clients, http_request
from tests.bench.figures import Row, Series, percentile
from tests.bench.scene import Scene
from tests.bench.servers import Server
from tests.bench.servers import baseline as baseline_server
from tests.bench.servers import product as product_server

SERIES = 5
ROUNDS = 4
"""In each series; twenty in all."""
PAUSE = 0.5
"""Seconds between two rounds."""
TARGET = 150.0
KINDS = {"check_validity": "clicks with an effect", "report_leak": "clicks that open a form"}


class _Catcher:
    """Replaces the transport of Slack's sandbox, and keeps the requests instead of sending them."""

    def __init__(self) -> None:
        self.caught: list[tuple[bytes, str]] = []

    async def send(self, delivery: SlackDelivery) -> DeliveryResult:
        self.caught.append(encode(delivery))
        return DeliveryResult(status=200, payload=delivery.payload)


async def measure_clicks(scene: Scene, clients: Clients) -> list[Row]:
    """One row for each kind of click, beside the baseline. The product runs its jobs as well (role `all`)."""
    rows = []
    for action, name in KINDS.items():
        environment = await scene.environment(action)
        async with product_server(environment, scene.directory, role="all") as ours:
            await scene.idle(action)
            card = await _card(scene, ours)
            product = await _series(scene, ours, scene.slack.signing_secret, clients, action, card)
        # Afterwards, since the jobs of a thousand clicks would slow the baseline down.
        async with baseline_server(scene.directory) as raw:
            base = await _series(scene, raw, baseline.SECRET, clients, action, card)
        what = f"{name}, 50 at once, p99"
        rows.append(Row(what=what, unit="ms", product=product, baseline=base, target=TARGET))
    return rows


async def _card(scene: Scene, server: Server) -> str:
    """The `ts` of a new alert's card, on which everybody clicks."""
    before = len(scene.slack.cards(scene.channels[0]))
    token = scene.github.add_live_token(owner=scene.accounts[scene.people[0]], scopes=("repo",))
    scene.github.webhook_url = f"http://127.0.0.1:{server.port}/github/webhooks"
    scene.github.leak(scene.repositories[0], token=token)
    async with asyncio.timeout(15):
        while len(scene.slack.cards(scene.channels[0])) == before:  # noqa: ASYNC110 - another process posts.
            await asyncio.sleep(0.05)
    return scene.slack.cards(scene.channels[0])[-1].ts


async def _series(
    scene: Scene, server: Server, secret: str, clients: Clients, action: str, ts: str
) -> Series:
    # The first round warms up.
    await _round(scene, server, secret, clients, action, ts)
    figures = []
    for _ in range(SERIES):
        latencies: list[float] = []
        for _ in range(ROUNDS):
            latencies += await _round(scene, server, secret, clients, action, ts)
            await asyncio.sleep(PAUSE)
        figures.append(1000 * percentile(latencies, 0.99))
    return Series(tuple(figures))


async def _round(
    scene: Scene, server: Server, secret: str, clients: Clients, action: str, ts: str
) -> Sequence[float]:
    catcher, http = _Catcher(), scene.slack.sender.transport
    scene.slack.sender.transport = catcher
    for user in scene.people:
        await scene.slack.click(user, scene.channels[0], ts, action, shown=None)
    scene.slack.sender.transport = http
    requests = [_request(secret, body, content_type) for body, content_type in catcher.caught]
    load = await clients.send(server.port, requests, clients=len(requests))
    assert set(load.statuses) == {"200"}, load.statuses
    return load.latencies


def _request(secret: str, body: bytes, content_type: str) -> bytes:
    at = str(int(time.time()))
    base = b"v0:" + at.encode() + b":" + body
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest(),
    }
    return http_request("/slack/events", headers, body)
