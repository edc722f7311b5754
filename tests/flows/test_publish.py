"""Messages are posted once each, at the pace that Slack allows, whatever fails."""

import itertools

import pytest

from bot.cli.subscriptions import add_subscription
from bot.jobs.housekeeping import run_housekeeping_once
from integrations.sandbox.slack import RecordedCall
from storage import jobs, subscriptions
from storage.records import ChannelId, JobState, Subscription, ThreadLevel
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage

pytestmark = pytest.mark.either_database

WEB = "C0WEB"


def posts(stage: Stage, channel: str = CHANNEL) -> list[RecordedCall]:
    """The posts to a channel, replies too."""
    return [call for call in stage.slack.calls("chat.postMessage") if call.arguments["channel"] == channel]


def web_channel(stage: Stage, *, bot_in: bool = True) -> None:
    stage.slack.workspace.add_channel(WEB, name="web", members=[ADMIN], bot_in=bot_in)


async def test_a_card_is_posted_once_and_updated_in_place(stage: Stage) -> None:
    alert = await stage.leak()
    ts = stage.card().ts
    stage.github.set_validity(alert, "active")
    await stage.work(within=5)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=5)
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work(within=5)
    assert stage.card().ts == ts
    assert len([post for post in posts(stage) if "thread_ts" not in post.arguments]) == 1


async def test_a_message_that_would_look_the_same_is_not_updated(stage: Stage) -> None:
    alert = await stage.leak()
    updates = len(stage.slack.calls("chat.update"))
    stage.github.deliver = "hold"
    stage.github.set_validity(alert, "unknown")
    for _ in range(3):
        stage.github.add_metadata(alert, {"secret_name": "ci"})
    for delivery in stage.github.held:
        await stage.github.send(delivery)
    await stage.work(within=5)
    assert len(stage.slack.calls("chat.update")) == updates


async def test_a_channel_gets_one_message_a_second_at_most(stage: Stage) -> None:
    for number in range(6):
        stage.github.leak(stage.repository, path=f"{number}.env")
    await stage.work(within=30)
    times = [post.at for post in posts(stage)]
    assert len(times) == 6
    # Posts are planned a second apart; the time until each is sent differs a little.
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) > 0.5
    assert 4.5 < times[-1] - times[0] < 8


async def test_two_channels_do_not_wait_for_each_other(stage: Stage) -> None:
    web_channel(stage)
    await add_subscription(stage.context.db, WEB, ["repo:octo/web"])
    web = stage.github.add_repository(stage.github.app_owner, "web")
    for _ in range(3):
        stage.github.leak(stage.repository)
        stage.github.leak(web)
    await stage.work(within=20)
    for channel in (CHANNEL, WEB):
        times = [post.at for post in posts(stage, channel)]
        assert len(times) == 3
        assert times[-1] - times[0] < 4


async def test_retry_after_on_a_post_is_obeyed_and_no_card_is_lost(stage: Stage) -> None:
    stage.slack.rate_limit("chat.postMessage", retry_after=30)
    for number in range(4):
        stage.github.leak(stage.repository, path=f"{number}.env")
    await stage.work(within=120)
    refused, *sent = posts(stage)
    assert refused.status == 429
    assert len(sent) == 4
    assert min(post.at for post in sent) >= refused.at + 30
    assert len(stage.slack.cards(CHANNEL)) == 4


async def test_retry_after_on_an_update_is_obeyed(stage: Stage) -> None:
    alert = await stage.leak()
    stage.slack.rate_limit("chat.update", retry_after=20)
    stage.github.set_validity(alert, "active")
    await stage.work(within=60)
    refused, sent = stage.slack.calls("chat.update")
    assert (refused.status, sent.status) == (429, 200)
    assert sent.at >= refused.at + 20
    assert "live token" in stage.read()


@pytest.mark.parametrize("status", [500, 503])
async def test_after_errors_of_slack_there_is_one_card(stage: Stage, status: int) -> None:
    stage.slack.faults.add("chat.postMessage", status=status, times=2)
    await stage.leak()
    await stage.work(within=120)
    assert stage.read().startswith(":large_orange_circle: Normal")


async def test_a_card_whose_answer_was_lost_is_found_again(stage: Stage) -> None:
    stage.slack.faults.add("chat.postMessage", drop="after", times=1)
    alert = stage.github.leak(stage.repository)
    await stage.work(within=60)
    assert len(posts(stage)) == 1
    stage.github.set_validity(alert, "active")
    await stage.work(within=10)
    assert "live token" in stage.read()


async def test_a_post_that_never_arrived_is_repeated_once(stage: Stage) -> None:
    stage.slack.faults.add("chat.postMessage", drop="before", times=1)
    stage.github.leak(stage.repository)
    await stage.work(within=60)
    assert len(posts(stage)) == 2
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_a_message_of_another_app_with_the_same_metadata_is_not_adopted(stage: Stage) -> None:
    """A lost post is searched for among our own messages."""
    stage.slack.faults.add("chat.postMessage", drop="before", times=1)
    stage.github.leak(stage.repository)
    forged = stage.slack.workspace.post_as_user(ADMIN, CHANNEL, "Nothing to see here.")
    metadata = {
        "event_type": "stanch_alert",
        "event_payload": {"repository_id": stage.repository.id, "alert_number": 1},
    }
    stage.slack.workspace.redraw(forged, metadata=metadata)
    await stage.work(within=60)
    ours = [card for card in stage.slack.cards(CHANNEL) if card.ts != forged.ts]
    assert len(ours) == 1


async def test_replies_are_posted_once_each_though_answers_are_lost(stage: Stage) -> None:
    alert = await stage.leak()
    stage.slack.faults.add("chat.postMessage", drop="after", times=2)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=60)
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work(within=60)
    replies = [reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts)]
    assert len(replies) == 2
    assert "Closed as revoked" in replies[0]
    assert "Reopened" in replies[1]


async def test_each_channel_whose_filter_matches_gets_a_card(stage: Stage) -> None:
    web_channel(stage)
    await add_subscription(stage.context.db, WEB, ["org:octo"])
    await add_subscription(stage.context.db, CHANNEL, ["repo:octo/payments"])
    await stage.leak()
    assert len(stage.slack.cards(WEB)) == len(stage.slack.cards(CHANNEL)) == 1
    await stage.close_as(ADMIN, "revoked")
    assert "Closed as revoked" in stage.read(WEB)
    assert "Closed as revoked" in stage.read(CHANNEL)


async def test_the_default_channel_gets_what_no_subscription_takes(stage: Stage) -> None:
    web_channel(stage)
    await add_subscription(stage.context.db, WEB, ["repo:octo/web"])
    await stage.leak()
    web = stage.github.add_repository(stage.github.app_owner, "web")
    await stage.leak(web)
    assert "octo/payments" in stage.read(CHANNEL)
    assert "octo/web" in stage.read(WEB)


@pytest.mark.parametrize(("level", "count"), [("none", 0), ("actions", 1), ("all", 3)])
async def test_a_thread_gets_the_replies_of_its_channel_s_level(stage: Stage, level: str, count: int) -> None:
    """Assignment and validity are replies at level `all` only, a close also at `actions`."""
    async with stage.context.db.begin() as tx:
        await subscriptions.add(tx, Subscription(ChannelId(CHANNEL), "", ThreadLevel(level)))
    alert = await stage.leak()
    stage.github.assign(alert, stage.leaker)
    await stage.work(within=5)
    stage.github.set_validity(alert, "inactive")
    await stage.work(within=5)
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix")
    await stage.work(within=5)
    replies = [reply for reply in stage.slack.thread(CHANNEL, stage.card().ts) if not reply.action_ids]
    assert len(replies) == count


async def test_a_deleted_card_is_not_posted_again(stage: Stage) -> None:
    alert = await stage.leak()
    stage.slack.workspace.delete_message(CHANNEL, stage.card().ts)
    stage.github.set_validity(alert, "inactive")
    await stage.work(within=10)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=300)
    assert stage.slack.channel_messages(CHANNEL) == []
    async with stage.context.session.get(stage.address("/readyz")) as response:
        assert (await response.json())["channels"]["state"] == "ok"


@pytest.mark.parametrize("trouble", ["bot_not_in", "archived", "gone"])
async def test_the_default_channel_stands_in_for_a_channel_that_can_t_be_posted_to(
    stage: Stage, trouble: str
) -> None:
    web_channel(stage, bot_in=trouble != "bot_not_in")
    await add_subscription(stage.context.db, WEB, [""])
    if trouble == "archived":
        stage.slack.workspace.change_channel(WEB, is_archived=True)
    elif trouble == "gone":
        del stage.slack.workspace.channels[WEB]
    await stage.leak()
    assert stage.read().startswith(":large_orange_circle: Normal")
    async with stage.context.session.get(stage.address("/readyz")) as response:
        assert (await response.json())["channels"]["state"] == "failing"


async def test_a_card_is_posted_once_the_bot_is_invited(stage: Stage) -> None:
    web_channel(stage, bot_in=False)
    await add_subscription(stage.context.db, WEB, [""])
    await stage.leak()
    stage.slack.workspace.change_channel(WEB, members=frozenset({ADMIN, stage.slack.bot_user_id}))
    await run_housekeeping_once(stage.context)
    await stage.work(within=10)
    assert stage.read(WEB).startswith(":large_orange_circle: Normal")


async def test_a_card_that_slack_refuses_as_wrong_is_parked_and_can_be_retried(stage: Stage) -> None:
    refusing = stage.slack.fail("chat.postMessage", "invalid_blocks", times=None)
    stage.github.leak(stage.repository)
    await stage.work(within=6 * 3600)
    async with stage.context.db.begin() as tx:
        [parked] = await jobs.list_jobs(tx, states=[JobState.PARKED])
        assert (parked.kind, (parked.error or "").partition(" ")[0]) == ("message", "Rejected")
        stage.slack.faults.remove(refusing)
        await jobs.retry(tx, parked.id)
    await stage.work(within=30)
    assert stage.read().startswith(":large_orange_circle: Normal")
