"""A changed repository: each of its alerts gets a timeline entry, stored as facts and worded when it is shown."""

import pytest

from storage import alerts, jobs
from storage.records import EventKind, NewJob, StoredJson
from tests.flows.stage import CHANNEL, MANAGER, Stage, key_of

pytestmark = pytest.mark.either_database


async def history(stage: Stage, alert: str) -> str:
    await stage.slack.command(MANAGER, CHANNEL, f"history {alert}")
    await stage.work(within=10)
    return stage.answer_to(MANAGER)


async def test_a_new_name_is_stored_as_facts_and_worded_in_the_history(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.rename_repository(stage.repository, "billing")
    await stage.work(within=10)
    async with stage.context.db.read() as tx:
        [changed] = await alerts.events_of_kind(tx, key_of(alert), EventKind.REPOSITORY_CHANGED)
    assert changed.details == {"change": "full_name", "before": "octo/payments", "after": "octo/billing"}
    assert "The repository changed: octo/payments is now octo/billing." in await history(
        stage, "octo/billing#1"
    )


async def test_a_job_of_0_1_0_that_holds_the_sentence_is_run(stage: Stage) -> None:
    await stage.leak()
    async with stage.context.db.begin() as tx:
        payload: dict[str, StoredJson] = {"id": stage.repository.id, "what": "it is public now"}
        await jobs.enqueue(tx, NewJob("repository", payload, key=f"repository:{stage.repository.id}"))
    await stage.work(within=10)
    assert "The repository changed: it is public now." in await history(stage, "octo/payments#1")
