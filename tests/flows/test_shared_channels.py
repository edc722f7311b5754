"""No alert is shown in a channel that is shared with another organization, or about to be."""

from dataclasses import replace
from typing import Any

import pytest

from bot.cli.subscriptions import add_subscription
from bot.flows.channel_facts import channel_facts
from bot.jobs.housekeeping import run_housekeeping_once
from bot.platforms import Platforms
from storage.records import ChannelId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage

pytestmark = pytest.mark.either_database

TEAM = "C0TEAM"
PARTNER = "T0PARTNER"
SHARED = "Nothing can be done here: this channel is shared with another organization."
HIDDEN = "An alert is hidden here, because this channel is shared with another organization."


async def team_channel(stage: Stage, **fields: Any) -> None:
    """A second channel, subscribed to everything."""
    stage.slack.workspace.add_channel(TEAM, name="payments-team", members=[ADMIN, OWNER], **fields)
    await add_subscription(stage.context.db, TEAM, [""])


async def standing(stage: Stage) -> tuple[str, str]:
    """The channels' state in `/readyz`."""
    async with stage.context.session.get(stage.address("/readyz")) as response:
        channels = (await response.json())["channels"]
        return channels["state"], channels["reason"]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_ext_shared": True, "connected_team_ids": (PARTNER,)},
        {"is_ext_shared": True},
        {"is_pending_ext_shared": True},
        {"pending_connected_team_ids": (PARTNER,)},
    ],
)
async def test_a_card_for_a_shared_channel_goes_to_the_default_one(
    stage: Stage, fields: dict[str, Any]
) -> None:
    await team_channel(stage, **fields)
    await stage.leak()
    assert stage.slack.channel_messages(TEAM) == []
    assert stage.read().startswith(":large_orange_circle: Normal")
    assert await standing(stage) == ("failing", "1 message waits for a channel that can't take messages now")


async def test_a_channel_shared_within_our_organization_gets_its_cards(stage: Stage) -> None:
    await team_channel(stage, is_org_shared=True)
    await stage.leak()
    assert len(stage.slack.cards(TEAM)) == 1
    assert stage.slack.cards(CHANNEL) == []
    assert await standing(stage) == ("ok", "none waits")


async def test_an_alert_waits_while_the_default_channel_is_shared(stage: Stage) -> None:
    stage.slack.workspace.change_channel(CHANNEL, is_ext_shared=True)
    await stage.leak()
    assert stage.slack.calls("chat.postMessage") == []
    assert (await standing(stage))[0] == "failing"
    stage.slack.workspace.change_channel(CHANNEL, is_ext_shared=False)
    await stage.slack.event({"type": "channel_unshared", "channel": CHANNEL})
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")
    assert await standing(stage) == ("ok", "none waits")


async def test_a_waiting_alert_is_posted_without_an_event_as_well(stage: Stage) -> None:
    stage.slack.workspace.change_channel(CHANNEL, is_pending_ext_shared=True)
    await stage.leak()
    stage.slack.workspace.change_channel(CHANNEL, is_pending_ext_shared=False)
    stage.clock.advance(400)
    await run_housekeeping_once(stage.context)
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")


async def test_sharing_a_channel_hides_its_cards_and_moves_them_to_the_default_channel(stage: Stage) -> None:
    await team_channel(stage)
    await stage.leak(path="config/deploy.env")
    await stage.slack.click(ADMIN, TEAM, stage.card(TEAM).ts, "take")
    await stage.work(within=5)
    card = stage.card(TEAM)
    assert len(stage.slack.thread(TEAM, card.ts)) >= 1
    await stage.slack.share_channel(TEAM, PARTNER)
    await stage.work(within=10)
    hidden = stage.card(TEAM)
    assert HIDDEN in hidden.shown_text
    assert hidden.action_ids == []
    seen = str([hidden, *stage.slack.thread(TEAM, card.ts)])
    for word in ("deploy.env", "octo/payments", "octo-admin"):
        assert word not in seen
    # The alert is shown where only our own people are.
    assert "config/deploy.env" in stage.read()
    assert "take" not in stage.card().action_ids


async def test_a_hidden_card_stays_hidden_after_changes(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.slack.share_channel(CHANNEL, PARTNER)
    await stage.work(within=5)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked", comment="Rotated in vault.")
    await stage.work(within=5)
    [card] = stage.slack.cards(CHANNEL)
    assert HIDDEN in card.shown_text
    assert stage.slack.thread(CHANNEL, card.ts) == []
    assert "vault" not in str(stage.slack.channel_messages(CHANNEL))


async def test_a_card_is_shown_again_when_the_channel_is_no_longer_shared(stage: Stage) -> None:
    await stage.leak(path="config/deploy.env")
    await stage.slack.share_channel(CHANNEL, PARTNER)
    await stage.work(within=5)
    stage.slack.workspace.change_channel(CHANNEL, is_ext_shared=False, connected_team_ids=())
    await stage.slack.event({"type": "channel_unshared", "channel": CHANNEL})
    await stage.work(within=5)
    assert "config/deploy.env" in stage.read()
    assert "close_as" in stage.card().action_ids


async def test_no_control_works_once_its_channel_is_shared(stage: Stage) -> None:
    """The person still sees the card as it was before."""
    alert = await stage.leak()
    before = stage.card()
    await stage.slack.share_channel(CHANNEL, PARTNER)
    since = len(stage.github.requests)
    await stage.slack.click(ADMIN, CHANNEL, before.ts, "check_validity", shown=before)
    await stage.slack.select(ADMIN, CHANNEL, before.ts, "close_as", "revoked", shown=before)
    await stage.work(within=5)
    assert SHARED in stage.answer_to(ADMIN)
    assert SHARED in stage.form(ADMIN).shown_text
    await stage.slack.command(ADMIN, CHANNEL, "whoami")
    await stage.work(within=5)
    assert SHARED in stage.answer_to(ADMIN)
    assert stage.github.requests[since:] == []
    assert alert.state == "open"
    assert ("refused", "shared_channel") in await stage.audited("check_validity")


async def test_a_form_opened_before_the_channel_was_shared_is_refused_too(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.slack.share_channel(CHANNEL, PARTNER)
    await stage.submit(ADMIN)
    assert alert.state == "open"
    assert SHARED in stage.answer_to(ADMIN)


async def test_a_conversation_that_the_bot_may_not_read_is_refused_as_such(stage: Stage) -> None:
    """A direct message of several people, which no later try changes."""
    stage.slack.fail("conversations.info", "missing_scope", times=None)
    assert "it can't tell who else reads it" in await stage.type(ADMIN, "whoami")


async def test_a_channel_cached_by_another_process_is_read_again_once_it_is_shared(
    stage: Stage,
) -> None:
    platforms = Platforms(
        stage.context.slack,
        stage.context.github,
        stage.context.db,
        stage.clock,
        accounts=stage.context.platforms.accounts,
        github_api_url=stage.github.api_url,
    )
    other = replace(stage.context, platforms=platforms)
    assert not (await channel_facts(other, ChannelId(CHANNEL))).is_shared_outside
    stage.clock.advance(60)
    await stage.slack.share_channel(CHANNEL, PARTNER)
    await stage.work()
    assert (await channel_facts(other, ChannelId(CHANNEL))).is_shared_outside
