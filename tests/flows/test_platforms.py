"""What is known of Slack and GitHub while a process serves: refusals are logged and shown, and deliveries wait."""

import asyncio

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.platforms import CHECK_EVERY
from storage.clock import Clock
from tests.flows.stage import CHANNEL, Stage, open_stage
from tests.flows.test_accounts import ready

pytestmark = pytest.mark.either_database

KEY_REFUSED = "GITHUB_APP_PRIVATE_KEY (401"


async def check_again(stage: Stage) -> list[tuple[str, str]]:
    """Let the next check come; returns the events and reasons of what it logged as errors."""

    async def let_time_pass() -> None:
        await asyncio.sleep(0)
        stage.clock.advance(CHECK_EVERY + 1)

    with capture_logs() as lines:
        await asyncio.gather(stage.context.platforms.check_again(), let_time_pass())
    return [(line["event"], line["reason"]) for line in lines if line["log_level"] == "error"]


async def test_a_refusal_ends_the_start_alone_and_is_logged_and_shown_later(stage: Stage) -> None:
    stage.slack.fail("auth.test", "token_revoked", times=None)
    stage.github.faults.add("GET /app", status=401)
    (first, of_slack), (second, of_github) = await check_again(stage)
    assert (first, second) == ("refused", "refused")
    assert "SLACK_BOT_TOKEN (token_revoked)" in of_slack
    assert KEY_REFUSED in of_github
    said = await ready(stage)
    assert said["slack"]["state"] == said["github"]["state"] == "failing"
    stage.slack.faults.clear()
    stage.github.faults.clear()
    assert await check_again(stage) == []
    said = await ready(stage)
    assert said["slack"]["state"] == said["github"]["state"] == "ok"


async def test_a_check_while_the_database_fails_is_logged_and_the_next_one_goes_on(stage: Stage) -> None:
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text("ALTER TABLE mark RENAME TO gone"))
    [(event, reason)] = await check_again(stage)
    assert (event, "mark" in reason) == ("not_asked", True)
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text("ALTER TABLE gone RENAME TO mark"))
    assert await check_again(stage) == []


async def test_a_delivery_of_an_unknown_account_waits_while_github_refuses_our_key(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """It may be the account that GITHUB_ACCOUNTS names: dropped, it would be lost."""
    async with open_stage(database_url, clock, private_key, github_accounts="octo,octo-labs") as stage:
        labs = stage.github.add_organization("octo-labs")
        refused = stage.github.faults.add("GET /app", status=401)
        stage.github.install(labs)
        stage.github.leak(stage.github.add_repository(labs, "web"))
        await stage.work(within=60)
        assert stage.slack.cards(CHANNEL) == []
        assert await stage.audited("delivery") == []
        assert KEY_REFUSED in (await ready(stage))["github"]["reason"]
        stage.github.faults.remove(refused)
        await stage.work(within=CHECK_EVERY + 60)
        assert len(stage.slack.cards(CHANNEL)) == 1
        stage.check()
