"""A list that GitHub refuses is not empty: it is logged, and read once GitHub shows it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.flows.alerts.sync import SyncCounts, sync_installation
from storage.clock import Clock
from storage.records import InstallationId
from tests.flows.stage import ADMIN, Stage, open_stage
from tests.flows.test_sync import INTERVAL, LISTS, sync

pytestmark = pytest.mark.either_database

REFUSED = [
    (422, "Validation Failed"),
    (404, "Not Found"),
    (404, "Secret scanning is disabled on this organization."),
    (403, "Although you appear to have the correct authorization, octo has an IP allow list enabled"),
    (410, "Gone"),
]


def events(logged: list[Any], name: str) -> list[Any]:
    return [line for line in logged if line["event"] == name]


@pytest.mark.parametrize("secret_type", ["rsa_private_key", "stripe_api_key"])
@pytest.mark.parametrize(("status", "reason"), REFUSED)
async def test_alerts_of_a_list_refused_for_hours_are_found_by_the_next_sync(
    stage: Stage, secret_type: str, status: int, reason: str
) -> None:
    await sync(stage)
    stage.github.webhook_url = None
    lost = stage.github.leak(stage.repository, secret_type=secret_type)
    rule = stage.github.faults.add(LISTS, status=status, body={"message": reason})
    with capture_logs() as logged:
        for _ in range(4):
            stage.clock.advance(3600 - INTERVAL)
            await sync(stage)
    assert events(logged, "job_failed") == []
    refused = events(logged, "list_refused")
    assert refused
    assert all(reason in line["reason"] or reason == "Not Found" for line in refused)
    stage.github.faults.remove(rule)
    assert await stage.stored(lost) is None
    await sync(stage)
    assert await stage.stored(lost) is not None


async def test_a_refused_list_does_not_stop_the_other_list(stage: Stage) -> None:
    """The list of generic patterns is the second of each sync."""
    await sync(stage)
    stage.github.webhook_url = None
    default = stage.github.leak(stage.repository, secret_type="stripe_api_key")
    generic = stage.github.leak(stage.repository, secret_type="rsa_private_key")
    for _ in range(2):
        rule = stage.github.faults.add(LISTS, status=422, skip=1)
        stage.clock.advance(2 * 3600)
        await sync(stage)
        stage.github.faults.remove(rule)
    assert await stage.stored(default) is not None
    assert await stage.stored(generic) is None
    await sync(stage)
    assert await stage.stored(generic) is not None


async def test_a_refused_repository_does_not_stop_the_others(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """A user's repositories are read one by one; with secret scanning off, a repository has no alerts."""
    opened = open_stage(database_url, clock, private_key, github_accounts="solo", github_webhook_secret=None)
    async with opened as stage:
        stage.github.webhook_url = None
        solo = stage.github.add_user("solo")
        first, off, last = (stage.github.add_repository(solo, name) for name in ("first", "off", "last"))
        off.secret_scanning = False
        stage.github.install(solo)
        await sync(stage)
        hidden = stage.github.leak(first, token=stage.live_token())
        shown = stage.github.leak(last, token=stage.live_token())
        reason = "Resource not accessible by integration"
        rule = stage.github.faults.add(
            "GET /repos/solo/first/secret-scanning/alerts", status=403, body={"message": reason}
        )
        with capture_logs() as logged:
            for _ in range(3):
                stage.clock.advance(3600)
                await sync(stage)
        assert events(logged, "job_failed") == []
        assert reason in events(logged, "list_refused")[0]["reason"]
        assert await stage.stored(shown) is not None
        assert await stage.stored(hidden) is None
        stage.github.faults.remove(rule)
        await sync(stage)
        assert await stage.stored(hidden) is not None


async def test_refused_installations_do_not_stop_the_check_of_who_is_on_alerts(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    stage.github.faults.add("GET /app/installations", status=403, body={"message": "Suspended."})
    with capture_logs() as logged:
        await sync(stage)
    assert "Suspended." in events(logged, "not_swept")[0]["reason"]
    assert events(logged, "job_failed") == []
    assert "nobody yet" in stage.read()


async def test_an_installation_that_was_suspended_before_its_sync_is_not_asked(stage: Stage) -> None:
    [installation] = stage.github.installations.values()
    stage.github.suspend(installation)
    await stage.work()
    asked = len(stage.github.requests)
    assert await sync_installation(stage.context, InstallationId(installation.id)) == SyncCounts()
    assert len(stage.github.requests) == asked


async def test_while_github_does_not_list_deliveries_the_sync_goes_on_and_asks_for_them_later(
    stage: Stage,
) -> None:
    right, stage.github.webhook_url = stage.github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    lost = stage.github.leak(stage.repository)
    await stage.github.settle()
    stage.github.webhook_url = right
    down = stage.github.faults.add("GET /app/hook/deliveries", status=503)
    with capture_logs() as logged:
        await sync(stage)
    assert "503" in events(logged, "not_redelivered")[0]["reason"]
    assert await stage.stored(lost) is not None
    stage.github.faults.remove(down)
    await sync(stage)
    assert len(stage.github.calls("GET", "/app/hook/deliveries")) > 1
