"""Syncs find what no webhook reported, post old alerts in one summary, and post nothing twice."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from bot.database import SET_UP_AT
from bot.flows.alerts.sync import AT_ONCE, PACE, request_sync, sync_all, sync_installation
from bot.rules.sync_scope import FULL_SYNC_INTERVAL
from integrations.sandbox.slack import SlackMessage
from storage import alerts, job_queue, jobs, saved_values
from storage.clock import Clock
from storage.records import AlertState, EventKind, InstallationId, JobState
from storage.tables import event as event_table
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage, key_of, open_stage

pytestmark = pytest.mark.either_database

INTERVAL = 900
LISTS = r"GET /orgs/octo/secret-scanning/alerts"


def summaries(stage: Stage) -> list[SlackMessage]:
    return [m for m in stage.slack.channel_messages(CHANNEL) if "show_list" in m.action_ids]


async def forget_syncs(stage: Stage) -> None:
    """Delete all progress, as if no sync had run."""
    async with stage.context.db.begin() as tx:
        for installation in stage.github.installations.values():
            await saved_values.save(tx, f"sweep:{installation.id}", None)
            await saved_values.save(tx, f"sweep:{installation.id}:generic", None)


async def sync(stage: Stage) -> None:
    """Sync everything, and run all jobs."""
    stage.clock.advance(INTERVAL)
    await request_sync(stage.context, every=INTERVAL)
    await stage.work(within=30)


async def test_an_alert_whose_webhook_was_lost_gets_its_card(stage: Stage) -> None:
    stage.github.webhook_url = None
    stage.github.leak(stage.repository)
    await sync(stage)
    assert "octo/payments" in stage.card().shown_text
    await sync(stage)
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_an_alert_of_a_generic_type_is_found(stage: Stage) -> None:
    stage.github.webhook_url = None
    stage.github.leak(stage.repository, secret_type="rsa_private_key")
    await sync(stage)
    assert "Private Key" in stage.card().shown_text


async def test_after_a_set_up_the_first_sync_tells_old_alerts_from_new_ones(stage: Stage) -> None:
    stage.github.webhook_url = None
    stage.github.leak(stage.repository, path="old.py")
    stage.clock.advance(600)
    async with stage.context.db.begin() as tx:
        await saved_values.save(tx, SET_UP_AT, tx.now)
    stage.clock.advance(60)
    stage.github.leak(stage.repository, path="new.py")
    await forget_syncs(stage)
    await sync(stage)
    assert "new.py" in stage.card().shown_text
    [summary] = summaries(stage)
    assert "*1 alert* in 1 repository, from before Stanch was connected" in summary.shown_text


async def test_a_closure_whose_webhook_was_lost_is_shown(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.clock.advance(60)
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix", comment="Known.")
    await sync(stage)
    assert "Closed as won't fix" in stage.card().shown_text
    assert "Known." in stage.card().shown_text


async def test_the_button_of_a_summary_lists_what_the_person_may_view(stage: Stage) -> None:
    await forget_syncs(stage)
    stage.github.webhook_url = None
    for number in range(3):
        stage.github.leak(stage.repository, path=f"{number}.env")
    await sync(stage)
    [summary] = summaries(stage)
    for user, found in ((OWNER, "3 open alerts"), (READER, "No open alerts")):
        await stage.slack.click(user, CHANNEL, summary.ts, "show_list")
        await stage.work(within=3)
        assert found in stage.answer_to(user)


async def test_the_first_sync_posts_one_summary_and_no_cards(stage: Stage) -> None:
    stage.github.webhook_url = None
    for number in range(500):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    closed = stage.github.leak(stage.repository, secret_type="stripe_api_key", path="old.py")
    stage.github.close(closed, by=stage.people[OWNER], resolution="revoked")
    await forget_syncs(stage)
    await sync(stage)
    async with stage.context.db.read() as tx:
        counted = await alerts.count_by_state(tx)
    assert (counted[AlertState.OPEN], counted[AlertState.RESOLVED]) == (500, 1)
    [message] = stage.slack.channel_messages(CHANNEL)
    [summary] = summaries(stage)
    assert message == summary
    assert "*500 alerts* in 1 repository, from before Stanch was connected" in summary.shown_text
    await stage.type(OWNER, "list")
    shown = await stage.slack.command(OWNER, CHANNEL, "show octo/payments#377")
    assert "alert 377" in shown.json()["text"]


async def test_a_sync_that_github_interrupts_is_repeated_to_its_end(stage: Stage) -> None:
    stage.github.webhook_url = None
    for number in range(130):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    await forget_syncs(stage)
    stage.github.faults.add(LISTS, status=503, times=2)
    stage.github.faults.add(LISTS, status=429, headers={"retry-after": "60"}, times=1)
    await sync(stage)
    await stage.work(within=300)
    async with stage.context.db.read() as tx:
        assert (await alerts.count_by_state(tx))[AlertState.OPEN] == 130
    assert len(summaries(stage)) == 1


async def test_a_killed_sync_is_repeated_and_finds_later_changes(
    stage: Stage,
) -> None:
    stage.github.webhook_url = None
    leaked = [
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
        for number in range(230)
    ]
    await forget_syncs(stage)
    first = stage.github.faults.gate(LISTS, at="before", times=1)
    await request_sync(stage.context, every=INTERVAL + 1)
    syncing = asyncio.create_task(stage.work(within=30))
    await first.reached(timeout=10)
    second = stage.github.faults.gate(LISTS, at="before", times=1)
    first.open()
    await second.reached(timeout=10)
    # Like a kill: the run ends where it is, and the next process takes its jobs over.
    syncing.cancel()
    await asyncio.gather(syncing, return_exceptions=True)
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


async def test_a_repository_added_later_gets_one_summary(stage: Stage) -> None:
    stage.clock.advance(2 * 3600)
    await sync(stage)
    stage.github.webhook_url = None
    old = stage.github.add_repository(stage.github.app_owner, "legacy")
    for number in range(3):
        alert = stage.github.leak(old, secret_type="stripe_api_key", path=f"{number}.py")
        alert.created_at = stage.clock.now() - 30 * 86400
    await sync(stage)
    assert stage.slack.cards(CHANNEL) == []
    assert "3 alerts" in summaries(stage)[0].shown_text


async def test_an_old_alert_that_becomes_public_gets_a_card(stage: Stage) -> None:
    url, stage.github.webhook_url = stage.github.webhook_url, None
    alert = stage.github.leak(stage.repository, secret_type="stripe_api_key")
    await forget_syncs(stage)
    await sync(stage)
    assert stage.slack.cards(CHANNEL) == []
    stage.github.webhook_url = url
    stage.clock.advance(5)
    stage.github.set_public_leak(alert)
    await stage.work(within=10)
    assert "leaked" in stage.card().shown_text.lower()
    await stage.click(ADMIN, "take")
    assert f"<@{ADMIN}>" in stage.card().shown_text


async def test_a_failed_delivery_is_redelivered_once(stage: Stage) -> None:
    right, stage.github.webhook_url = stage.github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    await stage.work()
    stage.github.leak(stage.repository)
    await stage.github.settle()
    stage.github.webhook_url = right
    before = len(stage.github.deliveries)
    await sync(stage)
    again = stage.github.deliveries[before:]
    assert [(one.event, one.status_code) for one in again] == [("secret_scanning_alert", 202)]
    await sync(stage)
    assert len(stage.github.deliveries) == before + 1
    assert len(stage.slack.cards(CHANNEL)) == 1


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_refused_redelivery_does_not_stop_the_others(stage: Stage, status: int) -> None:
    right, stage.github.webhook_url = stage.github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    await stage.work()
    for _ in range(3):
        stage.github.leak(stage.repository)
    await stage.github.settle()
    stage.github.webhook_url = right
    attempts = r"POST /app/hook/deliveries/\d+/attempts"
    stage.github.faults.add(attempts, times=1, status=status, body={"message": "Not redeliverable"})
    before = len(stage.github.deliveries)
    await sync(stage)
    assert [one.status_code for one in stage.github.deliveries[before:]] == [202, 202]
    # A refused redelivery is not requested again at every sync.
    asked = len(stage.github.calls("POST", r"/app/hook/deliveries/\d+/attempts"))
    stage.clock.advance(600)
    await sync(stage)
    assert len(stage.github.calls("POST", r"/app/hook/deliveries/\d+/attempts")) == asked == 3


@contextmanager
def counted_by_commit(beginning: str) -> Iterator[list[int]]:
    """How many statements with this beginning each commit has, of those that have any."""
    counts: list[int] = []

    def on_execute(conn: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning):
            conn.info["counted"] = conn.info.get("counted", 0) + 1

    def on_commit(conn: sa.Connection) -> None:
        if count := conn.info.pop("counted", 0):
            counts.append(count)

    listeners = (("before_cursor_execute", on_execute), ("commit", on_commit))
    for event, listener in listeners:
        sa.event.listen(sa.Engine, event, listener)
    yield counts
    for event, listener in listeners:
        sa.event.remove(sa.Engine, event, listener)


async def test_each_new_alert_is_stored_in_its_own_transaction(stage: Stage) -> None:
    """With two in one, PostgreSQL would end the sync or a delivery of the second one as a deadlock."""
    stage.github.webhook_url = None
    for number in range(3):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    with counted_by_commit("INSERT INTO alert ") as stored:
        await sync(stage)
    assert stored == [1, 1, 1]


async def test_old_alerts_are_stored_in_the_order_in_which_a_flood_locks_them(stage: Stage) -> None:
    """And those that change later alone, since they may lock a channel."""
    stage.github.webhook_url = None
    leaked = [stage.github.leak(stage.repository, secret_type="stripe_api_key") for _ in range(3)]
    await forget_syncs(stage)
    with counted_by_commit("INSERT INTO alert ") as stored:
        await sync(stage)
    assert stored == [3]
    async with stage.context.db.read() as tx:
        found = sa.select(event_table.c.alert_number).order_by(event_table.c.id)
        assert list(await tx.conn.scalars(found)) == [alert.number for alert in leaked]
    stage.clock.advance(2 * 3600)
    await sync(stage)
    for alert in leaked:
        stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    with counted_by_commit("UPDATE alert SET repository_id") as changed:
        await sync(stage)
    assert changed == [1, 1, 1]


async def test_without_a_webhook_secret_alerts_come_by_sync(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_webhook_secret=None) as stage:
        stage.github.webhook_url = None
        stage.github.leak(stage.repository)
        await sync(stage)
        assert "octo/payments" in stage.card().shown_text
        assert stage.github.calls("GET", "/app/hook/deliveries") == []
        stage.check()


async def test_an_alert_created_during_the_first_sync_gets_a_card(stage: Stage) -> None:
    """The sync may find it before its webhook is handled, and treats all alerts that it finds first as old."""
    await forget_syncs(stage)
    stage.github.deliver = "hold"
    stage.github.leak(stage.repository, secret_type="stripe_api_key")
    stage.github.leak(stage.repository, token=stage.live_token())
    await sync(stage)
    [summary] = summaries(stage)
    assert "*2 alerts" in summary.shown_text
    assert stage.slack.cards(CHANNEL) == []
    _, created = stage.github.held
    assert await stage.github.send(created) == 202
    await stage.work(within=30)
    assert "GitHub Personal Access Token" in stage.card().shown_text
    assert "*1 alert" in summaries(stage)[0].shown_text


async def test_an_old_alert_ends_the_reading_of_its_own_repository_only(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """For a user's account, without webhooks."""
    opened = open_stage(database_url, clock, private_key, github_accounts="solo", github_webhook_secret=None)
    async with opened as stage:
        stage.github.webhook_url = None
        solo = stage.github.add_user("solo")
        first, second = (stage.github.add_repository(solo, name) for name in ("first", "second"))
        stage.github.install(solo)
        stage.github.leak(first, token=stage.live_token())
        await sync(stage)
        stage.clock.advance(2 * 3600)
        await sync(stage)
        stage.clock.advance(2 * 3600)
        late = stage.github.leak(second, token=stage.live_token())
        await sync(stage)
        assert await stage.stored(late) is not None


async def test_a_repository_removed_and_added_again_is_found_without_webhooks(stage: Stage) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    [installation] = stage.github.installations.values()
    stage.github.uninstall(installation)
    await sync(stage)
    assert "close_as" not in stage.card().action_ids
    stage.github.install(stage.github.app_owner)
    await sync(stage)
    assert "close_as" in stage.card().action_ids


@pytest.mark.parametrize("change", ["deleted", "suspended"])
async def test_what_is_lost_is_found_without_webhooks(stage: Stage, change: str) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    if change == "deleted":
        stage.github.delete_repository(stage.repository)
    else:
        [installation] = stage.github.installations.values()
        stage.github.suspend(installation)
    await sync(stage)
    assert "close_as" not in stage.card().action_ids


async def test_once_a_day_a_sync_reads_every_alert(stage: Stage) -> None:
    """Not every change moves GitHub's `updated_at`, at which the other syncs stop reading."""
    alert = await stage.leak(secret_type="stripe_api_key")
    stage.clock.advance(7200)
    await sync(stage)
    alert.checked_validity = "active"
    stage.clock.advance(7200)
    await sync(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.validity == "unknown", "what has not moved is not read at each sync"
    stage.clock.advance(FULL_SYNC_INTERVAL)
    await sync(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.validity == "active"


async def test_a_sync_leaves_an_alert_alone_while_it_is_being_closed(stage: Stage) -> None:
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


async def test_many_installations_are_not_all_synced_at_once(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Each needs a token of its own, and GitHub limits what an App may request in a minute."""
    logins = [f"team-{number}" for number in range(AT_ONCE + 3)]
    async with open_stage(database_url, clock, private_key, github_accounts=",".join(logins)) as stage:
        for login in logins:
            stage.github.install(stage.github.add_organization(login))
        await sync_all(stage.context)
        async with stage.context.db.read() as tx:
            stored = await jobs.list_jobs(tx, states=[JobState.READY])
        begins = [one.run_at - one.created_at for one in stored if one.kind == "sweep_installation"]
        assert sorted(begins)[-4:] == pytest.approx([0.0, PACE, 2 * PACE, 3 * PACE], abs=0.01)
        assert len(begins) == len(logins)
