"""How few messages one alert makes, and when a private answer is sent nevertheless."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from integrations.sandbox.slack import SlackMessage
from storage import subscriptions
from storage.clock import Clock
from storage.records import ChannelId, Subscription, ThreadLevel
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, open_stage, plain
from tests.flows.whole_path import (
    MOST,
    Sent,
    add_owner,
    checklist,
    count_sent,
    owner_message,
    work_to_the_end,
)

pytestmark = pytest.mark.either_database


@pytest.fixture
async def socket_stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Stanch, which gets Slack's requests by Socket Mode."""
    async with open_stage(database_url, clock, private_key, socket_mode=True) as stage:
        yield stage
        stage.check()


async def subscribe(stage: Stage, level: ThreadLevel) -> None:
    async with stage.context.db.begin() as tx:
        await subscriptions.add(tx, Subscription(ChannelId(CHANNEL), "", level))


def replies(stage: Stage) -> list[str]:
    return [plain(one.shown_text) for one in stage.slack.thread(CHANNEL, stage.card().ts)]


async def assert_few_messages(stage: Stage) -> None:
    alert = await work_to_the_end(stage)
    assert (alert.state, alert.resolution) == ("resolved", "revoked")
    assert count_sent(stage) == MOST
    _, told, reported, closed = replies(stage)
    assert "octo-admin told the owner, leaky-dev." in told
    assert "leaky-dev says it is rotated" in told
    assert "octo-admin reported the leak to GitHub." in reported
    assert "The reported secret no longer works." in reported
    assert "Closed as revoked by octo-admin via Stanch." in closed
    assert "closed as revoked" in plain(owner_message(stage).shown_text)
    everything = [*stage.slack.thread(CHANNEL, stage.card().ts), owner_message(stage)]
    assert all(f"<@{user}>" not in str(one.blocks) for one in everything for user in (ADMIN, "U0LEAKY"))


async def test_from_leak_to_close_by_signed_requests(stage: Stage) -> None:
    await assert_few_messages(stage)


async def test_from_leak_to_close_by_socket_mode(socket_stage: Stage) -> None:
    await assert_few_messages(socket_stage)


@pytest.mark.parametrize(
    ("level", "sent"),
    [
        # Besides the four, the check and the take.
        (ThreadLevel.ALL, Sent(channel=1, replies=6, direct=1, private=0)),
        (ThreadLevel.ACTIONS, MOST),
        # The checklist alone, for its controls.
        (ThreadLevel.NONE, Sent(channel=1, replies=1, direct=1, private=0)),
    ],
)
async def test_the_channel_chooses_how_much_is_in_the_thread(
    stage: Stage, level: ThreadLevel, sent: Sent
) -> None:
    await subscribe(stage, level)
    await work_to_the_end(stage)
    assert count_sent(stage) == sent


async def test_a_report_that_waits_is_one_reply_from_the_request_to_the_confirmation(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add("POST /credentials/revoke", times=1, status=429, headers={"retry-after": "600"})
    await stage.report(ADMIN)
    await stage.work(within=10)  # A channel gets one message a second.
    assert "it will be sent" in replies(stage)[-1]
    number = len(replies(stage))
    await stage.work(within=700)
    reported = replies(stage)[-1]
    assert len(replies(stage)) == number
    assert "will be sent" not in reported
    assert "octo-admin reported the leak to GitHub." in reported
    assert "no longer works" in reported


async def test_a_token_that_still_works_after_the_report_gets_a_reply_of_its_own(stage: Stage) -> None:
    stage.github.revoke_delay = None
    await stage.leak()
    await stage.report(ADMIN)
    number = len(replies(stage))
    await stage.work(within=2000)
    assert len(replies(stage)) == number + 1
    assert "it still works" in replies(stage)[-1]


async def test_stepping_back_makes_no_reply_and_no_private_answer(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    number = len(replies(stage))
    await stage.pick(ADMIN, "more", "step_back")
    assert "nobody" in stage.read()
    assert len(replies(stage)) == number
    assert stage.slack.private_messages(ADMIN) == []


# Where the card does not show the result, the person is answered.


async def test_a_click_on_a_card_that_slack_does_not_update_is_answered_after_two_seconds(
    stage: Stage,
) -> None:
    await stage.leak()
    slow = stage.slack.rate_limit("chat.update", retry_after=60, times=None)
    await stage.click(ADMIN, "check_validity")
    assert "It still works." in stage.answer_to(ADMIN)
    [updated, *_], [answered] = stage.slack.calls("chat.update"), stage.slack.calls("chat.postEphemeral")
    assert answered.at - updated.at > 1.5
    stage.slack.faults.remove(slow)
    await stage.work(within=70)
    assert len(stage.slack.private_messages(ADMIN)) == 1


async def test_an_update_drawn_before_the_result_does_not_count_as_showing_it(stage: Stage) -> None:
    await stage.leak()
    gate = stage.slack.faults.gate("chat.update", at="after")
    await stage.slack.click(OWNER, CHANNEL, stage.card().ts, "take")
    updating = asyncio.create_task(stage.work())
    await gate.reached(timeout=5)
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity")
    await stage.running.worker.run_due()
    assert await stage.audited("check_validity") == [("intended", None), ("done", "active: accepted")]
    # The update under way was accepted; the next one is not.
    stage.slack.rate_limit("chat.update", retry_after=60, times=None)
    gate.open()
    await updating
    await stage.work(within=3)
    assert "It still works." in stage.answer_to(ADMIN)


async def test_a_click_on_a_private_card_is_answered_at_once_where_it_was(stage: Stage) -> None:
    await stage.leak()
    await stage.type(ADMIN, "show octo/payments#1")
    private = stage.slack.private_messages(ADMIN)[-1]
    await stage.slack.click(ADMIN, CHANNEL, private.ts, "take")
    await stage.work()
    told: SlackMessage = stage.slack.private_messages(ADMIN)[-1]
    assert "You are on it." in told.shown_text
    assert (told.channel, told.ephemeral_to) == (CHANNEL, ADMIN)


async def test_a_repeated_check_is_answered_since_the_card_does_not_change(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    assert stage.slack.private_messages(ADMIN) == []
    await stage.click(ADMIN, "check_validity")
    assert "asked again after 30 seconds" in stage.answer_to(ADMIN)


async def test_a_refusal_is_answered_at_once(stage: Stage) -> None:
    await stage.leak()
    await stage.click(OWNER, "take")
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "take", value="1/1", force=True)
    await stage.work()
    assert len(stage.slack.private_messages(ADMIN)) == 1


async def test_a_form_that_was_closed_meanwhile_is_answered_privately(stage: Stage) -> None:
    """The form shows that the owner was told; without it, the person is told privately."""
    await add_owner(stage)
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "report_leak")
    view = stage.form(ADMIN)
    await stage.slack.click_in_view(ADMIN, view.id, "tell_owner")
    await stage.slack.close_view(ADMIN, view.id)
    await stage.work(within=3)
    assert "The owner has been told." in stage.answer_to(ADMIN)


async def test_ticks_change_the_checklist_and_nothing_else(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    before = count_sent(stage)
    await stage.slack.tick(ADMIN, CHANNEL, checklist(stage).ts, "next_steps", "logs")
    await stage.work(within=3)
    assert count_sent(stage) == before
    assert "Logs checked for use by others: octo-admin" in plain(checklist(stage).shown_text)
