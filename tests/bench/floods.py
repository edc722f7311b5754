"""Measures how soon the first message and an urgent card are posted while a thousand deliveries are worked."""

import asyncio
import time
from collections.abc import Iterable

from integrations.sandbox.github import GitHubAlert, GitHubRepository
from tests.bench.cards import card_times
from tests.bench.clients import Clients
from tests.bench.figures import Row, Series
from tests.bench.scene import Scene
from tests.bench.servers import product
from tests.bench.webhooks import delivery_request

ROUNDS = 3
DELIVERIES = 1000
CROWD = 16
TARGET = 3.0
WITHIN = 60.0


async def measure_floods(scene: Scene, clients: Clients) -> list[Row]:
    """Each round has a new database, a process in the role `all`, and a repository and channel of its own."""
    first, urgent = [], []
    for number in range(ROUNDS):
        environment = await scene.environment(f"flood-{number}")
        async with product(environment, scene.directory, role="all") as server:
            await scene.idle(f"flood-{number}")
            leaked, requests = _flood(scene, scene.repositories[number])
            scene.slack.requests.clear()
            began = time.time()
            load = await clients.send(server.port, requests, clients=CROWD)
            assert set(load.statuses) == {"202"}, load.statuses
            posted = await _wait_for(scene, leaked[-1])
            first.append(min(posted.values()) - began)
            urgent.append(posted[leaked[-1].repository.id, leaked[-1].number] - began - load.seconds)
        # The next process would find them in its first sync.
        for alert in leaked:
            scene.github.remove_alert(alert)
    what = f"{DELIVERIES:,} deliveries at once"
    return [
        Row(what=f"{what}: first message", unit="s", product=Series(tuple(first)), target=TARGET, digits=1),
        Row(
            what=f"{what}: from the last one, which is urgent, to its card",
            unit="s",
            product=Series(tuple(urgent)),
            target=TARGET,
            digits=1,
        ),
    ]


def _flood(scene: Scene, repository: GitHubRepository) -> tuple[list[GitHubAlert], list[bytes]]:
    """The alerts, of which the last one is urgent, and the requests of their deliveries."""
    return held_deliveries(scene, ((repository, number == DELIVERIES) for number in range(1, DELIVERIES + 1)))


def held_deliveries(
    scene: Scene, leaks: Iterable[tuple[GitHubRepository, bool]]
) -> tuple[list[GitHubAlert], list[bytes]]:
    """An alert for each repository, with whether it is urgent; and the requests of their deliveries, not sent yet."""
    github = scene.github
    github.deliver, github.webhook_url = "hold", "http://127.0.0.1:9/"
    leaked = [
        github.leak(repository, secret_type="stripe_api_key", publicly_leaked=is_urgent)
        for repository, is_urgent in leaks
    ]
    bodies = [held.payload for held in github.held]
    github.deliver, github.webhook_url = "now", None
    github.held.clear()
    return leaked, [delivery_request(github.webhook_secret, body) for body in bodies]


async def _wait_for(scene: Scene, leaked: GitHubAlert) -> dict[tuple[int, int], float]:
    async with asyncio.timeout(WITHIN):
        while (leaked.repository.id, leaked.number) not in (posted := card_times(scene)):  # noqa: ASYNC110 - another process posts.
            await asyncio.sleep(0.05)
    return posted
