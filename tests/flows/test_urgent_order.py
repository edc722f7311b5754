"""Urgent alerts come first: their deliveries, their cards, and their places in the pace of a channel."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.cli.subscriptions import add_subscription
from storage.tables import delivery
from tests.flows.stage import ADMIN, CHANNEL, Stage
from tests.flows.test_floods import alone, leak_many, summary_of

pytestmark = pytest.mark.either_database

VAULT = "C0VAULT"
WAITING = 100


async def unworked(stage: Stage) -> int:
    """The number of deliveries that are stored and not worked yet."""
    async with stage.context.db.read() as tx:
        query = sa.select(sa.func.count()).select_from(delivery).where(delivery.c.outcome.is_(None))
        return (await tx.conn.execute(query)).scalar_one()


async def test_an_urgent_card_is_posted_before_deliveries_that_wait(stage: Stage) -> None:
    """Its delivery came after all of them, and its channel is another one."""
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    stage.slack.workspace.add_channel(VAULT, name="vault", members=[ADMIN])
    await add_subscription(stage.context.db, VAULT, ["repo:octo/vault"])
    await stage.work()
    leak_many(stage, WAITING)
    stage.github.leak(vault, secret_type="stripe_api_key", publicly_leaked=True)
    await stage.github.settle()
    assert await unworked(stage) == WAITING + 1
    held = stage.slack.faults.gate("chat.postMessage", at="after", times=None)
    working = asyncio.create_task(stage.running.worker.run_due())
    async with asyncio.timeout(30):
        while not stage.slack.cards(VAULT):
            await asyncio.wait({working}, timeout=0.01)
    left = await unworked(stage)
    held.open()
    await working
    assert left > WAITING - 20, "those that were started beside it"


async def test_an_urgent_card_takes_the_place_of_one_that_waits(stage: Stage) -> None:
    """Twenty cards wait for the pace of the channel, one second each."""
    ordinary = leak_many(stage, 20)
    await stage.work()
    before = len(stage.slack.cards(CHANNEL))
    leaked = stage.github.leak(stage.repository, secret_type="stripe_api_key", path="u.py", validity="active")
    await stage.work(within=2)
    assert alone(stage, [leaked]) == [leaked]
    assert len(stage.slack.cards(CHANNEL)) <= before + 3
    await stage.work(within=60)
    assert alone(stage, ordinary) == ordinary
    times = sorted(call.at for call in stage.slack.calls("chat.postMessage"))
    assert times[-1] - times[0] > len(times) - 2, "one a second"


async def test_a_flood_does_not_fold_a_card_that_waits_and_whose_alert_became_urgent(stage: Stage) -> None:
    ordinary = leak_many(stage, 20)
    await stage.work()
    *others, last = [one for one in ordinary if not alone(stage, [one])]
    stage.github.set_public_leak(last)
    await stage.work()
    assert alone(stage, [last]) == []
    leak_many(stage, 20)
    await stage.work(within=60)
    assert "new alerts" in summary_of(stage).shown_text
    assert alone(stage, [last]) == [last]
    assert len(alone(stage, others)) < len(others)


async def test_the_first_messages_of_a_flood_take_the_places_of_folded_cards(stage: Stage) -> None:
    """The summary, and an urgent card after it, don't wait for cards that are no longer posted."""
    leak_many(stage, 60)
    await stage.work()
    leaked = stage.github.leak(stage.repository, secret_type="stripe_api_key", path="u.py", validity="active")
    await stage.work(within=3)
    assert alone(stage, [leaked]) == [leaked]
    assert "new alerts" in summary_of(stage).shown_text


async def test_slack_s_limit_also_takes_back_the_places_of_folded_cards(stage: Stage) -> None:
    leak_many(stage, 60)
    await stage.work()
    stage.slack.rate_limit("chat.postMessage", retry_after=30)
    leaked = stage.github.leak(stage.repository, secret_type="stripe_api_key", path="u.py", validity="active")
    await stage.work(within=25)
    assert alone(stage, [leaked]) == []
    await stage.work(within=60)
    assert alone(stage, [leaked]) == [leaked]
