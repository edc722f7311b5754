"""While a signing secret is replaced, requests signed with the former one are accepted too."""

import secrets
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import structlog

from bot.flows.secret_use import last_used
from integrations.sandbox.slack.transport import signature
from storage.clock import Clock
from tests.flows.stage import CHANNEL, OWNER, Stage, open_stage

pytestmark = pytest.mark.either_database

GITHUB, SLACK = "GITHUB_WEBHOOK_SECRET", "SLACK_SIGNING_SECRET"
FORMER, NEW = "the former secret", "the secret that replaces it"
FORM = "application/x-www-form-urlencoded"
COMMAND = urlencode(
    {
        "command": "/leaks",
        "text": "help",
        "user_id": OWNER,
        "team_id": "T0STANCH",
        "channel_id": CHANNEL,
        "response_url": "https://hooks.slack.com/x",
    }
).encode()


async def status_of(stage: Stage, secret: str) -> int | None:
    """What a command that is signed with this secret is answered."""
    at, body = str(stage.clock.now())[:10], COMMAND + b"&api_app_id=" + secrets.token_hex(4).encode()
    signed = signature(secret, at, body)
    return (await stage.slack.deliver(body, content_type=FORM, timestamp=at, signature=signed)).status


async def uses(stage: Stage) -> dict[str, float | None]:
    """When each secret was last used, in seconds before now."""
    found = {}
    async with stage.context.db.read() as tx:
        for setting in (GITHUB, f"{GITHUB}_OLD", SLACK, f"{SLACK}_OLD"):
            at = await last_used(tx, setting)
            found[setting] = None if at is None else round(stage.clock.now() - at)
    return {setting: ago for setting, ago in found.items() if ago is not None}


async def counted(stage: Stage) -> dict[str, float]:
    """The metric by setting."""
    samples = [
        sample for metric in stage.context.metrics.signed_requests.collect() for sample in metric.samples
    ]
    return {one.labels["setting"]: one.value for one in samples if one.name.endswith("_total")}


async def test_deliveries_signed_with_either_secret_are_stored(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(
        database_url, clock, private_key, github_webhook_secret=NEW, github_webhook_secret_old=FORMER
    ) as stage:
        third, stage.github.webhook_secret = stage.github.webhook_secret, FORMER
        with structlog.testing.capture_logs() as logs:
            await stage.leak()
        assert [one["setting"] for one in logs if one["event"] == "old_secret_used"] == [f"{GITHUB}_OLD"]
        assert list(await uses(stage)) == [f"{GITHUB}_OLD"]
        stage.github.webhook_secret = NEW
        await stage.leak()
        assert len(stage.slack.cards(CHANNEL)) == 2
        assert list(await uses(stage)) == [GITHUB, f"{GITHUB}_OLD"]
        stage.github.webhook_secret = third
        await stage.leak()
        assert len(stage.slack.cards(CHANNEL)) == 2
        counts = await counted(stage)
        assert counts[GITHUB.lower()] >= 1
        assert counts[f"{GITHUB}_OLD".lower()] >= 1
        stage.check()


async def test_requests_of_slack_signed_with_either_secret_are_answered(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(
        database_url, clock, private_key, slack_signing_secret=NEW, slack_signing_secret_old=FORMER
    ) as stage:
        sandbox = stage.slack.signing_secret
        for secret, status in ((FORMER, 200), (NEW, 200), (sandbox, 401), ("", 401)):
            assert await status_of(stage, secret) == status, secret
        assert list(await uses(stage)) == [SLACK, f"{SLACK}_OLD"]
        assert await counted(stage) == {SLACK.lower(): 1.0, f"{SLACK}_OLD".lower(): 1.0}


async def test_the_time_of_a_use_is_stored_once_a_minute(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(
        database_url, clock, private_key, slack_signing_secret=NEW, slack_signing_secret_old=FORMER
    ) as stage:
        await status_of(stage, NEW)
        clock.advance(30)
        await status_of(stage, NEW)
        assert await uses(stage) == {SLACK: 30}
        clock.advance(31)
        await status_of(stage, NEW)
        assert await uses(stage) == {SLACK: 0}


async def test_a_use_that_can_not_be_stored_costs_no_request(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """The request itself is stored; the next minute's use is noted again."""
    async with open_stage(
        database_url, clock, private_key, slack_signing_secret=NEW, slack_signing_secret_old=FORMER
    ) as stage:
        async with stage.context.db.begin() as tx:
            await tx.conn.execute(sa.text("ALTER TABLE mark RENAME TO gone"))
        with structlog.testing.capture_logs() as logs:
            assert await status_of(stage, NEW) == 200
        [told] = [one for one in logs if one["event"] == "secret_use_not_stored"]
        assert told["setting"] == SLACK
        async with stage.context.db.begin() as tx:
            await tx.conn.execute(sa.text("ALTER TABLE gone RENAME TO mark"))
        clock.advance(61)
        await status_of(stage, NEW)
        assert await uses(stage) == {SLACK: 0}


async def test_without_an_old_secret_no_use_is_stored(stage: Stage) -> None:
    await stage.leak()
    await stage.type(OWNER, "help")
    assert (await uses(stage), await counted(stage)) == ({}, {})
