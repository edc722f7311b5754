"""What is remembered for a time is forgotten after it, so that no table grows without end."""

import asyncio

import sqlalchemy as sa

from bot.jobs.housekeeping import EVERY, run_housekeeping, run_housekeeping_once
from storage.tables import METADATA
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage

DAY = 86400
KEPT = {
    *("alert", "event", "message", "audit", "repository", "installation", "subscription"),
    *("identity", "operator_link", "sign_in", "directory_pair"),
}
"""Kept for good: what the alerts, their past and their cards are made of, and what people and operators set."""


async def rows(stage: Stage) -> dict[str, int]:
    """How many rows each table has."""
    async with stage.context.db.read() as tx:
        return {
            table.name: (await tx.conn.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            for table in METADATA.sorted_tables
        }


async def test_no_table_but_those_of_the_alerts_grows_without_end(stage: Stage) -> None:
    before = await rows(stage)
    for _ in range(3):
        await stage.leak()
    card = stage.slack.cards(CHANNEL)[0]
    await stage.slack.click(ADMIN, CHANNEL, card.ts, "check_validity")
    await stage.slack.click(OWNER, CHANNEL, card.ts, "take")
    await stage.work(within=30)
    await stage.slack.event({"type": "channel_unshared", "channel": CHANNEL})
    await stage.work(within=30)
    grown = await rows(stage)
    assert all(grown[name] for name in ("channel_pace", "role", "job", "delivery", "slack_request", "mark"))
    stage.clock.advance(4 * DAY)
    # Requests of Slack's are forgotten at the next one.
    await stage.slack.command(ADMIN, CHANNEL, "help")
    await stage.slack.command(ADMIN, CHANNEL, "whoami")
    await stage.work()
    await run_housekeeping_once(stage.context)
    stage.clock.advance(4 * DAY)
    await run_housekeeping_once(stage.context)
    after = await rows(stage)
    left = {name: after[name] - before[name] for name in after if name not in KEPT}
    assert {name: count for name, count in left.items() if count > 0 and name != "slack_request"} == {}
    assert after["channel_pace"] == after["role"] == 0
    assert after["slack_request"] <= 2


async def test_what_is_deleted_after_days_is_kept_until_then(stage: Stage) -> None:
    """GitHub redelivers within three days: a delivery that is known by then changes nothing."""
    await stage.leak()
    await stage.click(ADMIN, "take")
    grown = await rows(stage)
    stage.clock.advance(0.9 * DAY)
    await run_housekeeping_once(stage.context)
    assert (await rows(stage))["role"] == grown["role"] == 1
    stage.clock.advance(2 * DAY)
    await run_housekeeping_once(stage.context)
    kept = await rows(stage)
    assert (kept["job"], kept["delivery"]) == (grown["job"], grown["delivery"])
    stage.clock.advance(0.2 * DAY)
    await run_housekeeping_once(stage.context)
    assert (await rows(stage))["delivery"] == 0


async def test_a_pace_that_still_counts_is_kept(stage: Stage) -> None:
    stage.slack.rate_limit("chat.postMessage", retry_after=3600)
    stage.github.leak(stage.repository)
    await stage.work(within=10)
    await run_housekeeping_once(stage.context)
    assert (await rows(stage))["channel_pace"] == 1
    await stage.work(within=4000)
    assert len(stage.slack.cards(CHANNEL)) == 1


async def test_rows_are_deleted_once_a_minute(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    stage.clock.advance(4 * DAY)
    running = asyncio.create_task(run_housekeeping(stage.context))
    assert (await rows(stage))["role"] == 1
    stage.clock.advance(EVERY)
    async with asyncio.timeout(10):
        while (await rows(stage))["role"]:
            pass
    running.cancel()
