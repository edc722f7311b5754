"""The lists that a reading of the directory takes: whose they are, page by page, and a limit of Slack's."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.flows.people.directory import DirectoryRefused, request_directory, run_job, sync_directory
from bot.options import Options
from storage import jobs
from storage.clock import Clock
from storage.records import JobState
from tests.flows.stage import READER, Stage, open_stage
from tests.flows.test_directory import ANA, link, options, pairs, read, settled_in

pytestmark = pytest.mark.either_database


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Ana has one address on both sides."""
    async with open_stage(
        database_url, clock, private_key, options=options(), stanch_operators=READER
    ) as stage:
        await settled_in(stage)
        yield stage
        stage.check()


async def test_a_suspended_installation_is_no_empty_directory(stage: Stage) -> None:
    await read(stage)
    [installation] = stage.github.installations.values()
    stage.github.suspend(installation)
    with pytest.raises(DirectoryRefused, match="not installed on any organization that Stanch serves"):
        await sync_directory(stage.context)
    assert await link(stage, ANA) == ("ana", "directory")


async def test_people_are_read_page_by_page_and_after_a_limit_of_slack_s(stage: Stage) -> None:
    for number in range(1000):
        stage.slack.workspace.add_user(f"U0MANY{number}", name="somebody")
    # Ana stands behind them in the list.
    users = stage.slack.workspace.users
    users[ANA] = users.pop(ANA)
    stage.slack.rate_limit("users.list", retry_after=0)
    await read(stage)
    assert await link(stage, ANA) == ("ana", "directory")
    assert [call.status for call in stage.slack.calls("users.list")] == [429, 200, 200]


async def test_the_schedule_deletes_the_pairs_once_the_directory_is_off(stage: Stage) -> None:
    await read(stage)
    off = replace(stage.context, options=Options())
    await request_directory(off)
    async with stage.context.db.read() as tx:
        ready = await jobs.list_jobs(tx, states=[JobState.READY])
    assert [job.kind for job in ready] == ["sync_directory"]
    await run_job(off)
    assert await pairs(stage) == []
    assert await link(stage, ANA) is None
