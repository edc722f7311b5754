"""A worker stands still past its lease while another one does its jobs, and wakes up again."""

import time

import pytest

from bot.jobs.worker import LEASE
from tests.processes.bot import Bot
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, OWNER, RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

CONSENT = {"consequence": {"understood": ["yes"]}}
ROLE = r"GET /repos/.*/collaborators/octo-admin/permission"
REVOKE = r"/credentials/revoke"


async def test_a_worker_woken_after_its_lease_repeats_nothing(scene: Scene) -> None:
    """It is stopped in three jobs: after a close, before a report, and after the post of a card."""
    await scene.start("web")
    paused = await scene.start("worker")
    closed = await scene.leak(path="closed.env")
    await scene.leak(path="reported.env", validity="active")
    to_close, to_report = scene.slack.cards(CHANNEL)
    # 1. The alert is closed, but the answer does not come.
    await scene.slack.select(OWNER, CHANNEL, to_close.ts, "close_as", "revoked")
    close_form = await scene.filled(OWNER, "resolution")
    closing = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="after")
    await scene.submit(OWNER, close_form, {})
    await closing.reached(timeout=RECOVERED)
    # 2. The worker asks whether the person may report, and has not reported yet.
    await scene.slack.click(ADMIN, CHANNEL, to_report.ts, "report_leak")
    report_form = await scene.filled(ADMIN, "understood")
    asking = scene.github.faults.gate(ROLE, at="before")
    await scene.submit(ADMIN, report_form, CONSENT)
    await asking.reached(timeout=RECOVERED)
    # 3. The card is posted, but the answer does not come.
    posting = scene.slack.faults.gate("chat.postMessage", at="after")
    scene.github.leak(scene.repository, token=scene.live_token(), path="posted.env")
    await posting.reached(timeout=RECOVERED)
    paused.pause()
    began = time.monotonic()
    second = scene.new_bot("worker")
    await second.start()
    await until(lambda: "Closed as revoked" in _text(scene, to_close.ts), "closed", within=LEASE + RECOVERED)
    await until(lambda: "Reported" in _text(scene, to_report.ts), "reported", within=RECOVERED)
    await scene.idle()
    scene.note(f"the stopped worker's jobs were done after {time.monotonic() - began:.1f} s")
    for gate in (closing, asking, posting):
        gate.open()
    paused.resume()
    await until(lambda: _events(paused, "lease_lost"), "it notices that a job is no longer its own")
    # It goes on, now alone.
    assert await second.stop() == 0
    await scene.leak(path="later.env")
    assert len(scene.slack.cards(CHANNEL)) == 4
    assert closed.state == "resolved"
    assert len(scene.github.calls("PATCH", ANY_ALERT)) == 1
    assert len(scene.github.calls("POST", REVOKE)) == 1
    for user, login, action in ((OWNER, "octo-owner", "close_alert"), (ADMIN, "octo-admin", "report_leak")):
        assert await scene.audited(action) == [(user, login, "intended"), (user, login, "done")]
    for card, words in ((to_close, "Closed as revoked"), (to_report, "reported the leak")):
        replies = [reply.shown_text for reply in scene.slack.thread(CHANNEL, card.ts)]
        assert sum(words in reply for reply in replies) == 1, replies


def _text(scene: Scene, ts: str) -> str:
    card = scene.slack.message(CHANNEL, ts)
    assert card is not None
    return card.shown_text


def _events(bot: Bot, event: str) -> list[dict[str, object]]:
    return [line for line in bot.log_lines() if line["event"] == event]
