"""Roles of a look-up where GitHub knows less than usual: users' repositories, refused lists, lost accounts."""

from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import roles
from storage import repositories
from storage.clock import Clock
from storage.records import Account, GitHubId
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, OWNER, READER, Stage, key_of, open_stage
from tests.flows.test_roles import (
    RESOLVE,
    SOMEBODY,
    VIEW,
    checks,
    custom_role,
    organization,
    organization_role,
    somebody,
)

pytestmark = pytest.mark.either_database

FEW = ["service-1", "service-2"]
MAY_BE_MISSING = "so some alerts may be missing"
PERMISSION = "/repos/octo/{}/collaborators/.*/permission"


async def test_in_a_user_s_repositories_their_owner_and_admins_find_the_alerts(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Without a question about an organization; a role in one of the repositories says nothing of the other."""
    async with open_stage(database_url, clock, private_key, github_accounts="octo,somebody") as stage:
        user = await somebody(stage)
        stage.github.install(user)
        for name, level in (("dotfiles", "admin"), ("notes", "write")):
            repository = stage.github.add_repository(user, name)
            stage.github.add_collaborator(repository, stage.people[ADMIN], level)
            await stage.leak(repository)
        since = len(stage.github.requests)
        assert "2 open alerts" in await stage.type(SOMEBODY, "list")
        answer = await stage.type(ADMIN, "list")
        assert "1 open alert\n" in answer
        assert "somebody/dotfiles" in answer
        for stranger in (READER, OWNER):
            assert "No open alerts" in await stage.type(stranger, "list")
        assert [call.path for call in stage.github.requests[since:] if call.path.startswith("/orgs/")] == []
        stage.check()


async def test_a_repository_about_which_github_does_not_answer_is_left_out_and_said(stage: Stage) -> None:
    await shelve(stage, FEW)
    for home in stage.github.repositories.values():
        stage.github.add_collaborator(home, stage.people[READER], "admin")
    await stage.work()
    fault = stage.github.faults.add(f"GET {PERMISSION.format('service-1')}", status=503)
    answer = await stage.type(READER, "list")
    assert "octo/service-2" in answer
    assert "octo/service-1" not in answer
    assert MAY_BE_MISSING in answer
    assert len(stage.github.calls("GET", PERMISSION.format("service-1"))) == 1
    stage.github.faults.remove(fault)
    answer = await stage.type(READER, "list")
    assert "3 open alerts" in answer
    assert MAY_BE_MISSING not in answer


async def test_an_account_that_github_no_longer_has_finds_nothing(stage: Stage) -> None:
    await shelve(stage, FEW)
    assert "1 open alert\n" in await stage.type(ADMIN, "list")
    stage.github.delete_user(stage.people[ADMIN])
    await stage.work()
    stage.clock.advance(3700)
    assert "No open alerts" in await stage.type(ADMIN, "list")


async def test_repositories_that_github_no_longer_shows_are_left_out(stage: Stage) -> None:
    """GitHub's delivery about it has not come; none of the page is left."""
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.delete_repository(stage.repository)
    answer = await stage.type(ADMIN, "list")
    assert "No open alerts" in answer
    assert "There is no such alert" in await stage.type(ADMIN, f"show octo/payments#{alert.number}")


@pytest.mark.parametrize("permission", [VIEW, RESOLVE])
async def test_a_role_of_the_organization_finds_all_alerts(stage: Stage, permission: str) -> None:
    await shelve(stage, FEW)
    user = await somebody(stage)
    organization_role(permission)(stage, user)
    await stage.work()
    stage.clock.advance(4000)
    assert "3 open alerts" in await stage.type(SOMEBODY, "list")


@pytest.mark.parametrize("role", [organization_role(VIEW), custom_role(VIEW)])
async def test_a_role_whose_list_the_app_may_not_read_finds_nothing(stage: Stage, role: object) -> None:
    """Once the App is granted it, the role counts with the next token, which is made within the hour."""
    user = await somebody(stage)
    assert callable(role)
    role(stage, user)
    await stage.leak()
    [installation] = stage.github.installations.values()
    before = dict(installation.permissions)
    few = {"metadata": "read", "secret_scanning_alerts": "write", "members": "read"}
    stage.github.set_permissions(installation, few)
    await stage.work()
    stage.clock.advance(4000)
    assert "No open alerts" in await stage.type(SOMEBODY, "list")
    assert not await checks(stage)
    assert "1 open alert\n" in await stage.type(ADMIN, "list")
    stage.github.set_permissions(installation, before)
    await stage.work()
    stage.clock.advance(3700)
    assert "1 open alert\n" in await stage.type(SOMEBODY, "list")
    assert await checks(stage)


async def test_an_owner_of_the_organization_who_left_it_finds_nothing(stage: Stage) -> None:
    await shelve(stage, FEW)
    assert "3 open alerts" in await stage.type(OWNER, "list")
    stage.github.webhook_url = None
    stage.github.remove_member(organization(stage), stage.people[OWNER])
    stage.clock.advance(3700)
    assert "No open alerts" in await stage.type(OWNER, "list")


async def test_a_repository_that_github_shows_under_no_name_is_out_of_reach(stage: Stage) -> None:
    """Its id is answered, and the name that the answer gives is not; without an installation nothing is asked."""
    alert = await stage.leak()
    stage.github.faults.add("GET /repos/octo/payments", status=404)
    await stage.click(ADMIN, "check_validity")
    assert "GitHub no longer gives Stanch access to this repository." in stage.answer_to(ADMIN)
    async with stage.context.db.read() as tx:
        stored = await repositories.load_repository(tx, key_of(alert).repository_id)
    assert stored is not None
    asked, removed = len(stage.github.requests), replace(stored, installation_id=None)
    account = Account(GitHubId(stage.people[ADMIN].id), stage.people[ADMIN].login)
    for question in (
        repository_access.reach(stage.context, removed),
        roles.rights(stage.context, account, removed, None, fresh=True),
    ):
        with pytest.raises(Refused) as refused:
            await question
        assert refused.value.reason == "unreachable"
    assert stage.github.requests[asked:] == []
