"""SIGTERM ends the process cleanly: what runs comes to its end or is given back, and nothing is lost."""

import asyncio

import pytest

from storage import jobs
from storage.records import JobState
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

STOPS_WITHIN = 15.0


async def test_a_job_under_way_comes_to_its_end(scene: Scene) -> None:
    await scene.start()
    alert = await scene.leak()
    gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="before")
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    stopping = asyncio.create_task(scene.bot.stop(within=STOPS_WITHIN))
    await until(lambda: any(line["event"] == "stopping" for line in scene.bot.said()), "it stops")
    assert not stopping.done()
    gate.open()
    assert await stopping == 0
    assert alert.state == "resolved"
    assert (ADMIN, "octo-admin", "done") in await scene.audited("close_alert")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_job_that_does_not_end_is_given_back_and_done_after_the_next_start(scene: Scene) -> None:
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


async def test_what_is_accepted_just_before_a_stop_is_done_after_the_next_start(scene: Scene) -> None:
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
