"""Checks on a schedule: an author who has lost the right, a channel that more people can read; mentions; old rows."""

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.cli.subscriptions import add_subscription
from bot.jobs.housekeeping import run_housekeeping_once
from integrations.sandbox.github import Organization
from integrations.sandbox.slack import SlackMessage
from storage import identities
from storage.records import SlackTeamId, SlackUserId
from storage.tables import subscription
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage
from tests.flows.subscribing import (
    TEAM_CHANNEL,
    add_channels,
    invite_guest,
    press,
    said,
    stored,
    subscribe,
    type_in,
)

pytestmark = pytest.mark.either_database

DAY = 86_400.0


@pytest.fixture(autouse=True)
def channels(stage: Stage) -> None:
    add_channels(stage)


async def check(stage: Stage, after: float = 3_700.0) -> None:
    """Run housekeeping after so many seconds, and what it requests."""
    stage.clock.advance(after)
    await run_housekeeping_once(stage.context)
    await stage.work(within=30)


async def leave(stage: Stage, how: str) -> None:
    """Let octo-admin lose the right to the repository."""
    octo = stage.github.app_owner
    if how == "deactivated":
        stage.slack.workspace.change_user(ADMIN, deleted=True)
    elif how == "guest":
        stage.slack.workspace.change_user(ADMIN, is_restricted=True)
    elif how == "unlinked":
        async with stage.context.db.begin() as tx:
            await identities.unlink(tx, SlackTeamId(stage.slack.team_id), SlackUserId(ADMIN))
    elif how == "no_view":
        stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    else:
        stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
        assert isinstance(octo, Organization)
        stage.github.remove_member(octo, stage.people[ADMIN])


def author_notices(stage: Stage) -> list[SlackMessage]:
    """What the default channel was told about authors."""
    found = stage.slack.channel_messages(CHANNEL)
    return [one for one in found if "has no right to its alerts any more: " in one.shown_text]


@pytest.mark.parametrize("how", ["deactivated", "guest", "no_view", "left", "unlinked"])
async def test_a_subscription_whose_author_has_left_is_told_and_paused_after_seven_days(
    stage: Stage, how: str
) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await check(stage)
    assert stage.slack.channel_messages(CHANNEL) == []
    await leave(stage, how)
    await check(stage)
    [notice] = author_notices(stage)
    assert "octo/payments" not in notice.shown_text
    await check(stage)
    assert len(author_notices(stage)) == 1
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    await check(stage, 7 * DAY)
    found = await stored(stage)
    assert found is not None
    assert found.paused_at is not None
    assert "is paused" in stage.slack.channel_messages(TEAM_CHANNEL)[-1].shown_text
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    assert len(stage.slack.cards(CHANNEL)) == 1
    assert [outcome for outcome, _ in await stage.audited("pause_subscription")] == ["done"]
    assert len(await stage.audited("subscription_author")) == 1


async def test_an_owner_adopts_it_by_the_notice(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await leave(stage, "no_view")
    await check(stage)
    [notice] = stage.slack.channel_messages(CHANNEL)
    assert "may not see all of" in await press(stage, READER, "adopt_subscription", notice)
    assert "You answer for this subscription now." in await press(stage, OWNER, "adopt_subscription", notice)
    found = await stored(stage)
    assert found is not None
    assert (found.lost_at, found.paused_at) == (None, None)
    assert found.author is not None
    assert found.author.slack_user == OWNER
    assert stage.slack.channel_messages(CHANNEL)[0].action_ids == []
    assert said(stage)[-1] == ":bell: `octo-owner` answers for this channel's subscription now."
    await check(stage, 8 * DAY)
    found = await stored(stage)
    assert found is not None
    assert found.paused_at is None
    assert len(await stage.audited("adopt_subscription")) == 2


async def test_a_subscription_of_a_channel_that_became_public_is_adopted_by_an_owner_alone(
    stage: Stage,
) -> None:
    await subscribe(stage, OWNER, "repo:octo/payments")
    stage.slack.workspace.change_channel(TEAM_CHANNEL, private=False)
    stage.slack.workspace.change_user(OWNER, deleted=True)
    await check(stage)
    [notice] = author_notices(stage)
    assert "This is a public channel" in await press(stage, ADMIN, "adopt_subscription", notice)
    assert ("refused", f"{TEAM_CHANNEL}: public_channel") in await stage.audited("adopt_subscription")
    assert "You answer for this" in await press(stage, MANAGER, "adopt_subscription", notice)


async def test_a_paused_one_is_adopted_by_subscribing_again(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await leave(stage, "deactivated")
    await check(stage)
    await check(stage, 7 * DAY)
    await stage.leak()
    assert "Paused since" in await type_in(stage, OWNER, "subscriptions")
    await subscribe(stage, OWNER, "repo:octo/payments")
    found = await stored(stage)
    assert found is not None
    assert (found.lost_at, found.paused_at) == (None, None)
    await stage.work(within=15)
    assert (
        "from before this channel was subscribed" in stage.slack.channel_messages(TEAM_CHANNEL)[-1].shown_text
    )


async def test_an_author_whose_right_can_t_be_asked_for_keeps_the_subscription(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    stage.github.faults.add(".*", times=None, status=503)
    await check(stage)
    found = await stored(stage)
    assert found is not None
    assert found.lost_at is None
    assert stage.slack.channel_messages(CHANNEL) == []


@pytest.mark.parametrize(
    ("code", "is_lost"), [("user_not_found", True), ("internal_error", False), ("missing_scope", False)]
)
async def test_an_author_whom_slack_no_longer_knows_loses_the_right(
    stage: Stage, code: str, is_lost: bool
) -> None:
    """An outage of Slack says nothing about them."""
    await subscribe(stage, ADMIN, "repo:octo/payments")
    stage.slack.fail("users.info", code, times=None)
    await check(stage)
    found = await stored(stage)
    assert found is not None
    assert (found.lost_at is not None) == is_lost


async def test_a_deleted_repository_takes_nobody_s_right(stage: Stage) -> None:
    other = stage.github.add_repository(stage.github.app_owner, "web")
    stage.github.add_collaborator(other, stage.people[ADMIN], "admin")
    await subscribe(stage, ADMIN, "repo:octo/payments,octo/web")
    for repository in (other, stage.repository):
        stage.github.delete_repository(repository)
        await check(stage)
        found = await stored(stage)
        assert found is not None
        assert found.lost_at is None


async def test_a_suspended_installation_takes_nobody_s_right(stage: Stage) -> None:
    await subscribe(stage, OWNER, "org:octo")
    [installation] = stage.github.installations.values()
    stage.github.suspend(installation)
    await stage.work(within=10)
    await check(stage)
    found = await stored(stage)
    assert found is not None
    assert found.lost_at is None


async def test_an_author_who_has_the_right_again_is_not_paused(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await leave(stage, "no_view")
    await check(stage)
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "admin")
    await check(stage)
    [notice] = stage.slack.channel_messages(CHANNEL)
    assert notice.action_ids == []
    await check(stage, 7 * DAY)
    found = await stored(stage)
    assert found is not None
    assert found.paused_at is None


async def test_a_channel_that_becomes_public_is_told_once(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await check(stage)
    stage.slack.workspace.change_channel(TEAM_CHANNEL, private=False)
    with capture_logs() as lines:
        await check(stage)
        await check(stage)
    opened = [line for line in lines if line["event"] == "channel_opened"]
    assert [(line["channel"], line["reason"]) for line in opened] == [(TEAM_CHANNEL, "public")]
    [notice] = stage.slack.channel_messages(CHANNEL)
    assert "has become a public channel" in notice.shown_text


async def test_a_guest_who_joins_is_told_once(stage: Stage) -> None:
    await add_subscription(stage.context.db, TEAM_CHANNEL, ["repo:octo/payments"])
    await check(stage)
    invite_guest(stage, TEAM_CHANNEL)
    await check(stage)
    await check(stage)
    [notice] = stage.slack.channel_messages(CHANNEL)
    assert "Guests have joined" in notice.shown_text
    assert "visitor" in notice.shown_text


async def test_a_guest_who_was_there_from_the_start_is_no_news(stage: Stage) -> None:
    invite_guest(stage, TEAM_CHANNEL)
    await subscribe(stage, OWNER, "repo:octo/payments")
    await check(stage)
    assert stage.slack.channel_messages(CHANNEL) == []


async def test_urgent_cards_and_raised_alerts_mention_the_user_group(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments mention=S0SEC")
    await stage.leak(secret_type="stripe_api_key")
    [card] = stage.slack.cards(TEAM_CHANNEL)
    assert "<!subteam^S0SEC>" not in card.shown_text
    await stage.leak(publicly_leaked=True)
    card = stage.slack.cards(TEAM_CHANNEL)[-1]
    assert card.shown_text.endswith("cc <!subteam^S0SEC>")
    assert "subteam" not in card.text
    await stage.slack.select(OWNER, TEAM_CHANNEL, card.ts, "close_as", "false_positive")
    await stage.work(within=3)
    await stage.submit(OWNER)
    card = stage.slack.cards(TEAM_CHANNEL)[-1]
    assert "subteam" not in card.shown_text
    await stage.slack.click(OWNER, TEAM_CHANNEL, card.ts, "reopen")
    await stage.work(within=3)
    await stage.submit(OWNER)
    raised = [one for one in stage.slack.thread(TEAM_CHANNEL, card.ts) if one.reply_broadcast]
    assert len(raised) == 1
    assert raised[0].shown_text.endswith("cc <!subteam^S0SEC>")


async def test_a_handle_is_looked_up_with_the_optional_scope(stage: Stage) -> None:
    stage.slack.workspace.add_usergroup("S0SEC", handle="security")
    answer = await type_in(stage, MANAGER, "subscribe repo:octo/payments mention=@security")
    assert "Stanch can't look up user groups here." in answer
    stage.slack.scopes.add("usergroups:read")
    answer = await type_in(stage, MANAGER, "subscribe repo:octo/payments mention=@secrity")
    assert "There is no such user group." in answer
    answer = await type_in(stage, MANAGER, "subscribe repo:octo/payments mention=@Security")
    assert "Mentioned for urgent alerts: @security" in answer
    await press(stage, MANAGER, "subscribe")
    found = await stored(stage)
    assert found is not None
    assert found.mention == "S0SEC"
    assert said(stage)[-1] == ":bell: `octo-sec` subscribed this channel to `repo:octo/payments`."


async def test_a_subscription_of_0_1_0_keeps_its_filter_and_level_and_gets_its_ids(stage: Stage) -> None:
    row = {"channel": TEAM_CHANNEL, "filter": "repo:octo/payments", "thread": "all", "created_at": 1.0}
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.insert(subscription).values(row))
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    await check(stage)
    found = await stored(stage)
    assert found is not None
    assert (found.filter, found.thread, found.created_at, found.author) == (
        *("repo:octo/payments", "all", 1.0),
        None,
    )
    assert found.pinned == {"repo:octo/payments": stage.repository.id}
    assert stage.slack.channel_messages(CHANNEL) == []


async def test_the_id_of_a_repository_is_kept_within_a_minute_of_its_first_alert(stage: Stage) -> None:
    """The command line may subscribe a channel before Stanch knows the repository; then it is renamed."""
    await add_subscription(stage.context.db, TEAM_CHANNEL, ["repo:octo/late"])
    await check(stage, after=60)
    late = stage.github.add_repository(stage.github.app_owner, "late")
    await stage.leak(late)
    await check(stage, after=60)
    stage.github.rename_repository(late, "later")
    await stage.leak(late)
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 2
