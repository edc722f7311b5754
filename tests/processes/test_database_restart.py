"""PostgreSQL is restarted under load: what is accepted is done once, the rest is refused, and the processes go on."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from integrations.sandbox.github.deliveries import WebhookDelivery
from tests.processes.postgresql import OwnServer, own_server
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene, alert_of, open_scene
from tests.processes.waiting import until

MOST_LEAKS = 22
"""More than 25 cards of a channel within a minute would become a summary."""
SEND_EVERY = 0.25
"""Seconds."""


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """Not the one that other tests use at the same time."""
    try:
        with own_server() as server:
            yield server
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL can't start here: {error}")


async def test_what_is_accepted_while_postgresql_restarts_is_done_once(
    server: OwnServer, tmp_path: Path, private_key: str
) -> None:
    async with open_scene(server.url, tmp_path, private_key) as scene:
        web = await scene.start("web")
        worker = await scene.start("worker")
        alert = await scene.leak(path="first.env")
        view = await scene.open_close_form()
        async with _leaking(scene) as statuses:
            await until(lambda: len(statuses()) > 2, "webhooks are accepted")
            # A crash in the middle of transactions. The person sees an error and submits again.
            await server.stop("immediate")
            await until(lambda: 503 in statuses(), "webhooks are refused")
            assert (await scene.slack.submit(ADMIN, view.id, {})).status == 503
            await server.start()
            await until(lambda: statuses()[-1] == 202, "webhooks are accepted again")
            await scene.submit(ADMIN, view, {})
            await server.stop("fast")
            before = len(statuses())
            await until(lambda: 503 in statuses()[before:], "webhooks are refused again")
            await server.start()
            await until(lambda: statuses()[-1] == 202, "webhooks are accepted for good")
        assert set(statuses()) == {202, 503}
        accepted = {_alert(each) for each in scene.github.deliveries if each.status_code == 202}
        await until(lambda: accepted <= _shown(scene), "cards of all that was accepted", within=RECOVERED)
        await scene.idle()
        await _redeliver_refused(scene)
        cards = sorted(alert_of(card) for card in scene.slack.cards(CHANNEL))
        assert cards == sorted(scene.github.alerts)
        assert alert.state == "resolved"
        assert len(scene.github.calls("PATCH", ANY_ALERT)) == 1
        assert await scene.audited("close_alert") == [
            (ADMIN, "octo-admin", "intended"),
            (ADMIN, "octo-admin", "done"),
        ]
        assert (web.starts, worker.starts, web.runs, worker.runs) == (1, 1, True, True)
        scene.check()


@asynccontextmanager
async def _leaking(scene: Scene) -> AsyncIterator[Callable[[], list[int]]]:
    """Leak secrets, then repeat their webhooks; yields what returns the answers to all webhooks so far."""
    ends = asyncio.Event()

    async def leak() -> None:
        for number in count():
            if number < MOST_LEAKS:
                scene.github.leak(scene.repository, token=scene.live_token(), path=f"src/{number}.py")
            else:
                await scene.github.send(scene.github.deliveries[number - MOST_LEAKS])
            with suppress(TimeoutError):
                await asyncio.wait_for(ends.wait(), SEND_EVERY)
                return

    leaking = asyncio.create_task(leak())
    yield lambda: [delivery.status_code for delivery in scene.github.deliveries]
    ends.set()
    await leaking
    await scene.github.settle()


async def _redeliver_refused(scene: Scene) -> None:
    """As a person does on GitHub's page, or Stanch after its next sync."""
    for delivery in [each for each in scene.github.deliveries if each.status_code == 503]:
        assert await scene.github.send(delivery) == 202
    await until(
        lambda: len(scene.slack.cards(CHANNEL)) == len(scene.github.alerts), "all cards", within=RECOVERED
    )
    await scene.idle()


def _shown(scene: Scene) -> set[tuple[int, int]]:
    """The alerts that have a card."""
    return {alert_of(card) for card in scene.slack.cards(CHANNEL)}


def _alert(delivery: WebhookDelivery) -> tuple[int, int]:
    """The repository id and the number of the alert that a delivery is about."""
    repository, alert = delivery.payload["repository"], delivery.payload["alert"]
    assert isinstance(repository, dict)
    assert isinstance(alert, dict)
    repository_id, number = repository["id"], alert["number"]
    assert isinstance(repository_id, int)
    assert isinstance(number, int)
    return repository_id, number
