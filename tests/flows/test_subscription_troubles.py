"""Subscriptions while Slack or GitHub refuses one call, and what a pause and an adoption bring."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from integrations.sandbox.slack import SlackMessage
from storage import subscriptions
from storage.clock import Clock
from storage.records import Person, SlackTeamId, SlackUserId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, open_stage
from tests.flows.subscribing import (
    TEAM_CHANNEL,
    add_channels,
    said,
    stored,
    subscribe,
    type_in,
)
from tests.flows.test_subscription_checks import DAY, author_notices, check, leave

pytestmark = pytest.mark.either_database

WORDS = "repo:octo/payments"
GROUP_MESSAGE = {"id": TEAM_CHANNEL, "is_mpim": True, "is_private": True, "is_member": True}


@pytest.fixture(autouse=True)
def channels(stage: Stage) -> None:
    add_channels(stage)


def paused_notices(stage: Stage, channel: str = CHANNEL) -> list[SlackMessage]:
    return [one for one in stage.slack.channel_messages(channel) if "is paused: " in one.shown_text]


@pytest.mark.parametrize("method", ["conversations.members", "usergroups.list"])
async def test_a_preview_waits_for_the_end_of_a_limit_of_slack_s(stage: Stage, method: str) -> None:
    stage.slack.scopes.add("usergroups:read")
    stage.slack.workspace.add_usergroup("S0SEC", handle="security")
    stage.slack.rate_limit(method, retry_after=30)
    assert await type_in(stage, ADMIN, f"subscribe {WORDS} mention=@security") == ""
    await stage.work(within=60)
    assert "Mentioned for urgent alerts: @security" in stage.answer_to(ADMIN)


async def test_a_channel_that_is_gone_while_it_is_looked_at_is_not_subscribed(stage: Stage) -> None:
    stage.slack.fail("conversations.members", "channel_not_found")
    assert "Stanch is not in this channel, so" in await type_in(stage, ADMIN, f"subscribe {WORDS}")


async def test_a_direct_message_between_several_people_is_not_subscribed(stage: Stage) -> None:
    """Slack shows it only to a bot with a scope that Stanch does not ask for."""
    stage.slack.faults.add("conversations.info", status=200, body={"ok": True, "channel": GROUP_MESSAGE})
    assert "A direct message can't be subscribed." in await type_in(stage, OWNER, f"subscribe {WORDS}")


async def test_a_repository_whose_roles_github_refuses_to_tell_reads_like_an_unknown_one(
    stage: Stage,
) -> None:
    stage.github.faults.add("GET /repos/octo/payments/collaborators/.*", status=403, body={"message": "No"})
    answer = await type_in(stage, ADMIN, f"subscribe {WORDS}")
    assert "There is no octo/payments, or it is not yours to see." in answer


async def test_a_name_that_a_repository_has_given_up_is_unknown_before_the_webhook_comes(
    stage: Stage,
) -> None:
    """GitHub redirects the old name; a subscription would take what comes under it later."""
    await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    assert "There is no octo/payments, or it is not" in await type_in(stage, ADMIN, f"subscribe {WORDS}")


async def test_other_options_alone_are_told_and_bring_no_second_summary(stage: Stage) -> None:
    await stage.leak()
    await subscribe(stage, ADMIN, WORDS)
    before = len(stage.slack.channel_messages(TEAM_CHANNEL))
    await subscribe(stage, ADMIN, f"{WORDS} thread=none mention=S0SEC")
    found = await stored(stage)
    assert found is not None
    assert (found.thread, found.mention) == ("none", "S0SEC")
    [told] = stage.slack.channel_messages(TEAM_CHANNEL)[before:]
    assert told.shown_text == (
        ":bell: `octo-admin` changed this channel's subscription: `thread=none mention=S0SEC`."
    )


async def test_who_adopts_a_paused_one_gets_a_summary_of_the_pause_once(stage: Stage) -> None:
    await subscribe(stage, ADMIN, WORDS)
    await leave(stage, "deactivated")
    await check(stage)
    await check(stage, 7 * DAY)
    await stage.leak()
    [notice] = paused_notices(stage)
    adopted_at = stage.clock.now()
    for _ in range(2):
        await stage.slack.click(OWNER, CHANNEL, notice.ts, "adopt_subscription", shown=notice)
    await stage.work(within=15)
    assert "You answer for this subscription now." in stage.answer_to(OWNER)
    found = await stored(stage)
    assert found is not None
    assert (found.lost_at, found.paused_at) == (None, None)
    assert found.created_at >= adopted_at
    told = [one for one in said(stage) if "answers for this channel's subscription now" in one]
    summaries = [one for one in stage.slack.channel_messages(TEAM_CHANNEL) if "show_list" in one.action_ids]
    assert (len(told), len(summaries)) == (1, 1)
    assert [outcome for outcome, _ in await stage.audited("adopt_subscription")] == ["done"]


async def test_the_default_channel_reads_once_that_its_own_subscription_is_paused(stage: Stage) -> None:
    await subscribe(stage, OWNER, WORDS, CHANNEL)
    stage.slack.workspace.change_user(OWNER, deleted=True)
    await check(stage)
    await check(stage, 7 * DAY)
    assert len(paused_notices(stage)) == 1


async def test_without_a_default_channel_a_lost_author_is_logged_and_audited(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, stanch_default_channel=None) as stage:
        add_channels(stage)
        await subscribe(stage, ADMIN, WORDS)
        await leave(stage, "no_view")
        with capture_logs() as lines:
            await check(stage)
        assert "subscription_author_lost" in [line["event"] for line in lines]
        assert await stage.audited("subscription_author") == [("refused", f"{TEAM_CHANNEL}: no_view")]
        assert author_notices(stage) == []
        stage.check()


async def test_an_author_about_whom_github_refuses_to_be_asked_keeps_the_subscription(stage: Stage) -> None:
    await subscribe(stage, ADMIN, WORDS)
    stage.github.faults.add("GET /repos/octo/payments/collaborators/.*", status=403, body={"message": "No"})
    with capture_logs() as lines:
        await check(stage)
    assert "github_not_asked" in [line["event"] for line in lines]
    found = await stored(stage)
    assert found is not None
    assert found.lost_at is None


async def test_an_author_without_a_known_account_keeps_the_subscription(stage: Stage) -> None:
    await subscribe(stage, ADMIN, WORDS)
    before = await stored(stage)
    assert before is not None
    author = Person(SlackTeamId(stage.slack.team_id), SlackUserId(ADMIN), None)
    async with stage.context.db.begin() as tx:
        assert await subscriptions.change(tx, before, replace(before, author=author))
    await leave(stage, "no_view")
    await check(stage)
    found = await stored(stage)
    assert found is not None
    assert found.lost_at is None


async def test_who_can_read_a_channel_is_kept_while_it_is_shared(stage: Stage) -> None:
    await subscribe(stage, ADMIN, WORDS)
    before = await stored(stage)
    assert before is not None
    stage.slack.workspace.change_channel(TEAM_CHANNEL, is_ext_shared=True)
    with capture_logs() as lines:
        await check(stage)
    assert [line["reason"] for line in lines if line["event"] == "audience_not_read"] == ["shared_channel"]
    found = await stored(stage)
    assert found is not None
    assert found.audience == before.audience
