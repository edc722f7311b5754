"""What the doctor says where nothing is to be done, or where a platform or the database does not answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.flows.doctor.database_checks import read_stored
from bot.flows.doctor.examine import examine
from bot.flows.doctor.github_checks import page_of
from bot.flows.doctor.people_checks import check_people
from bot.flows.doctor.queue_checks import check_queue
from bot.flows.doctor.settings_checks import check_settings
from bot.rules.check_results import Level
from bot.views.doctor import sentence
from integrations.github.accounts import GitHubAccount
from integrations.github.app_facts import ENTERPRISE, AppFacts
from storage.clock import Clock
from storage.db import Database
from storage.engines import open_engines
from tests.flows import planted_faults as plants
from tests.flows.planted_faults import Plant, healthy
from tests.flows.stage import CHANNEL, OWNER, UNLINKED, Stage, open_stage
from tests.flows.test_doctor import AUDIT_KEY, findings

pytestmark = pytest.mark.either_database


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, stanch_audit_key=AUDIT_KEY) as stage:
        yield stage
        stage.check()


NOTES: dict[str, tuple[Plant, str]] = {
    "channels.not_asked": (
        plants.on_slack("conversations.info", "internal_error"),
        "Channels that could not be asked about: 1.",
    ),
    "github.not_served": (
        plants.installed_elsewhere,
        "The App is also installed on labs, which GITHUB_ACCOUNTS does not name.",
    ),
    "webhooks.off": (
        plants.hook_at(None, github_webhook_secret=None, stanch_sync_interval=600),
        "The App has no webhook; alerts come by sync, every 600 seconds.",
    ),
    "webhooks.not_asked": (
        plants.on_github("GET /app/hook/config", status=503, body={"message": "down"}),
        "The App's webhook could not be asked about: GitHub answered 503",
    ),
}


async def test_what_needs_nothing_to_be_done_is_said_and_is_no_finding(stage: Stage) -> None:
    for code, (plant, words) in NOTES.items():
        async with plant(stage) as examined:
            found = [result for result in await examine(examined) if result.level is not Level.OK]
        told = [result for result in found if result.code != "settings.no_sign_in"]
        assert [result.code for result in told] == [code]
        assert sentence(told[0]).startswith(words)
        assert [result for result in found if result.is_finding] == []


async def test_a_slack_that_does_not_answer_is_asked_about_no_further_channel(stage: Stage) -> None:
    silent = plants.on_slack("conversations.info", "internal_error")
    async with plants.subscription_with("C0WEB")(stage), silent(stage) as examined:
        before = len(stage.slack.calls("conversations.info"))
        [found] = [result for result in await examine(examined) if result.code == "channels.not_asked"]
    assert found.facts == {"number": "2", "reason": "internal_error"}
    assert [call.arguments["channel"] for call in stage.slack.calls("conversations.info")[before:]] == [
        CHANNEL
    ]


@pytest.mark.parametrize(("method", "outage"), [("auth.test", ["slack.no_answer"]), ("users.info", [])])
async def test_while_slack_does_not_answer_operators_are_looked_for_among_the_links_alone(
    stage: Stage, method: str, outage: list[str]
) -> None:
    operators = frozenset({OWNER, UNLINKED})
    async with plants.on_slack(method, "internal_error", stanch_operators=operators)(stage) as examined:
        found = await findings(examined)
    assert [(one.code, one.subject) for one in found if one.group == "people"] == [
        ("people.operator_not_linked", UNLINKED)
    ]
    assert [one.code for one in found if one.group == "slack"] == outage


async def test_without_the_app_s_id_a_remedy_names_the_list_of_apps(stage: Stage) -> None:
    silent = plants.on_slack("bots.info", "internal_error")
    async with plants.without_scope("im:write")(stage), silent(stage) as examined:
        [found] = await findings(examined)
    assert (found.code, found.facts["page"]) == ("slack.scope_missing", f"{stage.slack.origin}/apps")


async def test_deliveries_of_more_than_a_day_ago_are_not_told(stage: Stage) -> None:
    async with plants.nobody_at_the_address(stage) as examined:
        assert [result.code for result in await findings(examined)] == ["webhooks.failing"]
        stage.clock.advance(86_500)
        assert await findings(healthy(stage)) == []


async def test_a_database_that_fails_after_the_first_check_is_no_finding_of_the_others(
    stage: Stage, tmp_path: Path
) -> None:
    """They say what they know without it."""
    (tmp_path / "text.db").write_text("no database" * 500)
    url = f"sqlite+aiosqlite:///{tmp_path}/text.db"
    broken = Database(url, clock=stage.clock, engines=open_engines(url))
    examined = replace(healthy(stage, slack_signing_secret_old=SecretStr("0" * 32)), db=broken)
    stored = await read_stored(stage.context.db)
    assert await check_queue(examined, stored) == []
    assert [one.code for one in await check_people(examined, stored, slack_answers=True)] == ["people.ok"]
    assert [one.code for one in await check_settings(examined, stored) if one.is_finding] == [
        "settings.old_secret"
    ]
    await broken.close()


def test_the_page_of_an_app_that_an_enterprise_owns() -> None:
    app = AppFacts(GitHubAccount(7, "octo-corp"), ENTERPRISE, slug="stanch")
    page = "https://github.com/enterprises/octo-corp/settings/apps/stanch/permissions"
    assert page_of("https://github.com", app, "/permissions") == page
