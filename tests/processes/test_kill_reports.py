"""`kill -9` around a report and its follow-up: GitHub gets it once, and whoever reported hears how it ended."""

from tests.processes.scene import ADMIN, RECOVERED, Scene
from tests.processes.waiting import until

REVOKE = r"/credentials/revoke"


async def test_killed_between_the_report_on_github_and_our_record_it_is_reported_once(scene: Scene) -> None:
    await scene.start()
    await scene.leak(validity="active")
    gate = scene.github.faults.gate(rf"POST {REVOKE}", at="after")
    await scene.submit_report()
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await until(lambda: any("Reported to GitHub." in words for words in scene.told(ADMIN)), "told")
    await scene.idle()
    assert len(scene.github.calls("POST", REVOKE)) == 1
    assert "Reported and confirmed inactive" in scene.card().shown_text
    assert await scene.audited("report_leak") == [
        (ADMIN, "octo-admin", "intended"),
        (ADMIN, "octo-admin", "done"),
    ]


async def test_killed_in_the_middle_of_a_follow_up_it_is_found_out_and_told(scene: Scene) -> None:
    await scene.start()
    await scene.leak(validity="active")
    await scene.submit_report()
    await until(lambda: any("Reported to GitHub." in words for words in scene.told(ADMIN)), "told")
    await scene.idle()
    gate = scene.github.faults.gate(r"GET /rate_limit", at="after")
    await scene.bring_forward("follow_up")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await _confirmed(scene)


async def test_killed_after_a_follow_ups_record_and_before_its_answer_the_person_is_told(
    scene: Scene,
) -> None:
    await scene.start()
    await scene.leak(validity="active")
    await scene.submit_report()
    await until(lambda: any("Reported to GitHub." in words for words in scene.told(ADMIN)), "told")
    await scene.idle()
    gate = scene.slack.faults.gate("conversations.open", at="before", times=None)
    await scene.bring_forward("follow_up")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await _confirmed(scene)


async def _confirmed(scene: Scene) -> None:
    words = "The secret you reported no longer works."
    await until(lambda: any(words in said for said in scene.told(ADMIN)), "told", within=RECOVERED)
    await scene.idle()
    assert "Reported and confirmed inactive" in scene.card().shown_text
    assert len(scene.github.calls("POST", REVOKE)) == 1
