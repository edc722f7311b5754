"""At SIGTERM running jobs finish or are released, and nothing is lost."""

import asyncio
import time

import pytest

from storage import jobs
from storage.records import JobState
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.either_database

STOPS_WITHIN = 15.0


async def test_a_running_job_finishes_before_the_stop(scene: Scene) -> None:
    await scene.start()
    alert = await scene.leak()
    gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="before")
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    stopping = asyncio.create_task(scene.bot.stop(within=STOPS_WITHIN))
    await until(lambda: any(line["event"] == "stopping" for line in scene.bot.log_lines()), "it stops")
    assert not stopping.done()
    gate.open()
    assert await stopping == 0
    assert alert.state == "resolved"
    assert (ADMIN, "octo-admin", "done") in await scene.audited("close_alert")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_long_job_is_released_and_runs_after_the_next_start(scene: Scene) -> None:
    await scene.start()
    alert = await scene.leak()
    gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="before")
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    assert await scene.bot.stop(within=STOPS_WITHIN) == 0
    async with scene.db.read() as tx:
        assert (await jobs.count(tx))[JobState.RUNNING] == 0
    assert alert.state == "open"
    await scene.restart()
    await until(lambda: "Closed as revoked" in scene.card().shown_text, "closed", within=RECOVERED)
    await scene.idle()
    assert await scene.audited("close_alert") == [
        (ADMIN, "octo-admin", "intended"),
        (ADMIN, "octo-admin", "done"),
    ]


async def test_a_request_just_before_the_stop_is_handled_after_the_next_start(scene: Scene) -> None:
    await scene.start()
    for number in range(5):
        scene.github.leak(scene.repository, token=scene.live_token(), path=f"src/{number}.py")
    await scene.github.settle()
    assert [each.status_code for each in scene.github.deliveries] == [202] * 5
    assert await scene.bot.stop(within=STOPS_WITHIN) == 0
    await scene.restart()
    await until(lambda: len(scene.slack.cards(CHANNEL)) == 5, "five cards", within=RECOVERED)
    await scene.idle()
    assert len(scene.slack.cards(CHANNEL)) == 5


async def stop(scene: Scene) -> float:
    """Send SIGTERM; returns the seconds until the process has exited with status 0."""
    began = time.monotonic()
    assert await scene.bot.stop(within=STOPS_WITHIN) == 0
    took = time.monotonic() - began
    scene.note(f"stopped {took:.1f} s after SIGTERM")
    return took


async def test_a_stop_takes_less_than_ten_seconds_while_slack_hangs(scene: Scene) -> None:
    """While a card is posted, a form opened and an answer sent."""
    await scene.start()
    await scene.leak()
    card = scene.card()
    scene.slack.faults.add(".*", hang=True)
    scene.github.leak(scene.repository, token=scene.live_token(), path="second.env")
    await scene.slack.select(ADMIN, CHANNEL, card.ts, "close_as", "revoked")
    await scene.slack.click(ADMIN, CHANNEL, card.ts, "take")
    await until(lambda: len(scene.slack.calls("views.open")) == 1, "the form is being opened")
    await until(lambda: len(scene.slack.calls("chat.postMessage")) == 2, "the card is being posted")
    assert await stop(scene) < 10
    await scene.restart()
    await until(lambda: len(scene.slack.cards(CHANNEL)) == 2, "the second card is there", within=RECOVERED)
    await scene.idle()
    assert len(scene.slack.cards(CHANNEL)) == 2
    first = scene.slack.message(CHANNEL, card.ts)
    assert first is not None
    assert f"<@{ADMIN}>" in first.shown_text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_stop_takes_less_than_ten_seconds_while_slack_hangs_in_socket_mode(scene: Scene) -> None:
    scene.slack.use_socket_mode()
    await scene.start(SLACK_APP_TOKEN=scene.slack.app_token)
    await scene.leak()
    scene.slack.faults.add(".*", hang=True)
    await scene.slack.select(ADMIN, CHANNEL, scene.card().ts, "close_as", "revoked")
    await until(lambda: len(scene.slack.calls("views.open")) == 1, "the form is being opened")
    assert await stop(scene) < 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_waiting_start_stops_at_once(scene: Scene) -> None:
    scene.slack.faults.add(".*", hang=True)
    bot = scene.new_bot()
    starting = asyncio.create_task(bot.start())
    await until(lambda: len(scene.slack.calls("auth.test")) == 1, "it asks Slack")
    assert await stop(scene) < 5
    with pytest.raises(RuntimeError, match="it ended instead"):
        await starting
