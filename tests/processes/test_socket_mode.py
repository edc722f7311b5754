"""Socket Mode in two processes: each has its own connection, and Slack sends each request over one of them."""

import asyncio

import pytest

from integrations.sandbox.slack import SlackMessage
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_two_processes_share_the_requests_and_one_goes_on_alone(scene: Scene) -> None:
    scene.slack.use_socket_mode()
    starts = (scene.start(SLACK_APP_TOKEN=scene.slack.app_token) for _ in range(2))
    first, second = await asyncio.gather(*starts)
    await scene.slack.socket.connected(opened=2)
    for number in range(4):
        await scene.leak(path=f"src/{number}.env")
    cards = scene.slack.cards(CHANNEL)
    # The click goes to one process and the submit to the other; a third request is the submit again.
    await _close(scene, cards[0])
    await _close(scene, cards[1], times=2)
    await first.kill()
    await until(lambda: len(scene.slack.socket.links) == 1, "one connection is left")
    scene.point_at(second)
    await _close(scene, cards[2])
    await _close(scene, cards[3])
    await until(lambda: _closed(scene) == 4, "all cards say that they are closed", within=RECOVERED)
    await scene.idle()
    assert len(scene.github.calls("PATCH", ANY_ALERT)) == 4
    assert await scene.audited("close_alert") == 4 * [
        (ADMIN, "octo-admin", "intended"),
        (ADMIN, "octo-admin", "done"),
    ]


async def _close(scene: Scene, card: SlackMessage, times: int = 1) -> None:
    """Close an alert by its card; Slack delivers the submit so many times."""
    before = _closed(scene)
    await scene.slack.select(ADMIN, CHANNEL, card.ts, "close_as", "revoked")
    submitted = await scene.submit(ADMIN, await scene.filled(ADMIN, "resolution"), {})
    for _ in range(times - 1):
        assert (await scene.slack.send("interactive", submitted.payload)).status == 200
    await until(lambda: _closed(scene) == before + 1, "the card says so", within=RECOVERED)


def _closed(scene: Scene) -> int:
    return sum("Closed as revoked" in card.shown_text for card in scene.slack.cards(CHANNEL))
