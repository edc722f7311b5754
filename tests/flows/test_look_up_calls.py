"""How many calls to GitHub a look-up page costs, in a small organization and in a large one."""

import re
from collections.abc import Sequence
from typing import Literal

import pytest
import sqlalchemy as sa

from integrations.sandbox.github import Organization
from storage.tables import alert, repository
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, MANAGER, OWNER, READER, Stage, key_of

TEN = [f"service-{number}" for number in range(1, 11)]
MEMBERS, REPOSITORIES = 5000, 3000
PERMISSION = re.compile(r"/repos/(octo/[^/]+)/collaborators/[^/]+/permission")
BY_THE_APP = re.compile(r"/app/installations/\d+(/access_tokens)?")
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def cost(stage: Stage, user: str, text: str = "list") -> tuple[str, Sequence[str], set[str]]:
    """The answer, the calls that it took, and the repositories that they asked about."""
    before = len(stage.github.requests)
    answer = await stage.type(user, text)
    paths = [one.path for one in stage.github.requests[before:]]
    calls = [path for path in paths if not BY_THE_APP.fullmatch(path)]
    # Tokens: one for the organization, and one for the repositories of each page, which comes with their names.
    assert len(paths) - len(calls) <= 5
    return answer, calls, {found[1] for path in calls if (found := PERMISSION.fullmatch(path))}


def octo(stage: Stage) -> Organization:
    assert isinstance(stage.github.app_owner, Organization)
    return stage.github.app_owner


async def enlarge(stage: Stage) -> None:
    """Fill the organization: each repository has one stored alert."""
    known = await stage.leak()
    stage.github.webhook_url = None
    for number in range(MEMBERS):
        stage.github.add_member(octo(stage), stage.github.add_user(f"member-{number}"))
    key = key_of(known)
    async with stage.context.db.begin() as tx:
        [home] = await tx.conn.execute(sa.select(repository).where(repository.c.id == key.repository_id))
        [leak] = await tx.conn.execute(sa.select(alert).where(alert.c.repository_id == key.repository_id))
        homes, leaks = [], []
        for number in range(REPOSITORIES):
            real = stage.github.add_repository(octo(stage), f"service-{number}")
            name = f"octo/service-{number}"
            homes.append({**home._mapping, "id": real.id, "full_name": name, "folded_name": name})
            at = tx.now - REPOSITORIES + number
            leaks.append({**leak._mapping, "repository_id": real.id, "number": 1, "created_at": at})
        await tx.conn.execute(sa.insert(repository), homes)
        await tx.conn.execute(sa.insert(alert), leaks)


@ONE_DATABASE
async def test_a_page_costs_three_calls_or_two_and_one_for_each_repository(stage: Stage) -> None:
    """In an organization of 5,000 members and 3,000 repositories, with nothing known from before."""
    await enlarge(stage)
    for number in range(REPOSITORIES - 5, REPOSITORIES):
        [newest] = [one for one in stage.github.repositories.values() if one.name == f"service-{number}"]
        stage.github.add_collaborator(newest, stage.people[ADMIN], "admin")
    for user in (OWNER, MANAGER):
        stage.clock.advance(301)
        answer, calls, _ = await cost(stage, user)
        assert "1 to 10" in answer
        assert len(calls) <= 3, calls
        _, calls, _ = await cost(stage, user)
        assert not calls
    for user in (ADMIN, READER):
        stage.clock.advance(301)
        answer, calls, asked = await cost(stage, user)
        assert ("service-2999" in answer) is (user == ADMIN)
        assert len(calls) <= 2 + len(asked), calls


@ONE_DATABASE
@pytest.mark.parametrize("user", [OWNER, MANAGER, ADMIN, READER])
async def test_a_second_look_up_asks_only_about_repositories_that_are_new(stage: Stage, user: str) -> None:
    await shelve(stage, TEN)
    await stage.work()
    _, calls, asked = await cost(stage, user)
    assert len(calls) <= (3 if user in (OWNER, MANAGER) else 2 + len(asked))
    answer, calls, _ = await cost(stage, user)
    assert calls == []
    stage.clock.advance(3700)
    again, _, _ = await cost(stage, user)
    assert again.partition("\n")[0] == answer.partition("\n")[0]


@ONE_DATABASE
async def test_without_a_sync_the_lists_of_roles_are_asked_for_as_well(stage: Stage) -> None:
    await shelve(stage, TEN)
    await stage.work()
    stage.clock.advance(4000)
    _, calls, asked = await cost(stage, ADMIN)
    assert len(calls) == 3 + len(asked)
    _, calls, asked = await cost(stage, READER)
    assert len(calls) == len(asked)


@ONE_DATABASE
@pytest.mark.parametrize("permission", ["view_secret_scanning_alerts", None])
async def test_a_custom_role_of_one_repository_shows_its_alerts(stage: Stage, permission: str | None) -> None:
    await shelve(stage, TEN)
    role = stage.github.add_custom_repository_role(
        octo(stage), "triager", permissions=[permission] if permission else []
    )
    [home] = [one for one in stage.github.repositories.values() if one.name == "service-10"]
    stage.github.add_collaborator(home, stage.people[READER], role.name)
    await stage.work()
    stage.clock.advance(4000)
    answer, calls, asked = await cost(stage, READER)
    assert ("service-10" in answer) is (permission is not None)
    assert len(asked) == 11
    assert len(calls) <= 3 + len(asked)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("security_manager", "Enterprise"),
        ("enterprise_security_manager", "Predefined"),
        ("security_manager", "Organization"),
    ],
)
async def test_security_managers_of_the_enterprise_see_what_those_of_the_organization_see(
    stage: Stage, source: Literal["Predefined", "Enterprise", "Organization"], name: str
) -> None:
    """As far as GitHub lists the role in the organization. A role that an organization calls so gives nothing."""
    await shelve(stage, TEN)
    role = stage.github.add_organization_role(octo(stage), name, source=source, base_role="read")
    stage.github.assign_organization_role(octo(stage), role, stage.people[READER])
    await stage.work()
    stage.clock.advance(4000)
    answer, calls, asked = await cost(stage, READER)
    if source == "Organization":
        assert "No open alerts" in answer
    else:
        assert "11 open alerts" in answer
        assert len(asked) == 1
        # The predefined role's holders are asked for as well.
        assert len(calls) == 4


@ONE_DATABASE
async def test_an_enterprise_owner_who_joined_as_an_owner_sees_all(stage: Stage) -> None:
    """GitHub's docs: enterprise owners have no access to an organization's content until they join it."""
    await shelve(stage, TEN)
    assert "No open alerts" in await stage.type(READER, "list")
    stage.github.set_member_role(octo(stage), stage.people[READER], "admin")
    stage.clock.advance(301)
    assert "11 open alerts" in await stage.type(READER, "list")


@ONE_DATABASE
async def test_a_repository_under_another_name_is_asked_about_by_its_present_one(stage: Stage) -> None:
    """Its old name belongs to another repository, whose admin the reader is."""
    await shelve(stage, TEN)
    await stage.work()
    stage.github.webhook_url = None
    homes = {one.name: one for one in stage.github.repositories.values()}
    stage.github.rename_repository(homes["service-10"], "moved")
    taken = stage.github.add_repository(octo(stage), "service-10")
    stage.github.add_collaborator(taken, stage.people[READER], "admin")
    answer, _, asked = await cost(stage, READER)
    assert "No open alerts" in answer
    assert "octo/moved" in asked
    assert "octo/service-10" not in asked


@ONE_DATABASE
async def test_a_renamed_login_is_followed_and_a_stranger_under_it_gives_nothing(stage: Stage) -> None:
    await shelve(stage, TEN)
    for user, login in ((ADMIN, "octo-admin"), (READER, "octo-reader")):
        stage.github.rename_account(stage.people[user], f"{login}-moved")
        stage.github.add_member(octo(stage), stage.github.add_user(login), role="admin")
    assert "1 open alert\n" in await stage.type(ADMIN, "list")
    assert "No open alerts" in await stage.type(READER, "list")


@ONE_DATABASE
async def test_an_invited_owner_is_none_yet(stage: Stage) -> None:
    await shelve(stage, TEN)
    membership = octo(stage).members[stage.people[ADMIN].id]
    membership.role, membership.state = "admin", "pending"
    assert "1 open alert\n" in await stage.type(ADMIN, "list")
