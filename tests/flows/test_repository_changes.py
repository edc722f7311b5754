"""A changed repository: each of its alerts gets a timeline entry, stored as facts and worded when it is shown."""

import pytest

from storage import alerts, jobs, repositories
from storage.records import EventKind, NewJob, StoredJson
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, Stage, key_of

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


async def test_what_github_leaves_out_of_an_answer_stays_as_it_was(stage: Stage) -> None:
    """Links and the rule of delegated dismissal do not go with that."""
    stage.repository.delegated_dismissal = True
    alert = await stage.leak()
    async with stage.context.db.read() as tx:
        before = await repositories.load_repository(tx, key_of(alert).repository_id)
    assert before is not None
    assert (before.delegated_dismissal, bool(before.html_url)) == (True, True)
    owner = {"id": before.owner.id, "login": before.owner.login, "type": "Organization"}
    short = {"id": before.id, "full_name": before.full_name, "owner": owner, "visibility": before.visibility}
    stage.github.faults.add("GET /repos/octo/payments", status=200, body=short)
    await stage.click(ADMIN, "check_validity")
    async with stage.context.db.read() as tx:
        assert await repositories.load_repository(tx, key_of(alert).repository_id) == before
    assert "live token" in stage.read()
