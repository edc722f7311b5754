"""`kill -9` at any point, then a restart: nothing is lost, done twice or posted twice.

The kill points are requests to Slack and GitHub, held before or after their effect.
"""

from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until


async def test_after_a_kill_behind_the_202_there_is_one_card(scene: Scene) -> None:
    await scene.start()
    gate = scene.github.faults.gate(r".*", at="before", times=None)
    scene.github.leak(scene.repository, token=scene.live_token())
    await gate.reached(timeout=RECOVERED)
    await scene.github.settle()
    assert [each.status_code for each in scene.github.deliveries] == [202]
    await scene.kill()
    assert scene.slack.cards(CHANNEL) == []
    await scene.restart()
    await until(lambda: scene.slack.cards(CHANNEL), "the card is there", within=RECOVERED)
    await scene.idle()
    assert "Found" in scene.card().shown_text


async def test_after_a_kill_behind_the_acknowledgement_the_alert_is_closed_once(scene: Scene) -> None:
    await scene.start()
    alert = await scene.leak()
    view = await scene.open_close_form()
    gate = scene.github.faults.gate(r"GET /.*", at="before", times=None)
    await scene.submit(ADMIN, view, {})
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    assert alert.state == "open"
    await scene.restart()
    await _closed_once(scene)
    assert alert.resolution == "revoked"


async def test_after_a_kill_between_post_and_record_there_is_one_card(scene: Scene) -> None:
    await scene.start()
    gate = scene.slack.faults.gate("chat.postMessage", at="after")
    scene.github.leak(scene.repository, token=scene.live_token())
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    posted = scene.card()
    await scene.restart()
    await scene.idle()
    assert scene.card().ts == posted.ts
    # It is ours again: what happens now is drawn in place.
    await scene.submit_close()
    await _closed_once(scene)
    assert scene.card().ts == posted.ts


async def test_after_a_kill_between_close_and_record_the_alert_is_closed_once(scene: Scene) -> None:
    await scene.start()
    alert = await scene.leak()
    gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="after")
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    assert alert.state == "resolved"
    await scene.restart()
    await _closed_once(scene)


async def test_after_a_kill_between_record_and_answer_the_person_is_told(scene: Scene) -> None:
    await scene.start()
    await scene.leak()
    # The card is not updated, so the person is answered.
    scene.slack.faults.add("chat.update", status=503)
    gate = scene.slack.faults.gate("chat.postEphemeral|conversations.open", at="before", times=None)
    await scene.submit_close()
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await _closed_once(scene)


async def _closed_once(scene: Scene) -> None:
    """The alert is closed once, by the person who wanted it, on the card, in the thread and in the audit log."""
    await until(lambda: "Closed as revoked" in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    assert sum("Closed as revoked." in words for words in scene.answers_to(ADMIN)) <= 1
    assert len(scene.github.calls("PATCH", ANY_ALERT)) == 1
    assert f"<@{ADMIN}>" in scene.card().shown_text
    assert "reopen" in scene.card().action_ids
    [reply] = scene.slack.thread(CHANNEL, scene.card().ts)
    assert "Closed as revoked by `octo-admin`" in reply.shown_text
    assert await scene.audited("close_alert") == [
        (ADMIN, "octo-admin", "intended"),
        (ADMIN, "octo-admin", "done"),
    ]
