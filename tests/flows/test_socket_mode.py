"""Socket Mode: requests come over our own connection, which is replaced when it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot import app
from bot.errors import StartRefused
from bot.inbound.socket_mode import LINGER
from bot.options import Options
from integrations.sandbox.slack import DeliveryResult
from storage.clock import Clock
from tests.flows.outputs import logging_as
from tests.flows.stage import ADMIN, CHANNEL, OWNER, PING, READER, Stage, open_stage

pytestmark = pytest.mark.either_database

HOLD = {"sqlite": "SELECT 1", "postgresql": "LOCK TABLE slack_request IN ACCESS EXCLUSIVE MODE"}
"""Blocks the storing of requests; on SQLite every writing transaction does."""
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests that do not depend on the database."""


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Stanch, connected by Socket Mode and without a signing secret."""
    async with open_stage(database_url, clock, private_key, socket_mode=True) as stage:
        yield stage
        stage.check()


async def slack_state(stage: Stage, port: int | None = None) -> tuple[str, str]:
    """Slack's state and reason in `/readyz`."""
    address = f"http://127.0.0.1:{port or stage.running.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        slack = (await response.json())["slack"]
    return slack["state"], slack["reason"]


async def until(condition: Callable[[], bool], within: float = 5.0) -> None:
    """Wait until it is True; TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - the sandbox has no event for it.
            await asyncio.sleep(0.01)


async def send_help_command(stage: Stage) -> DeliveryResult:
    return await stage.slack.command(ADMIN, CHANNEL, "help")


# Requests


async def test_an_alert_is_closed_after_a_field_was_corrected(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    assert "live token" in stage.read()
    await stage.pick(ADMIN, "close_as", "revoked")
    secret = "ghp_" + "a" * 36
    refused = await stage.submit(ADMIN, {"comment": {"comment": f"It was {secret}"}})
    assert set(refused.view_errors) == {"comment"}
    assert alert.state == "open"
    await stage.submit(ADMIN, {"comment": {"comment": "Rotated"}})
    assert (alert.state, alert.resolution) == ("resolved", "revoked")
    assert stage.card().control("reopen") is not None
    assert stage.slack.view(ADMIN) is None


async def test_commands_answer_at_once_or_a_little_later(stage: Stage) -> None:
    result = await send_help_command(stage)
    assert result.json()["response_type"] == "ephemeral"
    assert "/leaks whoami" in stage.answer_to(ADMIN)
    assert "octo-admin" in await stage.type(ADMIN, "whoami octo/payments")


async def test_a_shortcut_shows_the_alert_behind_a_message(stage: Stage) -> None:
    await stage.leak()
    await stage.slack.message_shortcut(ADMIN, CHANNEL, stage.card().ts, "show_alert")
    await stage.work(within=3)
    assert "in octo/payments, alert 1" in stage.answer_to(ADMIN)


async def test_a_channel_that_is_shared_hides_its_cards(stage: Stage) -> None:
    await stage.leak()
    stage.slack.workspace.add_team("T0OTHER")
    await stage.slack.share_channel(CHANNEL, "T0OTHER")
    await stage.work(within=3)
    assert stage.card().action_ids == []


async def test_a_repeated_payload_is_handled_once_and_two_clicks_twice(stage: Stage) -> None:
    """Slack redelivers a payload in a new envelope; a second click has another payload."""
    await stage.leak()
    result = await stage.slack.click(READER, CHANNEL, stage.card().ts, "check_validity")
    assert (await stage.slack.send("interactive", result.payload)).status == 200
    await stage.work(within=3)
    assert len(stage.slack.private_messages(READER)) == 1
    await stage.click(READER, "check_validity")
    assert len(stage.slack.private_messages(READER)) == 2


@on_sqlite
async def test_a_click_is_acknowledged_within_a_second(stage: Stage) -> None:
    await stage.leak()
    results = [await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity") for _ in range(20)]
    assert max(result.elapsed for result in results) < 1


@on_sqlite
async def test_a_payload_of_the_wrong_shape_is_not_acknowledged(stage: Stage) -> None:
    user = {"id": ADMIN, "team_id": stage.slack.team_id}
    shapeless: list[dict[str, Any]] = [
        {},
        {"type": 7},
        {"type": "block_actions", "user": user, "actions": []},
        {"type": "view_submission", "user": user, "view": {"id": "V1", "callback_id": "close_alert"}},
    ]
    sent = [asyncio.create_task(stage.slack.send("interactive", payload)) for payload in shapeless]
    assert {result.error for result in await asyncio.gather(*sent)} == {"operation_timeout"}
    assert (await send_help_command(stage)).status == 200


@on_sqlite
async def test_what_is_not_stored_is_not_acknowledged(stage: Stage) -> None:
    """Then Slack shows the person that the click failed, and redelivers an event."""
    await stage.leak()
    await stage.context.batch_writer.stop()
    click = stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity")
    event = stage.slack.event({"type": "channel_shared", "channel": CHANNEL})
    for result in await asyncio.gather(click, event):
        assert (result.status, result.error) == (None, "operation_timeout")
    await stage.context.batch_writer.start()


# The connection


@on_sqlite
async def test_a_broken_connection_is_replaced(stage: Stage) -> None:
    assert await slack_state(stage) == ("ok", "connected by Socket Mode")
    stage.slack.socket.drop()
    await stage.slack.socket.connected(opened=2)
    assert (await send_help_command(stage)).status == 200
    assert len(stage.slack.socket.links) == 1


@on_sqlite
async def test_a_connection_that_answers_no_pings_is_replaced(stage: Stage) -> None:
    """It stays open without answering, as after a change of the network address."""
    stage.slack.socket.freeze()
    await stage.slack.socket.connected(opened=2)
    assert (await send_help_command(stage)).status == 200


async def test_an_acknowledgement_whose_connection_broke_is_logged_and_the_click_done(stage: Stage) -> None:
    """Slack shows the person that it failed; a second click would come as another one."""
    await stage.leak()
    with capture_logs() as lines:
        async with stage.context.db.begin() as tx:
            await tx.conn.execute(sa.text(HOLD[stage.context.db.dialect]))
            click = asyncio.create_task(stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity"))
            await until(lambda: stage.slack.socket.underway == 1)
            await stage.slack.socket.read_up()
            stage.slack.socket.drop()
            await stage.slack.socket.connected(opened=2)
        await until(lambda: any(line["event"] == "acknowledgement_lost" for line in lines))
    click.cancel()
    await stage.work(within=3)
    assert "live token" in stage.read()


async def connection_requests(stage: Stage, count: int) -> list[float]:
    """Advance the clock until Slack was asked for `count` addresses; returns the times of the requests."""
    async with asyncio.timeout(20):
        while len(calls := stage.slack.calls("apps.connections.open")) < count:
            stage.clock.advance(1)
            await asyncio.sleep(0.01)
    return [call.at for call in calls]


@on_sqlite
async def test_an_outage_is_shown_and_ends_within_a_minute(stage: Stage) -> None:
    down = stage.slack.fail("apps.connections.open", "internal_error", times=None)
    stage.slack.socket.drop()
    asked = await connection_requests(stage, 9)
    state, reason = await slack_state(stage)
    assert state == "failing"
    assert reason.startswith("reconnecting by Socket Mode since 20")
    assert reason.endswith(": internal_error")
    pauses = [later - earlier for earlier, later in pairwise(asked[1:])]
    assert max(pauses) < 40
    assert min(pauses) > 1
    stage.slack.faults.remove(down)
    await connection_requests(stage, 10)
    await stage.slack.socket.connected(opened=2)
    assert (await send_help_command(stage)).status == 200
    assert await slack_state(stage) == ("ok", "connected by Socket Mode")


@on_sqlite
async def test_an_address_that_failed_once_is_not_tried_again(stage: Stage) -> None:
    """The ticket in an address is valid for one try."""
    stage.slack.faults.add("link", times=1, status=503)
    stage.slack.socket.drop()
    await connection_requests(stage, 3)
    await stage.slack.socket.connected(opened=2)
    assert (await send_help_command(stage)).status == 200


@on_sqlite
async def test_a_rate_limit_of_slack_is_respected(stage: Stage) -> None:
    stage.slack.rate_limit("apps.connections.open", retry_after=50)
    stage.slack.socket.drop()
    _, limited, again = await connection_requests(stage, 3)
    assert 50 <= again - limited < 60
    await stage.slack.socket.connected(opened=2)


@on_sqlite
async def test_no_click_is_lost_while_slack_renews_a_connection(stage: Stage) -> None:
    """The next connection is open before the old one is closed."""
    for opened in range(2, 6):
        await stage.slack.socket.disconnect("refresh_requested", closes_after=10)
        await stage.slack.socket.connected(opened=opened)
        assert len(stage.slack.socket.links) == 2
        assert (await send_help_command(stage)).status == 200
        async with asyncio.timeout(5):
            while len(stage.slack.socket.links) > 1:
                stage.clock.advance(LINGER)
                await asyncio.sleep(0.01)


@on_sqlite
async def test_no_task_is_left_after_the_stop(database_url: str, clock: Clock, private_key: str) -> None:
    before = asyncio.all_tasks()
    async with open_stage(database_url, clock, private_key, socket_mode=True) as stage:
        stage.slack.socket.drop()
        await stage.slack.socket.connected(opened=2)
        await stage.slack.socket.disconnect("warning")
        await stage.slack.socket.connected(opened=3)
        async with app.run(stage.settings, Options(), role=app.Role.WEB, clock=clock, socket_ping=PING):
            await stage.slack.socket.connected(opened=4)
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert left == set()


@on_sqlite
async def test_the_log_has_no_input_of_people_and_no_connection_addresses(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address works as a credential, and the SDK quotes it in its errors."""
    with logging_as("json"):
        async with open_stage(database_url, clock, private_key, socket_mode=True) as stage:
            await stage.type(ADMIN, "search what-somebody-typed")
            stage.slack.faults.add("link", times=1, status=503)
            stage.slack.socket.drop()
            await connection_requests(stage, 3)
            await stage.slack.socket.connected(opened=2)
            stage.slack.socket.freeze()
            await stage.slack.socket.connected(opened=3)
    logged = capsys.readouterr().err
    assert "socket_connected" in logged
    assert "no_connection" in logged
    for secret in ("ticket", "what-somebody-typed", stage.slack.app_token, "envelope_id"):
        assert secret not in logged


# The start


async def start(stage: Stage, role: app.Role = app.Role.WEB, **more: Any) -> None:
    """Start and stop a second process beside the first one."""
    settings = stage.settings.model_copy(update=more)
    async with app.run(settings, Options(), role=role, clock=stage.clock, runs_jobs=False, socket_ping=PING):
        pass


@on_sqlite
async def test_a_refused_token_ends_the_start_and_names_the_setting(stage: Stage) -> None:
    stage.slack.fail("apps.connections.open", "not_allowed_token_type", times=2)
    for _ in range(2):
        with pytest.raises(
            StartRefused, match=r"SLACK_APP_TOKEN \(not_allowed_token_type\).*connections:write"
        ):
            await start(stage)
    stage.slack.fail("apps.connections.open", "invalid_auth")
    with pytest.raises(StartRefused, match=r"^Slack refuses SLACK_APP_TOKEN \(invalid_auth\)"):
        await start(stage)


@on_sqlite
async def test_the_start_goes_on_while_slack_does_not_answer(
    database_url: str, clock: Clock, private_key: str
) -> None:
    worker = app.Role.WORKER
    async with open_stage(database_url, clock, private_key, socket_mode=True, role=worker) as stage:
        down = stage.slack.faults.add("apps.connections.open", status=503)
        settings = stage.settings
        async with app.run(settings, Options(), role=app.Role.WEB, clock=clock, socket_ping=PING) as web:
            assert (await slack_state(stage, web.port))[0] == "failing"
            stage.slack.faults.remove(down)
            await connection_requests(stage, 2)
            await stage.slack.socket.connected()
            assert (await send_help_command(stage)).status == 200


@on_sqlite
async def test_a_worker_does_not_connect(stage: Stage) -> None:
    await start(stage, app.Role.WORKER)
    assert stage.slack.socket.opened == 1


# The stop


async def test_a_click_during_the_stop_is_stored_and_acknowledged(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """What was received is stored and acknowledged before the connection closes, and later clicks are not taken."""
    async with open_stage(database_url, clock, private_key, socket_mode=True, role=app.Role.WORKER) as stage:
        web = app.run(stage.settings, Options(), role=app.Role.WEB, clock=clock, socket_ping=PING)
        running = await web.__aenter__()
        stage.github.webhook_url = f"http://127.0.0.1:{running.port}/github/webhooks"
        await stage.leak()
        async with stage.context.db.begin() as tx:
            # While this transaction lasts, no click can be stored.
            await tx.conn.execute(sa.text(HOLD[stage.context.db.dialect]))
            click = asyncio.create_task(stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity"))
            await until(lambda: stage.slack.socket.underway == 1)
            await stage.slack.socket.read_up()
            stopping = asyncio.create_task(web.__aexit__(None, None, None))
            with pytest.raises(TimeoutError):
                await until(lambda: stopping.done() or click.done(), within=PING)
            late = asyncio.create_task(stage.slack.click(OWNER, CHANNEL, stage.card().ts, "take"))
            await until(lambda: stage.slack.socket.underway == 2)
            await stage.slack.socket.read_up()
        await stopping
        assert (await click).status == 200
        assert not late.done()
        late.cancel()
        await stage.work(within=3)
        assert "live token" in stage.read()
        assert "octo-owner" not in stage.read()
        stage.check()
