"""Measures the time from a webhook to its card, and the memory after a thousand alerts."""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import TypeAlias

from integrations.sandbox.slack import RecordedCall
from tests.bench.figures import Row, Series, percentile
from tests.bench.scene import Scene
from tests.bench.servers import baseline, product

RATE = 5
"""Alerts per second."""
CHANNELS = 10
PARTS = 5
SECONDS = 5
"""In each part."""
ALERTS = 1000
TARGET = 500.0
MEMORY_TARGET = 150.0
WITHIN = 120.0
Key: TypeAlias = tuple[int, int]
"""Repository id and alert number."""


async def measure_cards(scene: Scene) -> list[Row]:
    """Both rows come from one process in the role `all`."""
    environment = await scene.environment("cards")
    async with product(environment, scene.directory, role="all") as server:
        await scene.idle("cards")
        scene.slack.requests.clear()
        scene.github.webhook_url = f"http://127.0.0.1:{server.port}/github/webhooks"
        # A first card in each channel fills the caches.
        await _leak(scene, dict.fromkeys(range(CHANNELS), 1))
        waits = [await _part(scene) for _ in range(PARTS)]
        delays = Series(tuple(1000 * percentile(part, 0.95) for part in waits))
        done = CHANNELS + PARTS * SECONDS * RATE
        others = range(CHANNELS, len(scene.channels))
        share, rest = divmod(ALERTS - done, len(others))
        await _leak(scene, {number: share + (number - CHANNELS < rest) for number in others})
        memory = Series((server.memory(),))
    async with baseline(scene.directory) as raw:
        least = Series((raw.memory(),))
    what = f"webhook to card, {RATE} a second over {CHANNELS} channels, p95"
    return [
        Row(what=what, unit="ms", product=delays, target=TARGET),
        Row(
            what=f"memory after {ALERTS:,} alerts",
            unit="MB",
            product=memory,
            baseline=least,
            target=MEMORY_TARGET,
        ),
    ]


async def _part(scene: Scene) -> list[float]:
    """Seconds from each leak to the post of its card."""
    leaked: dict[Key, float] = {}
    began = time.monotonic()
    for turn in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, began + turn / RATE - time.monotonic()))
        alert = scene.github.leak(scene.repositories[turn % CHANNELS])
        leaked[alert.repository.id, alert.number] = time.time()
    await _wait_for(scene, leaked)
    posted = card_times(scene)
    return [posted[key] - at for key, at in leaked.items()]


async def _leak(scene: Scene, numbers: Mapping[int, int]) -> None:
    """Create so many alerts in each of these repositories, and wait for their cards."""
    leaked = []
    for number, count in numbers.items():
        for _ in range(count):
            alert = scene.github.leak(scene.repositories[number])
            leaked.append((alert.repository.id, alert.number))
        await asyncio.sleep(0)
    await _wait_for(scene, leaked)


async def _wait_for(scene: Scene, keys: Collection[Key]) -> None:
    def left() -> int:
        return len(set(keys) - set(card_times(scene)))

    async with asyncio.timeout(WITHIN):
        while left():  # noqa: ASYNC110 - what it waits for happens in another process.
            await asyncio.sleep(0.1)


def is_card(post: RecordedCall) -> bool:
    """Whether a post is the card of an alert."""
    return (post.arguments.get("metadata") or {}).get("event_type") == "stanch_alert"


def card_times(scene: Scene) -> dict[Key, float]:
    """When Slack got each alert's card."""
    posted = {}
    for call in scene.slack.calls("chat.postMessage"):
        if is_card(call):
            about = call.arguments["metadata"]["event_payload"]
            posted[about["repository_id"], about["alert_number"]] = call.at
    return posted
