"""Measures webhooks accepted per second, and the 99th percentile of their answer times."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from tests.bench import baseline
from tests.bench.clients import Clients, Load, http_request
from tests.bench.figures import Row, Series, percentile
from tests.bench.scene import Scene
from tests.bench.servers import Server
from tests.bench.servers import baseline as baseline_server
from tests.bench.servers import product as product_server

ROUNDS = 5
CROWDS = (16, 64)
REQUESTS = 1500
"""In one round, which takes about a second."""
TARGET = 0.5


async def measure_webhooks(scene: Scene, clients: Clients) -> list[Row]:
    """The product without jobs (role `web`) and with them (role `all`), beside the baseline."""
    bodies = _bodies(scene, REQUESTS)
    rows = []
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(
            product_server(await scene.environment("webhooks"), scene.directory, role="web")
        )
        raw = await stack.enter_async_context(baseline_server(scene.directory))
        for crowd in CROWDS:
            ours, theirs = [], []
            # The first round warms both up.
            for _ in range(ROUNDS + 1):
                ours.append(await _round(scene.github.webhook_secret, web, bodies, clients, crowd))
                theirs.append(await _round(baseline.SECRET, raw, bodies, clients, crowd))
            rows += _rows(f"webhooks, {crowd} clients, role web", ours[1:], theirs[1:])
    loads = await _measure_at_work(scene, clients, bodies)
    rate = Series(tuple(load.rate for load in loads))
    what = f"webhooks, {CROWDS[0]} clients, role all, jobs at work"
    return [*rows, Row(what=what, unit="1/s", product=rate, baseline=rows[0].baseline)]


async def _measure_at_work(scene: Scene, clients: Clients, bodies: Sequence[bytes]) -> list[Load]:
    """Alerts that GitHub does not show: each job makes calls and posts no card."""
    environment = await scene.environment("webhooks-all")
    async with product_server(environment, scene.directory, role="all") as server:
        await scene.idle("webhooks-all")
        secret = scene.github.webhook_secret
        return [
            await _round(secret, server, bodies[: REQUESTS // 3], clients, CROWDS[0]) for _ in range(ROUNDS)
        ]


def _rows(what: str, ours: Sequence[Load], theirs: Sequence[Load]) -> list[Row]:
    def slowest(loads: Sequence[Load]) -> Series:
        return Series(tuple(1000 * percentile(load.latencies, 0.99) for load in loads))

    rates = [Series(tuple(load.rate for load in loads)) for loads in (ours, theirs)]
    return [
        Row(what=what, unit="1/s", product=rates[0], baseline=rates[1], target=TARGET, kind="share"),
        Row(what=f"{what}, p99", unit="ms", product=slowest(ours), baseline=slowest(theirs)),
    ]


async def _round(secret: str, server: Server, bodies: Sequence[bytes], clients: Clients, crowd: int) -> Load:
    load = await clients.send(server.port, [_request(secret, body) for body in bodies], clients=crowd)
    assert set(load.statuses) == {"202"}, load.statuses
    return load


def delivery_request(secret: str, payload: Mapping[str, object]) -> bytes:
    """A signed delivery about an alert."""
    return _request(secret, json.dumps(payload).encode())


def _request(secret: str, body: bytes) -> bytes:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "secret_scanning_alert",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return http_request("/github/webhooks", headers, body)


def _bodies(scene: Scene, count: int) -> list[bytes]:
    """Captured payloads, each with another alert number."""
    scene.github.deliver, scene.github.webhook_url = "hold", "http://127.0.0.1:9/"
    scene.github.remove_alert(scene.github.leak(scene.repositories[-1]))
    payload = scene.github.held.pop().payload
    scene.github.deliver, scene.github.webhook_url = "now", None
    scene.github.held.clear()
    alert = payload["alert"]
    assert isinstance(alert, dict)
    return [
        json.dumps({**payload, "alert": {**alert, "number": 1000 + number}}).encode()
        for number in range(count)
    ]
