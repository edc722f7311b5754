"""Subscriptions route alerts by filter, and begin with one summary of the open alerts."""

import pytest
from structlog.testing import capture_logs

from bot.cli.subscriptions import add_subscription
from storage import jobs, subscriptions
from storage.clock import Clock
from storage.records import ChannelId, JobState
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, CHANNEL, Stage, key_of, open_stage
from tests.flows.test_floods import leak_many

pytestmark = pytest.mark.either_database

PAYMENTS = "C0PAYMENTS"


async def test_a_new_subscription_gets_one_summary_of_open_alerts(stage: Stage) -> None:
    stage.slack.workspace.add_channel(PAYMENTS, name="payments", members=[ADMIN])
    for number in range(3):
        await stage.leak(secret_type="stripe_api_key", path=f"{number}.py")
    await add_subscription(stage.context.db, PAYMENTS, ["repo:octo/payments"])
    await stage.work(within=10)
    [summary] = stage.slack.channel_messages(PAYMENTS)
    assert "*3 alerts* in 1 repository, from before this channel was subscribed" in summary.shown_text
    assert len(stage.slack.channel_messages(CHANNEL)) == 3


async def test_a_summary_counts_more_alerts_than_one_transaction_folds(stage: Stage) -> None:
    await shelve(stage, ["web"], 120)
    stage.slack.workspace.add_channel(PAYMENTS, name="payments", members=[ADMIN])
    await add_subscription(stage.context.db, PAYMENTS, ["org:octo"])
    await stage.work(within=10)
    [summary] = stage.slack.channel_messages(PAYMENTS)
    assert "*121 alerts* in 2 repositories, from before this channel was subscribed" in summary.shown_text


async def test_a_subscription_that_ends_before_its_summary_gets_none(stage: Stage) -> None:
    stage.slack.workspace.add_channel(PAYMENTS, name="payments", members=[ADMIN])
    await stage.leak()
    await add_subscription(stage.context.db, PAYMENTS, ["repo:octo/payments"])
    async with stage.context.db.begin() as tx:
        await subscriptions.remove(tx, ChannelId(PAYMENTS))
    await stage.work(within=10)
    assert stage.slack.channel_messages(PAYMENTS) == []
    async with stage.context.db.read() as tx:
        left = await jobs.list_jobs(tx, states=[JobState.READY, JobState.PARKED])
    assert "subscribed" not in [job.kind for job in left]


async def test_without_a_default_channel_the_log_names_alerts_that_are_shown_nowhere(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """One alone, and many at once."""
    async with open_stage(database_url, clock, private_key, stanch_default_channel=None) as stage:
        with capture_logs() as lines:
            leaked = [await stage.leak(), *leak_many(stage, 24)]
            await stage.github.settle()
            await stage.work(within=30)
        nowhere = [line["alert"] for line in lines if line["event"] == "no_channel"]
        assert sorted(nowhere) == sorted(str(key_of(alert)) for alert in leaked)
        assert stage.slack.calls("chat.postMessage") == []
        stage.check()


async def test_a_subscription_takes_the_alerts_from_the_default_channel(stage: Stage) -> None:
    stage.slack.workspace.add_channel(PAYMENTS, name="payments", members=[ADMIN])
    await add_subscription(stage.context.db, PAYMENTS, ["repo:octo/payments"])
    await stage.leak()
    web = stage.github.add_repository(stage.github.app_owner, "web")
    await stage.leak(web)
    assert "octo/payments" in stage.card(PAYMENTS).shown_text
    assert "octo/web" in stage.card().shown_text
