"""One id in the log leads from a request of GitHub or Slack over all its jobs to the calls that they make."""

import json
import re

import pytest

from storage.clock import Clock
from tests.flows.outputs import logging_as
from tests.flows.stage import ADMIN, CHANNEL, OWNER, open_stage
from tests.flows.test_webhook_edge import held, post

pytestmark = pytest.mark.either_database

Lines = list[dict[str, object]]


def lines(logged: str) -> Lines:
    return [json.loads(line) for line in logged.splitlines() if line.startswith("{")]


def traces(logged: Lines, event: str) -> list[object]:
    """The id in each line of an event."""
    return [line.get("trace") for line in logged if line["event"] == event]


async def test_a_delivery_s_id_is_in_the_log_up_to_the_calls_of_slack_and_github(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as("json"):
        async with open_stage(database_url, clock, private_key) as stage:
            stage.github.faults.add(
                r"GET /repos/octo/payments/secret-scanning/alerts/\d+$", status=403, times=1
            )
            stage.slack.fail("chat.postMessage", "not_in_channel", times=1)
            capsys.readouterr()
            stage.github.leak(stage.repository, token=stage.live_token())
            await stage.work(within=10)
            logged = lines(capsys.readouterr().err)
            deliveries = {each.guid for each in stage.github.deliveries}
    [refused] = traces(logged, "github_refused")
    [blocked] = traces(logged, "channel_blocked")
    assert refused == blocked
    assert refused in deliveries


async def test_a_click_s_id_is_in_the_log_of_its_jobs_and_of_no_other_request(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as("json"):
        async with open_stage(database_url, clock, private_key) as stage:
            await stage.leak()
            capsys.readouterr()
            await stage.click(OWNER, "take")
            first = traces(lines(capsys.readouterr().err), "audited")
            await stage.click(ADMIN, "check_validity")
            second = traces(lines(capsys.readouterr().err), "audited")
    # The intent, its result, and the assignment, which is a job of its own.
    assert len(first) == 3
    assert len(set(first)) == 1
    assert all(re.fullmatch(r"[0-9a-f]{16}", str(trace)) for trace in {*first, *second})
    assert set(first) & set(second) == set()


async def test_work_that_nobody_requested_has_the_id_of_its_first_job(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as("json"):
        async with open_stage(database_url, clock, private_key) as stage:
            logged = lines(capsys.readouterr().err)
            assert stage.slack.channel_messages(CHANNEL) == []
    [synced] = [line for line in logged if line["event"] == "swept"]
    assert re.fullmatch(r"job-\d+", str(synced["trace"]))
    assert synced["trace"] != f"job-{synced['job_id']}", "the sync of an installation is a job of another job"


async def test_a_refused_request_has_no_id(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not signed is not quoted; nor has it the id of an earlier request of the same connection."""
    with logging_as("json"):
        async with open_stage(database_url, clock, private_key) as stage:
            body = stage.github.body(await held(stage))
            assert await post(stage, body) == 202
            capsys.readouterr()
            assert await post(stage, body, {"X-Hub-Signature-256": "sha256=" + "0" * 64}) == 401
            logged = lines(capsys.readouterr().err)
    assert traces(logged, "request_refused") == [None]
