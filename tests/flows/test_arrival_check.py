"""Checks of new tokens without a click: which ones, at what pace, and what follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.flows.alerts.arrival_check import PACE
from bot.flows.alerts.sync import request_sync
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import Options, ValidityOptions
from bot.rules.arrival_check import HOUR, ArrivalPace
from integrations.sandbox.github import GitHubAlert, GitHubUser
from storage import alerts, saved_values
from storage.clock import Clock
from storage.records import EventKind
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of, open_stage
from tests.flows.test_check import literals, written
from tests.flows.test_roles import organization

pytestmark = pytest.mark.either_database

ALL = Options(validity=ValidityOptions(check_on_arrival="all"))
MEMBERS = Options(validity=ValidityOptions(check_on_arrival="members"))


@pytest.fixture
async def all_checked(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, options=ALL) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def members_checked(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, options=MEMBERS) as stage:
        yield stage
        stage.check()


def probe_times(stage: Stage) -> list[float]:
    return [call.at for call in stage.github.calls("GET", "/user|/rate_limit") if call.auth != "app"]


def dead_token(stage: Stage) -> Any:
    token = stage.live_token()
    stage.github.revoke_token(token)
    return token


async def leak_of(stage: Stage, owner: GitHubUser, *, login: str | None = None) -> GitHubAlert:
    """Leak a token whose metadata names its owner."""
    token = stage.github.add_live_token(owner=owner, scopes=("repo",))
    metadata = {"owner-name": login or owner.login, "owner-id": str(owner.id)}
    return await stage.leak(token=token, metadata=metadata)


async def leak_tokens(stage: Stage, count: int, *, dead: bool = False) -> None:
    """Leak so many tokens at the same moment, and wait for their cards."""
    for number in range(count):
        token = dead_token(stage) if dead else stage.live_token()
        stage.github.leak(stage.repository, token=token, path=f"src/{number}.py")
    await stage.work(within=8)


async def test_without_the_option_nothing_is_probed_on_arrival(stage: Stage) -> None:
    await leak_of(stage, stage.people[ADMIN])
    await stage.work(within=HOUR)
    assert probe_times(stage) == []
    assert literals(stage) == []


async def test_a_new_token_is_probed_once_and_the_card_says_by_whom(all_checked: Stage) -> None:
    stage = all_checked
    alert = await stage.leak()
    await stage.work(within=HOUR)
    assert len(probe_times(stage)) == len(literals(stage)) == 1
    assert "by Stanch" in stage.read()
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.probe is not None
    assert (stored.probe.verdict, stored.probe.by) == ("active", None)
    assert stored.token.owner is not None
    assert stored.token.owner.login == "leaky-dev"


async def test_a_check_on_arrival_writes_nothing_and_posts_nothing(all_checked: Stage) -> None:
    stage = all_checked
    alert = await stage.leak()
    await stage.work(within=60)
    assert written(stage) == []
    assert alert.validity == "unknown"
    assert stage.slack.thread(CHANNEL, stage.card().ts) == []
    assert len(stage.slack.channel_messages(CHANNEL)) == 1
    async with stage.context.db.read() as tx:
        [event] = await alerts.events_of_kind(tx, key_of(alert), EventKind.PROBED)
    assert event.details["user_agent"] == stage.context.user_agent
    await stage.pick(ADMIN, "more", "history")
    assert "Checked on arrival" in stage.answer_to(ADMIN)


async def test_a_secret_of_another_provider_is_not_fetched(all_checked: Stage) -> None:
    await all_checked.leak(secret_type="stripe_api_key")
    await all_checked.work(within=HOUR)
    assert literals(all_checked) == []


async def test_the_token_of_a_member_is_probed(members_checked: Stage) -> None:
    await leak_of(members_checked, members_checked.people[ADMIN])
    await members_checked.work(within=60)
    assert len(probe_times(members_checked)) == 1


async def test_the_tokens_of_others_are_not_probed(members_checked: Stage) -> None:
    """A stranger, somebody who has not accepted, a renamed account's former login, and an unknown owner."""
    stage = members_checked
    invited = stage.github.add_user("invited")
    stage.github.add_member(organization(stage), invited, state="pending")
    await leak_of(stage, stage.leaker)
    await leak_of(stage, invited)
    await leak_of(stage, stage.leaker, login="octo-admin")
    await stage.leak()
    await stage.work(within=HOUR)
    assert literals(stage) == []


async def test_an_owner_who_can_t_be_asked_for_counts_as_no_member(members_checked: Stage) -> None:
    stage = members_checked
    stage.github.faults.add("GET /orgs/.*/memberships/.*", status=403)
    await leak_of(stage, stage.people[ADMIN])
    await stage.work(within=HOUR)
    assert literals(stage) == []


async def test_the_token_of_a_member_is_probed_once_its_owner_is_known(members_checked: Stage) -> None:
    stage = members_checked
    owner = stage.people[ADMIN]
    alert = await stage.leak(token=stage.github.add_live_token(owner=owner))
    stage.clock.advance(60)
    stage.github.add_metadata(alert, {"owner-name": owner.login, "owner-id": str(owner.id)})
    await stage.work(within=60)
    assert len(probe_times(stage)) == 1


async def test_checks_on_arrival_are_ten_seconds_apart(all_checked: Stage) -> None:
    await leak_tokens(all_checked, 4)
    await all_checked.work(within=120)
    times = probe_times(all_checked)
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) >= 10


async def test_two_processes_keep_the_pace_together(all_checked: Stage) -> None:
    stage = all_checked
    for number in range(3):
        stage.github.leak(stage.repository, token=stage.live_token(), path=f"{number}.py")
    await stage.github.settle()
    other = replace(stage.context, probe_lock=asyncio.Lock())
    workers = [stage.running.worker, Worker(other, HANDLERS)]
    for _ in range(12):
        await asyncio.gather(*(worker.run_due() for worker in workers))
        stage.clock.advance(5)
    times = probe_times(stage)
    assert len(times) == 3
    assert min(later - earlier for earlier, later in pairwise(times)) >= 10


async def test_at_most_thirty_are_probed_in_an_hour(all_checked: Stage) -> None:
    stage = all_checked
    now = stage.clock.now()
    pace = ArrivalPace(at=tuple(now - 600 + 10 * number for number in range(29)))
    async with stage.context.db.begin() as tx:
        await saved_values.save(tx, PACE, pace.to_json())
    await leak_tokens(stage, 2)
    await stage.work(within=2900)
    assert len(probe_times(stage)) == 1
    await stage.work(within=3100)
    assert len(probe_times(stage)) == 2


async def test_after_three_refused_tokens_no_more_are_probed_for_an_hour(all_checked: Stage) -> None:
    await leak_tokens(all_checked, 5, dead=True)
    await all_checked.work(within=2 * HOUR)
    assert len(probe_times(all_checked)) == 3, "the others are no longer new when the hour is over"
    await all_checked.leak()
    await all_checked.work(within=60)
    assert len(probe_times(all_checked)) == 4


async def test_alerts_in_a_summary_are_not_probed(all_checked: Stage) -> None:
    stage = all_checked
    await leak_tokens(stage, 40)
    await stage.work(within=HOUR)
    assert len(probe_times(stage)) == len(stage.slack.cards(CHANNEL)) < 30


async def test_old_alerts_are_not_probed(database_url: str, clock: Clock, private_key: str) -> None:
    async with open_stage(database_url, clock, private_key, options=ALL) as stage:
        archive = stage.github.add_repository(stage.github.app_owner, "archive")
        webhook_url, stage.github.webhook_url = stage.github.webhook_url, None
        stage.github.leak(archive, token=stage.live_token(), created_at=clock.now() - 86_400)
        stage.github.webhook_url = webhook_url
        clock.advance(1000)
        await request_sync(stage.context, every=900)
        await stage.work(within=HOUR)
        assert literals(stage) == []
        stage.check()


async def test_a_token_that_a_person_checked_first_is_not_probed_again(all_checked: Stage) -> None:
    stage = all_checked
    await leak_tokens(stage, 2)
    for card in stage.slack.cards(CHANNEL):
        await stage.slack.click(ADMIN, CHANNEL, card.ts, "check_validity")
    await stage.work(within=600)
    assert len(probe_times(stage)) <= 3


async def test_an_alert_that_is_closed_before_its_turn_is_not_probed(all_checked: Stage) -> None:
    stage = all_checked
    leaked = [
        stage.github.leak(stage.repository, token=stage.live_token(), path=f"{number}.py")
        for number in range(2)
    ]
    await stage.work(within=3)
    assert len(probe_times(stage)) == 1
    for alert in leaked:
        stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=600)
    assert len(probe_times(stage)) == 1


async def test_a_check_waits_for_the_details(all_checked: Stage) -> None:
    """They say whether the secret is Base64, which is decoded before it is sent."""
    stage = all_checked
    lagging = stage.github.faults.add("GET /repos/.*/secret-scanning/.*", status=404)
    alert = stage.github.leak(stage.repository, token=stage.live_token(), is_base64_encoded=True)
    await stage.work(within=30)
    assert literals(stage) == []
    stage.github.faults.remove(lagging)
    await stage.work(within=120)
    assert len(probe_times(stage)) == 1
    token = stage.github.token_of(alert)
    assert token is not None
    assert token.last_user_agent == stage.context.user_agent


async def test_an_outage_of_github_delays_the_check(all_checked: Stage) -> None:
    stage = all_checked
    await stage.leak(secret_type="stripe_api_key")
    down = stage.github.faults.add("GET /repos/.*", status=502)
    stage.github.leak(stage.repository, token=stage.live_token())
    await stage.work(within=60)
    assert probe_times(stage) == []
    stage.github.faults.remove(down)
    await stage.work(within=900)
    assert len(probe_times(stage)) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "headers": {"retry-after": "60"}}])
async def test_a_check_waits_until_github_gives_the_secret(all_checked: Stage, fault: dict[str, Any]) -> None:
    """GitHub fails at the call behind that for the details."""
    all_checked.github.faults.add(r"GET /repos/.*/alerts/\d+", skip=1, times=1, **fault)
    await all_checked.leak()
    assert probe_times(all_checked) == []
    await all_checked.work(within=120)
    assert len(probe_times(all_checked)) == 1


async def test_in_a_person_s_repository_their_own_tokens_alone_are_probed(
    database_url: str, clock: Clock, private_key: str
) -> None:
    accounts = "octo,solo"
    opened = open_stage(database_url, clock, private_key, options=MEMBERS, github_accounts=accounts)
    async with opened as stage:
        solo = stage.github.add_user("solo")
        repository = stage.github.add_repository(solo, "dotfiles")
        stage.github.install(solo)
        for owner in (stage.people[ADMIN], solo):
            token = stage.github.add_live_token(owner=owner, scopes=("repo",))
            metadata = {"owner-name": owner.login, "owner-id": str(owner.id)}
            leaked = await stage.leak(repository, token=token, metadata=metadata)
        await stage.work(within=120)
        assert literals(stage) == [f"/repos/solo/dotfiles/secret-scanning/alerts/{leaked.number}"]
        stage.check()
