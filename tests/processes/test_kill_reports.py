"""`kill -9` during a report and its follow-up: GitHub gets one report, and the person is told the result."""

import pytest

from tests.processes.scene import ADMIN, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.either_database

REVOKE = r"/credentials/revoke"


async def test_after_a_kill_between_report_and_record_it_is_reported_once(scene: Scene) -> None:
    await scene.start()
    await scene.leak(validity="active")
    gate = scene.github.faults.gate(rf"POST {REVOKE}", at="after")
    await scene.submit_report()
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await until(lambda: "Reported" in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    assert len(scene.github.calls("POST", REVOKE)) == 1
    assert "reported and confirmed inactive" in scene.card().shown_text
    assert await scene.audited("report_leak") == [
        (ADMIN, "octo-admin", "intended"),
        (ADMIN, "octo-admin", "done"),
    ]


async def test_after_a_kill_in_a_follow_up_the_result_is_sent(scene: Scene) -> None:
    await scene.start()
    await scene.leak(validity="active")
    await scene.submit_report()
    await until(lambda: "Reported" in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    gate = scene.github.faults.gate(r"GET /rate_limit", at="after")
    await scene.bring_forward("follow_up")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await _confirmed(scene)


async def test_after_a_kill_behind_the_record_of_a_follow_up_the_result_is_sent(
    scene: Scene,
) -> None:
    await scene.start()
    await scene.leak(validity="active")
    await scene.submit_report()
    await until(lambda: "Reported" in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    gate = scene.slack.faults.gate("chat.update", at="before", times=None)
    await scene.bring_forward("follow_up")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await _confirmed(scene)


async def _confirmed(scene: Scene) -> None:
    words = "reported and confirmed inactive"
    await until(lambda: words in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    [reply] = [one for one in scene.slack.thread(CHANNEL, scene.card().ts) if "reported" in one.shown_text]
    assert "no longer works" in reply.shown_text
    assert len(scene.github.calls("POST", REVOKE)) == 1
