"""Subscriptions route alerts by filter, and begin with one summary of the open alerts."""

import pytest

from bot.cli.subscriptions import add_subscription
from tests.flows.stage import ADMIN, CHANNEL, Stage

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


async def test_a_subscription_takes_the_alerts_from_the_default_channel(stage: Stage) -> None:
    stage.slack.workspace.add_channel(PAYMENTS, name="payments", members=[ADMIN])
    await add_subscription(stage.context.db, PAYMENTS, ["repo:octo/payments"])
    await stage.leak()
    web = stage.github.add_repository(stage.github.app_owner, "web")
    await stage.leak(web)
    assert "octo/payments" in stage.card(PAYMENTS).shown_text
    assert "octo/web" in stage.card().shown_text
