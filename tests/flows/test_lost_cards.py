"""Cards that Slack no longer has, and posts and updates of unknown outcome."""

import asyncio
from typing import Literal

import pytest
from structlog.testing import capture_logs

from bot.cli.subscriptions import add_subscription
from bot.flows.messages.publish import redraw
from bot.jobs.housekeeping import run_housekeeping_once
from integrations.sandbox.github import GitHubAlert
from storage import subscriptions
from storage.records import ChannelId, MessageTs, Subscription, ThreadLevel
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage

pytestmark = pytest.mark.either_database

GONE = ("message_not_found", "cant_update_message", "edit_window_closed")
WEB = "C0WEB"


def raise_again(stage: Stage, alert: GitHubAlert, how: str) -> None:
    if how == "public":
        stage.github.set_public_leak(alert)
    elif how == "active":
        stage.github.set_validity(alert, "active")
    else:
        stage.github.reopen(alert, by=stage.people[OWNER])


@pytest.mark.parametrize("how", ["public", "active", "reopened"])
@pytest.mark.parametrize("noticed", [False, True])
async def test_a_deleted_card_is_posted_anew_when_its_alert_is_raised_again(
    stage: Stage, how: str, noticed: bool
) -> None:
    """Whether or not an earlier update has found the deletion."""
    alert = await stage.leak()
    await stage.click(ADMIN, "take")
    old = stage.card().ts
    if how == "reopened":
        stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
        await stage.work(within=10)
    stage.slack.workspace.delete_message(CHANNEL, old)
    if noticed:
        stage.github.assign(alert, stage.leaker)
        await stage.work(within=10)
        assert stage.slack.cards(CHANNEL) == []
    raise_again(stage, alert, how)
    await stage.work(within=30)
    card = stage.card()
    assert card.ts != old
    assert "close_as" in card.action_ids
    assert [m.ts for m in stage.slack.channel_messages(CHANNEL) if m.ts > old] == [card.ts]
    thread = stage.slack.thread(CHANNEL, card.ts)
    assert sum("next_steps" in reply.action_ids for reply in thread) == 1
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix")
    await stage.work(within=10)
    assert "Closed as won't fix" in stage.read()


@pytest.mark.parametrize("code", GONE)
async def test_a_card_that_can_t_be_updated_is_replaced_when_its_alert_is_raised_again(
    stage: Stage, code: str
) -> None:
    alert = await stage.leak()
    stage.slack.fail("chat.update", code)
    stage.github.set_public_leak(alert)
    await stage.work(within=30)
    assert len(stage.slack.cards(CHANNEL)) == 2


async def test_a_channel_without_replies_gets_the_new_card_too(stage: Stage) -> None:
    async with stage.context.db.begin() as tx:
        await subscriptions.add(tx, Subscription(ChannelId(CHANNEL), "", ThreadLevel.NONE))
    alert = await stage.leak()
    stage.slack.workspace.delete_message(CHANNEL, stage.card().ts)
    stage.github.set_public_leak(alert)
    await stage.work(within=30)
    assert "publicly" in stage.read()


async def test_a_raised_alert_whose_card_exists_gets_no_second_card(stage: Stage) -> None:
    alert = await stage.leak()
    ts = stage.card().ts
    stage.github.set_public_leak(alert)
    await stage.work(within=30)
    stage.slack.workspace.delete_message(CHANNEL, ts)
    stage.github.assign(alert, stage.leaker)
    await stage.work(within=30)
    assert stage.slack.cards(CHANNEL) == []


async def test_a_post_of_unknown_outcome_is_not_repeated_while_the_history_lags(stage: Stage) -> None:
    stage.slack.world.history_lag = 8.0
    stage.slack.faults.add("chat.postMessage", drop="after", times=1)
    stage.github.leak(stage.repository)
    await stage.work(within=60)
    assert len(stage.slack.calls("chat.postMessage")) == 1
    assert len(stage.slack.cards(CHANNEL)) == 1


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_post_of_unknown_outcome_is_found_in_a_busy_channel(
    stage: Stage, drop: Literal["before", "after"]
) -> None:
    """Later messages are not read, however many there are."""
    rule = stage.slack.faults.add("chat.postMessage", drop=drop, times=1)
    down = stage.slack.faults.add("conversations.history", status=503)
    stage.github.leak(stage.repository)
    await stage.work(within=6)
    stage.slack.faults.remove(rule)
    stage.slack.faults.remove(down)
    stage.clock.advance(3600)
    for number in range(2_100):
        stage.slack.workspace.post_as_user(ADMIN, CHANNEL, f"chat {number}")
    before = len(stage.slack.calls("conversations.history"))
    await stage.work(within=60)
    assert len(stage.slack.calls("conversations.history")) - before <= 2
    assert len(stage.slack.cards(CHANNEL)) == 1


async def test_a_post_that_can_t_be_found_out_about_is_reported_to_the_operator(stage: Stage) -> None:
    """The channel has more messages of that time than are read: the post is given up, and a stand-in posted."""
    stage.slack.workspace.add_channel(WEB, name="web", members=[ADMIN])
    await add_subscription(stage.context.db, WEB, [""])
    stage.slack.faults.add("chat.postMessage", drop="before", times=1)
    stage.github.leak(stage.repository)
    await stage.work(within=6)
    for number in range(2_100):
        stage.slack.workspace.post_as_user(ADMIN, WEB, f"chat {number}")
    await stage.work(within=60)
    asked = len(stage.slack.calls("conversations.history"))
    assert stage.slack.cards(WEB) == []
    assert "octo/payments" in stage.read()
    async with stage.context.session.get(stage.address("/readyz")) as response:
        channels = (await response.json())["channels"]
    assert channels["state"] == "failing"
    assert channels["reason"].startswith("1 message of the last day may or may not have been posted")
    stage.clock.advance(600)
    await run_housekeeping_once(stage.context)
    await stage.work(within=600)
    assert len(stage.slack.calls("conversations.history")) == asked


async def test_a_redraw_requested_during_an_update_is_made(stage: Stage) -> None:
    alert = await stage.leak()
    ts = stage.card().ts
    held = stage.slack.faults.gate("chat.update", at="before", times=1)
    stage.github.set_public_leak(alert)
    await stage.github.settle()
    working = asyncio.create_task(stage.work(within=5))
    await held.reached()
    for _ in range(2):
        await redraw(stage.context, ChannelId(CHANNEL), MessageTs(ts))
    held.open()
    await working
    await stage.work(within=5)
    assert len([c for c in stage.slack.calls("chat.update") if c.arguments["ts"] == ts]) == 2


async def test_a_raise_during_an_update_still_replaces_a_card_deleted_after_it(stage: Stage) -> None:
    """An update under way does not end what came after it."""
    alert = await stage.leak()
    ts = stage.card().ts
    held = stage.slack.faults.gate("chat.update", at="after", times=1)
    stage.github.set_validity(alert, "inactive")
    await stage.github.settle()
    working = asyncio.create_task(stage.running.worker.run_due())
    await held.reached()
    stage.slack.workspace.delete_message(CHANNEL, ts)
    held.open()
    await working
    stage.github.set_public_leak(alert)
    await stage.work(within=30)
    assert stage.card().ts != ts


@pytest.mark.parametrize("lost", [False, True])
async def test_a_reply_whose_card_is_deleted_meanwhile_comes_with_the_next_card(
    stage: Stage, lost: bool
) -> None:
    """Slack refuses it, or its answer is lost, so that the reply is looked for in a thread that is gone."""
    stage.slack.workspace.add_channel(WEB, name="web", members=[ADMIN])
    for channel in (CHANNEL, WEB):
        await add_subscription(stage.context.db, channel, [""])
    alert = await stage.leak()
    old = {channel: stage.card(channel).ts for channel in (CHANNEL, WEB)}
    held = stage.slack.faults.gate("chat.postMessage", at="before", times=1)
    if lost:
        stage.slack.faults.add("chat.postMessage", drop="before", times=1)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.github.settle()
    working = asyncio.create_task(stage.work(within=5))
    await held.reached()
    for channel, ts in old.items():
        stage.slack.workspace.delete_message(channel, ts)
    with capture_logs() as lines:
        held.open()
        await working
        await stage.work(within=60)
    assert {line["channel"] for line in lines if line["event"] == "message_lost"} == {CHANNEL, WEB}
    stage.clock.advance(60)
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work(within=30)
    for channel in old:
        replies = [reply.shown_text for reply in stage.slack.thread(channel, stage.card(channel).ts)]
        assert sum("Closed as revoked" in reply for reply in replies) == 1
