"""Deliveries whose alert GitHub does not show yet, or while it is down: details are fetched later."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.flows.alerts.store_alert import DETAILS_TRIES
from bot.jobs.housekeeping import run_housekeeping_once
from storage import deliveries, jobs
from storage.records import JobState
from tests.flows.stage import CHANNEL, OWNER, Stage
from tests.flows.test_sync import sync

pytestmark = pytest.mark.either_database

UNFINISHED = "GitHub has not sent the details yet"


async def parked(stage: Stage) -> list[str]:
    """The kinds of parked jobs."""
    async with stage.context.db.read() as tx:
        return [job.kind for job in await jobs.list_jobs(tx, states=[JobState.PARKED])]


async def test_a_card_comes_after_five_seconds_without_details_and_is_completed_later(stage: Stage) -> None:
    stage.github.read_lag = 30
    stage.github.leak(stage.repository, validity="active", path="late.env")
    await stage.work(within=2)
    assert stage.slack.channel_messages(CHANNEL) == []
    await stage.work(within=4)
    card = stage.card()
    assert "live token" in card.shown_text
    assert UNFINISHED in card.shown_text
    assert "late.env" not in card.shown_text
    await stage.work(within=120)
    assert UNFINISHED not in stage.read()
    assert "late.env" in stage.read()
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


@pytest.mark.parametrize("by", ["webhook", "sync"])
async def test_an_alert_without_first_location_gets_the_first_of_its_locations(stage: Stage, by: str) -> None:
    """GitHub's description does not require `first_location_detected`."""
    stage.github.gives_first_location = False
    if by == "sync":
        await sync(stage)
        stage.github.webhook_url = None
    alert = stage.github.leak(stage.repository, path="first.env")
    stage.github.add_location(alert, path="second.env", start_line=2, end_line=2)
    await (sync(stage) if by == "sync" else stage.work(within=30))
    assert "first.env" in stage.read()
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.has_more_places
    asked = len(stage.github.calls("GET", ".*/locations"))
    await sync(stage)
    assert len(stage.github.calls("GET", ".*/locations")) == asked


async def test_refused_locations_leave_the_card_without_a_location(stage: Stage) -> None:
    stage.github.gives_first_location = False
    stage.github.faults.add("GET .*/locations", status=403)
    stage.github.leak(stage.repository)
    await stage.work(within=30)
    assert UNFINISHED not in stage.read()
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_a_card_is_posted_at_once_when_the_details_come(stage: Stage) -> None:
    stage.github.read_lag = 1.5
    leaked_at = stage.clock.now()
    stage.github.leak(stage.repository, path="soon.env")
    await stage.work(within=10)
    [post] = stage.slack.calls("chat.postMessage")
    assert post.at - leaked_at < 4.5
    assert "soon.env" in stage.read()


async def test_an_alert_closed_within_the_lag_gets_no_card(stage: Stage) -> None:
    """The webhook says open; when GitHub shows the alert, somebody has closed it."""
    stage.github.read_lag = 3
    alert = stage.github.leak(stage.repository)
    await stage.work(within=1)
    stage.github.close(alert, by=stage.people[OWNER], resolution="false_positive")
    await stage.work(within=30)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.resolution == "false_positive"
    assert all("Closed as false positive" in card.shown_text for card in stage.slack.cards(CHANNEL))


async def test_a_delivery_during_an_outage_is_shown_and_completed_later(stage: Stage) -> None:
    await stage.leak(stage.github.add_repository(stage.github.app_owner, "billing"))
    stage.slack.workspace.delete_message(CHANNEL, stage.card().ts)
    stage.github.faults.add(".*", status=502)
    stage.github.leak(stage.repository, validity="active", path="outage.env")
    await stage.work(within=1200)
    assert UNFINISHED in stage.read()
    stage.github.faults.clear()
    await stage.work(within=7200)
    assert "outage.env" in stage.read()
    assert await parked(stage) == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": "before"}])
async def test_a_first_delivery_waits_for_the_end_of_an_outage(stage: Stage, fault: dict[str, Any]) -> None:
    """Not even the installation can be asked for; the job waits and is not parked."""
    stranger = stage.github.add_repository(stage.github.app_owner, "billing")
    rule = stage.github.faults.add(".*", times=None, **fault)
    stage.github.deliver = "hold"
    stage.github.leak(stranger, path="first.env")
    delivery = stage.github.held[-1]
    del delivery.payload["installation"]
    assert await stage.github.send(delivery) == 202
    await stage.work(within=3600)
    assert stage.slack.channel_messages(CHANNEL) == []
    stage.github.faults.remove(rule)
    await stage.work(within=700)
    assert "first.env" in stage.read()
    assert await parked(stage) == []
    async with stage.context.db.read() as tx:
        stored = await deliveries.load(tx, delivery.guid)
    assert stored is not None
    assert stored.outcome == "stored"


async def test_deliveries_are_deleted_after_three_days_and_not_before(stage: Stage) -> None:
    await stage.leak()
    guid = stage.github.deliveries[-1].guid
    for days, remembered in ((2.9, True), (0.2, False)):
        stage.clock.advance(days * 86400)
        await run_housekeeping_once(stage.context)
        async with stage.context.db.read() as tx:
            assert (await deliveries.load(tx, guid) is not None) is remembered


async def test_details_that_github_never_shows_are_asked_for_some_times_and_no_more(stage: Stage) -> None:
    asked = stage.github.faults.add(r"GET /repos/.*/alerts/\d+", status=404)
    stage.github.leak(stage.repository)
    with capture_logs() as logged:
        await stage.work(within=2 * 3600)
        before = asked.hits
        await stage.work(within=24 * 3600)
    assert asked.hits == before >= len(DETAILS_TRIES)
    assert [line["hint"] for line in logged if line["event"] == "details_missing"] == [
        "GitHub does not show this alert to Stanch"
    ]
    assert UNFINISHED in stage.read()
    assert await parked(stage) == []
