"""The sweep: what a webhook did not tell is found, old alerts are told in one summary, and nothing comes twice."""

import asyncio

import pytest

from bot.flows.alerts.sync import request_sync, sync_installation
from bot.rules.sync_scope import FULL_SYNC_INTERVAL
from integrations.sandbox.slack import SlackMessage
from storage import alerts, job_queue, saved_values
from storage.clock import Clock
from storage.records import AlertState, EventKind, InstallationId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of, open_stage

INTERVAL = 900
LISTS = r"GET /orgs/octo/secret-scanning/alerts"


def summaries(stage: Stage) -> list[SlackMessage]:
    return [m for m in stage.slack.channel_messages(CHANNEL) if "show_list" in m.action_ids]


async def forget_first_sweep(stage: Stage) -> None:
    """As if Stanch had never looked at this installation."""
    async with stage.context.db.begin() as tx:
        for installation in stage.github.installations.values():
            await saved_values.save(tx, f"sweep:{installation.id}", None)
            await saved_values.save(tx, f"sweep:{installation.id}:generic", None)


async def sweep(stage: Stage) -> None:
    """Have everything swept, and let the work be done."""
    stage.clock.advance(INTERVAL)
    await request_sync(stage.context, every=INTERVAL)
    await stage.work(within=30)


async def test_an_alert_whose_webhook_was_lost_gets_its_card(stage: Stage) -> None:
    stage.github.webhook_url = None
    stage.github.leak(stage.repository)
    await sweep(stage)
    assert "octo/payments" in stage.card().shown_text
    await sweep(stage)
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_a_generic_alert_is_found_too(stage: Stage) -> None:
    stage.github.webhook_url = None
    stage.github.leak(stage.repository, secret_type="rsa_private_key")
    await sweep(stage)
    assert "Private Key" in stage.card().shown_text


async def test_a_closure_that_no_webhook_told_is_seen(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.clock.advance(60)
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix", comment="Known.")
    await sweep(stage)
    assert "Closed as won't fix" in stage.card().shown_text
    assert "Known." in stage.card().shown_text


async def test_the_first_sweep_stores_silently_and_posts_one_summary(stage: Stage) -> None:
    stage.github.webhook_url = None
    for number in range(2_000):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    closed = stage.github.leak(stage.repository, secret_type="stripe_api_key", path="old.py")
    stage.github.close(closed, by=stage.people[OWNER], resolution="revoked")
    await forget_first_sweep(stage)
    await sweep(stage)
    async with stage.context.db.read() as tx:
        counted = await alerts.count_by_state(tx)
    assert (counted[AlertState.OPEN], counted[AlertState.RESOLVED]) == (2_000, 1)
    [message] = stage.slack.channel_messages(CHANNEL)
    [summary] = summaries(stage)
    assert message == summary
    assert "*2000 alerts* in 1 repository, from before Stanch was connected" in summary.shown_text
    await stage.type(OWNER, "list")
    shown = await stage.slack.command(OWNER, CHANNEL, "show octo/payments#1777")
    assert "alert 1777" in shown.json()["text"]


async def test_a_sweep_that_github_breaks_off_goes_on_until_it_is_done(stage: Stage) -> None:
    stage.github.webhook_url = None
    for number in range(130):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    await forget_first_sweep(stage)
    stage.github.faults.add(LISTS, status=503, times=2)
    stage.github.faults.add(LISTS, status=429, headers={"retry-after": "60"}, times=1)
    await sweep(stage)
    await stage.work(within=300)
    async with stage.context.db.read() as tx:
        assert (await alerts.count_by_state(tx))[AlertState.OPEN] == 130
    assert len(summaries(stage)) == 1


async def test_a_sweep_that_ends_in_the_middle_begins_again_and_sees_what_changed_meanwhile(
    stage: Stage,
) -> None:
    stage.github.webhook_url = None
    leaked = [
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
        for number in range(230)
    ]
    await forget_first_sweep(stage)
    first = stage.github.faults.gate(LISTS, at="before", times=1)
    await request_sync(stage.context, every=INTERVAL + 1)
    sweeping = asyncio.create_task(stage.work(within=30))
    await first.reached(timeout=10)
    second = stage.github.faults.gate(LISTS, at="before", times=1)
    first.open()
    await second.reached(timeout=10)
    # As at a kill: what runs ends where it is, and the next process takes its jobs over.
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    second.drop()
    stage.clock.advance(60)
    stage.github.close(leaked[0], by=stage.people[OWNER], resolution="revoked")
    stage.clock.advance(60)
    await job_queue.recover(stage.context.db, max_attempts=8)
    await stage.work(within=120)
    async with stage.context.db.read() as tx:
        counted = await alerts.count_by_state(tx)
    assert (counted[AlertState.OPEN], counted[AlertState.RESOLVED]) == (229, 1)
    [summary] = summaries(stage)
    assert stage.slack.cards(CHANNEL) == []
    assert "in 1 repository" in summary.shown_text


async def test_a_repository_given_later_is_told_in_one_summary(stage: Stage) -> None:
    stage.clock.advance(2 * 3600)
    await sweep(stage)
    stage.github.webhook_url = None
    old = stage.github.add_repository(stage.github.app_owner, "legacy")
    for number in range(3):
        alert = stage.github.leak(old, secret_type="stripe_api_key", path=f"{number}.py")
        alert.created_at = stage.clock.now() - 30 * 86400
    await sweep(stage)
    assert stage.slack.cards(CHANNEL) == []
    assert "3 alerts" in summaries(stage)[0].shown_text


async def test_an_old_alert_that_becomes_public_is_news(stage: Stage) -> None:
    url, stage.github.webhook_url = stage.github.webhook_url, None
    alert = stage.github.leak(stage.repository, secret_type="stripe_api_key")
    await forget_first_sweep(stage)
    await sweep(stage)
    assert stage.slack.cards(CHANNEL) == []
    stage.github.webhook_url = url
    stage.clock.advance(5)
    stage.github.set_public_leak(alert)
    await stage.work(within=10)
    assert "leaked" in stage.card().shown_text.lower()
    await stage.click(ADMIN, "take")
    assert f"<@{ADMIN}>" in stage.card().shown_text


async def test_a_delivery_that_failed_is_asked_for_again_once(stage: Stage) -> None:
    right, stage.github.webhook_url = stage.github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    await stage.work()
    stage.github.leak(stage.repository)
    await stage.github.settle()
    stage.github.webhook_url = right
    before = len(stage.github.deliveries)
    await sweep(stage)
    again = stage.github.deliveries[before:]
    assert [(one.event, one.status_code) for one in again] == [("secret_scanning_alert", 202)]
    await sweep(stage)
    assert len(stage.github.deliveries) == before + 1
    assert len(stage.slack.cards(CHANNEL)) == 1


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_an_attempt_that_github_refuses_stops_no_other(stage: Stage, status: int) -> None:
    right, stage.github.webhook_url = stage.github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    await stage.work()
    for _ in range(3):
        stage.github.leak(stage.repository)
    await stage.github.settle()
    stage.github.webhook_url = right
    attempts = r"POST /app/hook/deliveries/\d+/attempts"
    stage.github.faults.add(attempts, times=1, status=status, body={"message": "Not redeliverable"})
    before = len(stage.github.deliveries)
    await sweep(stage)
    assert [one.status_code for one in stage.github.deliveries[before:]] == [202, 202]
    # What was refused once is not asked for at every sweep again.
    asked = len(stage.github.calls("POST", r"/app/hook/deliveries/\d+/attempts"))
    stage.clock.advance(600)
    await sweep(stage)
    assert len(stage.github.calls("POST", r"/app/hook/deliveries/\d+/attempts")) == asked == 3


async def test_without_a_webhook_secret_alerts_come_by_sweep(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_webhook_secret=None) as stage:
        stage.github.webhook_url = None
        stage.github.leak(stage.repository)
        await sweep(stage)
        assert "octo/payments" in stage.card().shown_text
        assert stage.github.calls("GET", "/app/hook/deliveries") == []
        stage.check()


async def test_what_leaks_while_the_first_sweep_runs_has_its_card(stage: Stage) -> None:
    """The sweep may see it before the webhook's turn comes, and takes everything for old that it sees first."""
    await forget_first_sweep(stage)
    stage.github.deliver = "hold"
    stage.github.leak(stage.repository, secret_type="stripe_api_key")
    stage.github.leak(stage.repository, token=stage.live_token())
    await sweep(stage)
    [summary] = summaries(stage)
    assert "*2 alerts" in summary.shown_text
    assert stage.slack.cards(CHANNEL) == []
    _, created = stage.github.held
    assert await stage.github.send(created) == 202
    await stage.work(within=30)
    assert "GitHub Personal Access Token" in stage.card().shown_text
    assert "*1 alert" in summaries(stage)[0].shown_text


async def test_each_repository_of_a_user_is_swept_to_its_own_end(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Without webhooks: an old alert in the first repository ends the look at that one alone."""
    opened = open_stage(database_url, clock, private_key, github_accounts="solo", github_webhook_secret=None)
    async with opened as stage:
        stage.github.webhook_url = None
        solo = stage.github.add_user("solo")
        first, second = (stage.github.add_repository(solo, name) for name in ("first", "second"))
        stage.github.install(solo)
        stage.github.leak(first, token=stage.live_token())
        await sweep(stage)
        stage.clock.advance(2 * 3600)
        await sweep(stage)
        stage.clock.advance(2 * 3600)
        late = stage.github.leak(second, token=stage.live_token())
        await sweep(stage)
        assert await stage.stored(late) is not None


async def test_what_was_taken_from_the_app_and_given_back_is_found_without_webhooks(stage: Stage) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    [installation] = stage.github.installations.values()
    stage.github.uninstall(installation)
    await sweep(stage)
    assert "close_as" not in stage.card().action_ids
    stage.github.install(stage.github.app_owner)
    await sweep(stage)
    assert "close_as" in stage.card().action_ids


async def test_a_deleted_repository_is_found_without_webhooks(stage: Stage) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    stage.github.delete_repository(stage.repository)
    await sweep(stage)
    assert "close_as" not in stage.card().action_ids


async def test_a_suspended_installation_is_found_without_webhooks(stage: Stage) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    [installation] = stage.github.installations.values()
    stage.github.suspend(installation)
    await sweep(stage)
    assert "close_as" not in stage.card().action_ids


async def test_once_a_day_every_alert_is_looked_at_again(stage: Stage) -> None:
    """Not every change moves GitHub's `updated_at`, by which the syncs between end early."""
    alert = await stage.leak(secret_type="stripe_api_key")
    stage.clock.advance(7200)
    await sweep(stage)
    alert.checked_validity = "active"
    stage.clock.advance(7200)
    await sweep(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.validity == "unknown", "what has not moved is not read at each sync"
    stage.clock.advance(FULL_SYNC_INTERVAL)
    await sweep(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.validity == "active"


async def test_a_sync_between_a_close_and_its_record_leaves_the_alert_to_who_closes_it(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    gate = stage.github.faults.gate(r"PATCH /repos/.*", at="after")
    closing = asyncio.create_task(stage.submit(ADMIN))
    await gate.reached(timeout=20)
    [installation] = stage.github.installations.values()
    await sync_installation(stage.context, InstallationId(installation.id))
    gate.open()
    await closing
    async with stage.context.db.read() as tx:
        closed = await alerts.events_of_kind(tx, key_of(alert), EventKind.CLOSED)
    assert [event.by and event.by.slack_user for event in closed] == [ADMIN]
