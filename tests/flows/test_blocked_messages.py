"""Messages that their channel can't take are kept, shown in the default channel, and posted or updated later."""

import re

import pytest

from bot.cli.subscriptions import add_subscription
from bot.flows.messages.publish import redraw_channel
from bot.jobs.housekeeping import run_housekeeping_once
from integrations.sandbox.github import GitHubAlert
from integrations.sandbox.slack import SlackMessage
from storage import jobs
from storage.records import ChannelId, JobState
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, plain

pytestmark = pytest.mark.either_database

WEB = "C0WEB"
REFUSALS = ("is_archived", "is_inactive", "not_in_channel", "channel_not_found", "restricted_action")
HOUR = 3600


async def web_channel(stage: Stage) -> None:
    """A second channel, subscribed to all alerts."""
    stage.slack.workspace.add_channel(WEB, name="web", members=[ADMIN, OWNER])
    await add_subscription(stage.context.db, WEB, [""])


async def standing(stage: Stage) -> tuple[str, str]:
    """The channels' state in `/readyz`."""
    async with stage.context.session.get(stage.address("/readyz")) as response:
        channels = (await response.json())["channels"]
        return channels["state"], channels["reason"]


async def minutes(stage: Stage, count: int) -> None:
    """Let so many minutes pass, and run the housekeeping of each."""
    for _ in range(count):
        stage.clock.advance(60)
        await run_housekeeping_once(stage.context)
        await stage.work(within=30)


def lines(stage: Stage) -> list[SlackMessage]:
    """The lines in the default channel that count the alerts of a blocked channel."""
    return [one for one in stage.slack.channel_messages(CHANNEL) if "can't take cards" in one.shown_text]


async def kept(stage: Stage) -> tuple[int, int]:
    """How many messages wait for a job of theirs, and how many such jobs are done and kept."""
    async with stage.context.db.read() as tx:
        found = await jobs.list_jobs(tx, states=[JobState.READY, JobState.DONE])
    states = [job.state for job in found if job.kind == "message"]
    return states.count(JobState.READY), states.count(JobState.DONE)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refused_update_is_made_once_the_channel_takes_it(stage: Stage, refusal: str) -> None:
    await web_channel(stage)
    alert = await stage.leak()
    ts = stage.card(WEB).ts
    refusing = stage.slack.fail("chat.update", refusal, times=None)
    stage.github.set_public_leak(alert)
    await stage.work(within=10)
    assert (await standing(stage))[0] == "failing"
    await minutes(stage, 3)
    stage.slack.faults.remove(refusing)
    await minutes(stage, 2)
    assert stage.card(WEB).ts == ts
    assert "publicly" in stage.read(WEB)
    assert await standing(stage) == ("ok", "none waits")


async def test_after_one_update_all_others_of_the_channel_follow_at_once(stage: Stage) -> None:
    await web_channel(stage)
    leaked = await leak_apart(stage, 4)
    refusing = stage.slack.fail("chat.update", "restricted_action", times=None)
    for alert in leaked:
        stage.github.set_validity(alert, "inactive")
    await stage.work(within=10)
    assert (await standing(stage))[1].startswith("4 messages")
    stage.slack.faults.remove(refusing)
    await minutes(stage, 1)
    assert await standing(stage) == ("ok", "none waits")


async def test_an_archived_channel_is_updated_once_it_is_back(stage: Stage) -> None:
    await web_channel(stage)
    alert = await stage.leak()
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    stage.clock.advance(400)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    assert "Closed as revoked" not in stage.read(WEB)
    stage.slack.workspace.change_channel(WEB, is_archived=False)
    await minutes(stage, 8)
    assert "Closed as revoked" in stage.read(WEB)
    assert len(stage.slack.cards(WEB)) == 1
    replies = [reply.shown_text for reply in stage.slack.thread(WEB, stage.card(WEB).ts)]
    assert sum("Closed as revoked" in reply for reply in replies) == 1


async def test_a_change_of_an_open_alert_appears_in_the_default_channel(stage: Stage) -> None:
    await web_channel(stage)
    changed, closed = await stage.leak(), await stage.leak()
    assert stage.slack.cards(CHANNEL) == []
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    stage.clock.advance(400)
    stage.github.set_validity(changed, "active")
    stage.github.close(closed, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    assert "live token" in stage.read()
    stage.github.assign(closed, stage.people[ADMIN])
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == 1, "a change of a closed alert is not shown"
    stage.github.reopen(closed, by=stage.people[OWNER])
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == 2


async def test_the_sixth_stand_in_of_an_hour_is_one_line_with_the_count(stage: Stage) -> None:
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    alerts = await leak_apart(stage, 8)
    assert len(stage.slack.cards(CHANNEL)) == 5
    [line] = lines(stage)
    assert "<#C0WEB> can't take cards (it is archived): 3 more alerts for it" in line.shown_text
    assert "show_list" in line.action_ids
    # Without a change, nothing is posted.
    await minutes(stage, 3)
    assert (len(stage.slack.cards(CHANNEL)), len(lines(stage))) == (5, 1)
    # In the next hour a change is shown again.
    stage.clock.advance(HOUR)
    stage.github.set_validity(alerts[-1], "inactive")
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == 6
    assert "2 more alerts for it" in lines(stage)[0].shown_text
    # An alert that is raised again is shown, not counted.
    stage.github.set_public_leak(alerts[-2])
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == 7
    assert "1 more alert for it" in lines(stage)[0].shown_text


async def leak_apart(stage: Stage, count: int) -> list[GitHubAlert]:
    """Create so many alerts, too few in a minute for a flood."""
    found = []
    for number in range(count):
        found.append(await stage.leak(secret_type="stripe_api_key", path=f"src/{number}.py"))
        stage.clock.advance(10)
    return found


async def test_a_flood_for_a_blocked_channel_is_counted_in_the_line(stage: Stage) -> None:
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    for number in range(40):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    await stage.work(within=120)
    [line] = lines(stage)
    counted = re.search(r"(\d+) more alerts? for it", plain(line.shown_text))
    assert counted is not None
    assert int(counted[1]) + len(stage.slack.cards(CHANNEL)) == 40


async def test_a_summary_of_a_blocked_channel_is_counted_in_the_line(stage: Stage) -> None:
    """The alerts from before its subscription; none of them has a card in the default channel."""
    stage.slack.workspace.add_channel("C0OTHER", name="other", members=[ADMIN])
    await add_subscription(stage.context.db, "C0OTHER", [""])
    await leak_apart(stage, 3)
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    await stage.work(within=10)
    [line] = lines(stage)
    assert "3 more alerts for it" in line.shown_text


async def test_a_summary_that_the_default_channel_itself_can_t_take_waits_for_it(stage: Stage) -> None:
    await web_channel(stage)
    await leak_apart(stage, 3)
    await add_subscription(stage.context.db, CHANNEL, [""])
    stage.slack.workspace.change_channel(CHANNEL, is_archived=True)
    await stage.work(within=10)
    assert stage.slack.channel_messages(CHANNEL) == []
    assert await standing(stage) == ("failing", "1 message waits for a channel that can't take messages now")
    stage.slack.workspace.change_channel(CHANNEL, is_archived=False)
    await minutes(stage, 8)
    [summary] = stage.slack.channel_messages(CHANNEL)
    assert "*3 alerts* in 1 repository, from before this channel was subscribed" in summary.shown_text


async def test_a_line_that_has_nothing_to_count_any_more_is_not_posted(stage: Stage) -> None:
    """The only alert that it would count is raised again, and so gets a card."""
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    await leak_apart(stage, 5)
    counted = stage.github.leak(stage.repository, secret_type="stripe_api_key")
    await stage.work()
    stage.github.set_public_leak(counted)
    await stage.work(within=30)
    assert (len(stage.slack.cards(CHANNEL)), lines(stage)) == (6, [])


async def test_a_summary_that_has_nothing_to_count_any_more_does_not_wait(stage: Stage) -> None:
    stage.slack.workspace.add_channel("C0OTHER", name="other", members=[ADMIN])
    await add_subscription(stage.context.db, "C0OTHER", [""])
    alert = await stage.leak()
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    await stage.work(within=10)
    stage.github.set_public_leak(alert)
    await stage.work(within=10)
    await redraw_channel(stage.context, ChannelId(WEB))
    await stage.work(within=10)
    assert await standing(stage) == ("failing", "1 message waits for a channel that can't take messages now")
    stage.slack.workspace.change_channel(WEB, is_archived=False)
    await minutes(stage, 8)
    assert [message.ts for message in stage.slack.channel_messages(WEB)] == [stage.card(WEB).ts]


async def test_a_card_that_shows_nothing_new_does_not_wait_for_its_channel(stage: Stage) -> None:
    await stage.leak()
    stage.slack.workspace.change_channel(CHANNEL, is_archived=True)
    stage.clock.advance(400)
    await redraw_channel(stage.context, ChannelId(CHANNEL))
    await stage.work(within=10)
    assert await standing(stage) == ("ok", "none waits")


async def test_blocked_messages_add_no_jobs(stage: Stage) -> None:
    """One job retries the channel; while Slack does not answer, it stays the same job."""
    await web_channel(stage)
    await leak_apart(stage, 4)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    stage.clock.advance(400)
    alerts = await leak_apart(stage, 4)
    for alert in alerts:
        stage.github.set_validity(alert, "active")
    await stage.work(within=30)
    waiting, done = await kept(stage)
    await minutes(stage, 10)
    now_waiting, now_done = await kept(stage)
    assert (now_waiting, now_done - done) == (waiting, 10)
    silent = stage.slack.faults.add("conversations.info", status=503)
    stage.clock.advance(400)
    for _ in range(10):
        stage.clock.advance(60)
        await run_housekeeping_once(stage.context)
        await stage.work()
    assert (await kept(stage))[0] == waiting + 1
    stage.slack.faults.remove(silent)


async def test_a_channel_that_is_back_gets_all_blocked_messages(stage: Stage) -> None:
    await web_channel(stage)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    await leak_apart(stage, 7)
    assert (await standing(stage)) == (
        "failing",
        "7 messages wait for a channel that can't take messages now",
    )
    stage.slack.workspace.change_channel(WEB, is_archived=False)
    await minutes(stage, 8)
    assert len(stage.slack.cards(WEB)) == 7
    assert await standing(stage) == ("ok", "none waits")


async def test_a_message_that_alone_is_refused_does_not_stop_the_others(stage: Stage) -> None:
    """In a locked thread, for example: the other messages of its channel are retried in turn."""
    await web_channel(stage)
    alert = await stage.leak()
    locked = stage.slack.fail("chat.postMessage", "restricted_action_thread_locked", times=None)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    stage.slack.faults.remove(locked)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    stage.clock.advance(400)
    await leak_apart(stage, 2)
    stage.slack.workspace.change_channel(WEB, is_archived=False)
    await minutes(stage, 10)
    assert len(stage.slack.cards(WEB)) == 3


async def test_an_update_that_is_always_refused_does_not_stop_the_posts(stage: Stage) -> None:
    """It is the oldest of the blocked messages; each minute another one is retried."""
    await web_channel(stage)
    alert = await stage.leak()
    stage.slack.fail("chat.update", "restricted_action", times=None)
    stage.github.set_validity(alert, "inactive")
    await stage.work(within=10)
    stage.slack.workspace.change_channel(WEB, is_archived=True)
    stage.clock.advance(400)
    await leak_apart(stage, 2)
    assert len(stage.slack.cards(WEB)) == 1
    stage.slack.workspace.change_channel(WEB, is_archived=False)
    await minutes(stage, 9)
    assert len(stage.slack.cards(WEB)) == 3


async def test_a_hidden_card_waits_for_its_channel(stage: Stage) -> None:
    await stage.leak()
    await stage.slack.share_channel(CHANNEL, "T0PARTNER")
    await stage.work(within=5)
    assert await standing(stage) == ("failing", "1 message waits for a channel that can't take messages now")
    stage.slack.workspace.change_channel(CHANNEL, is_ext_shared=False, connected_team_ids=())
    await minutes(stage, 8)
    assert "close_as" in stage.card().action_ids
    assert await standing(stage) == ("ok", "none waits")


async def test_a_hidden_card_is_shown_in_the_default_channel(stage: Stage) -> None:
    await web_channel(stage)
    await stage.leak()
    assert stage.slack.cards(CHANNEL) == []
    await stage.slack.share_channel(WEB, "T0PARTNER")
    await stage.work(within=5)
    assert "is hidden here" in stage.slack.cards(WEB)[0].shown_text
    assert "octo/payments" in stage.read()


async def test_a_post_of_unknown_outcome_in_a_blocked_channel_is_not_repeated(stage: Stage) -> None:
    stage.slack.faults.add("chat.postMessage", drop="after", times=1)
    stage.github.leak(stage.repository)
    stage.slack.fail("conversations.history", "not_in_channel", times=2)
    await stage.work(within=10)
    await minutes(stage, 4)
    assert len(stage.slack.cards(CHANNEL)) == 1
    assert await standing(stage) == ("ok", "none waits")


async def test_an_update_waits_while_slack_refuses_the_token(stage: Stage) -> None:
    alert = await stage.leak()
    refusing = stage.slack.fail("chat.update", "token_revoked", times=None)
    stage.github.set_validity(alert, "active")
    await stage.work(within=4 * HOUR)
    stage.slack.faults.remove(refusing)
    await stage.work(within=120)
    assert "live token" in stage.read()
