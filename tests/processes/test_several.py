"""Several processes on one PostgreSQL: one of them runs each job, and another one takes over after a crash."""

import asyncio
import time

import pytest

from tests.processes.scene import ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_a_web_process_stores_and_a_worker_process_runs(scene: Scene) -> None:
    await asyncio.gather(scene.start("worker"), scene.start("web"))
    await scene.leak()
    await scene.submit_close()
    await until(lambda: "Closed as revoked" in scene.card().shown_text, "closed", within=RECOVERED)
    await scene.idle()
    web = next(bot for bot in scene.bots if bot.role == "web")
    ready = await web.readiness()
    assert (ready["slack"]["state"], ready["github"]["state"]) == ("ok", "ok")


async def test_two_processes_post_one_card_and_close_once(scene: Scene) -> None:
    first, second = await asyncio.gather(scene.start(), scene.start())
    for number in range(6):
        scene.point_at(first if number % 2 else second)
        scene.github.leak(scene.repository, token=scene.live_token(), path=f"src/{number}.py")
        # The same delivery reaches both.
        await scene.github.settle()
        scene.point_at(second if number % 2 else first)
        assert await scene.github.send(scene.github.deliveries[-1]) == 202
    await until(lambda: len(scene.slack.cards(CHANNEL)) == 6, "six cards", within=RECOVERED)
    await scene.idle()
    assert len(scene.slack.cards(CHANNEL)) == 6


async def test_a_dead_workers_job_is_taken_over(scene: Scene) -> None:
    """Waits until the lease has expired: so long a crash delays a job on PostgreSQL."""
    first, second = await asyncio.gather(scene.start(), scene.start())
    alert = await scene.leak()
    gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="after")
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    busy = first if any(line.get("job") == "act" for line in first.log_lines()) else second
    await busy.kill()
    began = time.monotonic()
    scene.calm()
    scene.point_at(second if busy is first else first)
    await until(lambda: "Closed as revoked" in scene.card().shown_text, "the card says so", within=30)
    scene.note(f"the dead worker's job was done after {time.monotonic() - began:.1f} s")
    await scene.idle()
    assert alert.state == "resolved"
    assert len(scene.github.calls("PATCH", ANY_ALERT)) == 1
    assert "Closed as revoked" in scene.card().shown_text
