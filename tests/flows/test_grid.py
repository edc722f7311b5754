"""Enterprise Grid: people of other workspaces of the same organization sign in and act; identities are ours."""

from collections.abc import AsyncIterator

import pytest

from bot.cli.audit import export_audit
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from integrations.sandbox.slack import SlackSandbox
from storage.clock import Clock
from tests.flows.sign_in import identity_of, link
from tests.flows.stage import CHANNEL, Stage, open_stage
from tests.flows.test_roles import organization

pytestmark = pytest.mark.either_database

ORGANIZATION = "E0OCTO"
DANA, KIM, EVE = "W0DANA", "U0KIM", "W0EVE"
"""Of another workspace of the organization, without a workspace of their own, and of another organization."""
HOMES = {DANA: ("T0OTHER", ORGANIZATION), KIM: (ORGANIZATION, ORGANIZATION), EVE: ("T0ELSE", "E0ELSE")}


@pytest.fixture
async def grid(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """A workspace of a Grid organization; nobody is linked yet."""

    async def prepare(slack: SlackSandbox, github: GitHubSandbox) -> None:
        slack.world.app.enterprise_id = ORGANIZATION
        for user, (home, enterprise) in HOMES.items():
            their = {"id": user, "enterprise_id": enterprise, "teams": [slack.team_id]}
            slack.workspace.add_user(user, name=user, team_id=home, enterprise_user=their)
        members = slack.workspace.channels[CHANNEL].members
        slack.workspace.change_channel(CHANNEL, members=members | set(HOMES))

    async with open_stage(database_url, clock, private_key, sign_in=True, prepare=prepare) as stage:
        await stage.work()
        await stage.leak()
        yield stage
        stage.check()


def admin(stage: Stage, login: str) -> GitHubUser:
    """Somebody who may close the alerts on GitHub."""
    account = stage.github.add_user(login)
    stage.github.add_member(organization(stage), account)
    stage.github.add_collaborator(stage.repository, account, "admin")
    return account


@pytest.mark.parametrize("user", [DANA, KIM])
async def test_people_of_other_workspaces_sign_in_and_act_as_themselves(grid: Stage, user: str) -> None:
    account = admin(grid, "dana-kim")
    await link(grid, user, account)
    identity = await identity_of(grid, user)
    assert identity is not None
    assert (identity.github.id, identity.suspension) == (account.id, None)
    await grid.click(user, "take")
    assert f"On it: <@{user}> (dana-kim)" in grid.read()
    await grid.close_as(user, "revoked", "Rotated.")
    assert "Closed as revoked" in grid.read()
    # What is refused names the account too, though the payload names another workspace.
    grid.github.remove_collaborator(grid.repository, account)
    await grid.click(user, "reopen")
    await grid.submit(user)
    rows = [row async for row in export_audit(grid.context.db, None) if row["slack_user"] == user]
    refused = [row for row in rows if row["outcome"] == "refused"]
    assert refused
    assert {row["github_login"] for row in refused} == {"dana-kim"}
    assert {row["slack_team"] for row in rows} == {grid.slack.team_id}, "the workspace of the identities"
    await grid.type(user, "unlink")
    assert await identity_of(grid, user) is None


async def test_people_of_another_organization_are_refused(grid: Stage) -> None:
    await grid.click(EVE, "take")
    assert "You can't use Stanch here." in grid.answer_to(EVE)
    await grid.slack.command(EVE, CHANNEL, "link", force=True)
    await grid.work()
    assert grid.slack.view(EVE) is None
