"""Whose installations count: accounts that are named, by numeric id, whoever has their names later."""

import json
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.app import build_context
from bot.cli.github_accounts import open_accounts
from bot.errors import StartRefused
from bot.flows.alerts.sync import request_sync
from bot.inbound import health
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import Options
from integrations.sandbox.github import Enterprise, GitHubRepository
from storage.clock import Clock
from storage.tables import saved_value
from tests.flows.stage import CHANNEL, Stage, open_stage, plain

pytestmark = pytest.mark.either_database

DOWN = ".*"


async def restart(stage: Stage, **changes: Any) -> None:
    """Let another process take the place of the one that worked: it knows what the database knows."""
    settings = stage.settings.model_copy(update=changes)
    context = build_context(settings, Options(), stage.context.db, stage.context.session, stage.clock)
    await context.platforms.check_slack()
    await context.platforms.check_github()
    stage.running = replace(stage.running, context=context, worker=Worker(context, HANDLERS))


async def forget(stage: Stage) -> None:
    """Leave the database as 0.1.0 does, which keeps none of this."""
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.delete(saved_value).where(~saved_value.c.key.startswith("sweep")))


async def ready(stage: Stage) -> dict[str, dict[str, str]]:
    """What `/readyz` says, for the process that works now."""
    answer = await health.readyz(stage.context)
    found: dict[str, dict[str, str]] = json.loads(answer.text or "")
    return found


def shown(stage: Stage) -> list[str]:
    return [plain(card.shown_text) for card in stage.slack.cards(CHANNEL)]


async def stranger_takes(stage: Stage, login: str) -> GitHubRepository:
    """Somebody registers a login that is free, installs the public App, and leaks a bait."""
    stranger = stage.github.add_organization(login)
    stage.github.install(stranger)
    await stage.work(within=60)
    bait = stage.github.add_repository(stranger, "bait")
    stage.github.leak(bait)
    await stage.work(within=600)
    return bait


async def test_a_renamed_account_is_followed_and_its_old_name_is_refused(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="Octo") as stage:
        octo = stage.github.app_owner
        await stage.leak()
        with capture_logs() as lines:
            stage.github.rename_account(octo, "octo-new")
            await stage.leak(path="second.env")
            await request_sync(stage.context, every=1)
            await stage.work(within=10)
        assert [line["account_id"] for line in lines if line["event"] == "account_renamed"] == [octo.id]
        assert len(shown(stage)) == 2
        said = (await ready(stage))["accounts"]
        assert said["state"] == "ok"
        assert f"octo-new or {octo.id}" in said["reason"]
        bait = await stranger_takes(stage, "octo")
        assert "another account" in (await ready(stage))["accounts"]["reason"]
        await restart(stage)
        stage.github.leak(bait)
        await stage.work(within=600)
        assert "another account" in (await ready(stage))["accounts"]["reason"]
        assert len(shown(stage)) == 2
        assert set(await stage.audited("delivery")) == {("refused", "foreign_account")}
        await stage.leak(path="third.env")
        assert len(shown(stage)) == 3
        stage.check()


async def test_an_account_that_is_named_as_before_again_leaves_no_remark(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo") as stage:
        octo = stage.github.app_owner
        for login, said in (("octo-new", f"octo-new or {octo.id}"), ("Octo", "known")):
            stage.github.rename_account(octo, login)
            with capture_logs() as lines:
                await request_sync(stage.context, every=1)
                await stage.work(within=10)
            renamed = [line for line in lines if line["event"] == "account_renamed"]
            assert len(renamed) == (login == "octo-new")
            assert said in (await ready(stage))["accounts"]["reason"]
            clock.advance(60)
        stage.check()


async def test_accounts_are_named_by_id_as_well(database_url: str, clock: Clock, private_key: str) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="1") as stage:
        await stage.leak()
        assert shown(stage) == []
        assert ("refused", "foreign_account") in await stage.audited("delivery")
        await restart(stage, github_accounts=frozenset({str(stage.github.app_owner.id), "1"}))
        stage.github.rename_account(stage.github.app_owner, "octo-new")
        await stage.leak(path="second.env")
        assert len(shown(stage)) == 1
        assert (await ready(stage))["accounts"] == {"state": "ok", "reason": "known"}


@pytest.mark.parametrize("squatted", [False, True])
async def test_at_an_upgrade_a_name_is_compared_with_the_ids_that_are_stored(
    database_url: str, clock: Clock, private_key: str, squatted: bool
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo") as stage:
        await stage.leak()
        await forget(stage)
        stage.github.webhook_url = None
        octo = stage.github.app_owner
        stage.github.rename_account(octo, "octo-new")
        if squatted:
            stranger = stage.github.add_organization("octo")
            stage.github.install(stranger)
            with pytest.raises(StartRefused, match="set the numeric id") as refused:
                await restart(stage)
            assert str(octo.id) in str(refused.value)
            assert str(stranger.id) in str(refused.value)
            await restart(stage, github_accounts=frozenset({str(octo.id)}))
        else:
            await restart(stage)
        stage.github.webhook_url = stage.address("/github/webhooks")
        await stage.leak(path="second.env")
        assert len(shown(stage)) == 2


async def test_a_name_that_means_nobody_is_said_and_found_once_the_app_is_installed(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo-labs") as stage:
        said = (await ready(stage))["accounts"]
        assert said["state"] == "failing"
        assert "not installed on octo-labs" in said["reason"]
        labs = stage.github.add_organization("octo-labs")
        stage.github.install(labs)
        stage.github.leak(stage.github.add_repository(labs, "web"))
        await stage.work(within=20)
        assert len(shown(stage)) == 1
        assert (await ready(stage))["accounts"] == {"state": "ok", "reason": "known"}


async def test_nobody_is_dropped_or_let_in_before_github_said_whom_a_name_means(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo") as stage:
        await forget(stage)
        outage = stage.github.faults.add(DOWN, times=None, status=503)
        await restart(stage)
        stage.github.leak(stage.repository)
        await stage.work(within=30)
        assert (await ready(stage))["accounts"]["state"] == "failing"
        assert shown(stage) == []
        assert await stage.audited("delivery") == []
        stage.github.faults.remove(outage)
        await stage.work(within=60)
        assert len(shown(stage)) == 1


async def test_an_app_of_an_enterprise_serves_its_organizations(stage: Stage) -> None:
    """GitHub's docs: such an App can be installed on organizations of the enterprise alone."""
    # Its id says nothing: enterprises and accounts are counted apart.
    stage.github.app_enterprise = Enterprise(7, "octo-ent")
    await forget(stage)
    await restart(stage)
    await stage.leak()
    assert len(shown(stage)) == 1
    said = await ready(stage)
    assert said["github"]["state"] == said["accounts"]["state"] == "ok"
    assert "enterprise octo-ent" in said["accounts"]["reason"]
    async with open_accounts(stage.settings, stage.context.db) as accounts:
        assert (await accounts.find("leaky-dev")).id == stage.leaker.id


async def test_the_owner_is_known_while_github_is_down_after_a_restart(stage: Stage) -> None:
    await stage.leak()
    outage = stage.github.faults.add(DOWN, times=None, status=503)
    await restart(stage)
    stage.github.leak(stage.repository, path="second.env")
    await stage.work(within=10)
    assert len(shown(stage)) == 2
    stage.github.faults.remove(outage)
    await stage.work(within=7200)
    assert any("second.env" in card for card in shown(stage))
