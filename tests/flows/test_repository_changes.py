"""A changed repository: each of its alerts gets a timeline entry, stored as facts and worded when it is shown."""

import pytest

from storage import alerts, jobs, repositories
from storage.records import EventKind, NewJob, StoredJson
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, Stage, key_of
from tests.flows.test_sync import sync

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


async def test_a_new_name_whose_webhook_was_lost_is_found_by_the_sync(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    stage.clock.advance(60)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await sync(stage)
    assert "octo/billing" in stage.read()
    assert "octo/payments is now octo/billing" in await history(stage, "octo/billing#1")


async def test_a_repository_that_stays_out_of_reach_is_not_asked_for(stage: Stage) -> None:
    """The App was installed again, on another repository alone."""
    await stage.leak()
    stage.github.webhook_url = None
    [installation] = stage.github.installations.values()
    stage.github.uninstall(installation)
    await sync(stage)
    other = stage.github.add_repository(stage.github.app_owner, "website")
    stage.github.install(stage.github.app_owner, repositories=[other])
    stage.github.requests.clear()
    await sync(stage)
    asked = [f"{call.path} {call.body}" for call in stage.github.requests]
    assert any(one.startswith("/installation/repositories") for one in asked)
    assert not [one for one in asked if "payments" in one or str(stage.repository.id) in one]
    assert "close_as" not in stage.card().action_ids
