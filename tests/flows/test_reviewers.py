"""Who counts as owner or security manager of an account, where a subscription covers repositories of later."""

import pytest

from storage.clock import Clock
from tests.flows.stage import MANAGER, OWNER, Stage, open_stage
from tests.flows.subscribing import TEAM_CHANNEL, add_channels, type_in
from tests.flows.test_roles import SOMEBODY, organization, somebody

pytestmark = pytest.mark.either_database

REFUSED = "covers more than you may see"


async def may_cover_all(stage: Stage, user: str, words: str = "") -> bool:
    """Whether the person is shown the preview of a subscription to all alerts."""
    answer = await type_in(stage, user, f"subscribe {words}")
    assert ("open alert" in answer) is not (REFUSED in answer)
    return REFUSED not in answer


async def test_of_a_user_s_account_its_user_alone_may_subscribe_to_all(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo,somebody") as stage:
        add_channels(stage)
        user = await somebody(stage)
        members = stage.slack.workspace.channels[TEAM_CHANNEL].members
        stage.slack.workspace.change_channel(TEAM_CHANNEL, members=members | {SOMEBODY})
        stage.github.install(user)
        await stage.leak(stage.github.add_repository(user, "dotfiles"))
        assert await may_cover_all(stage, SOMEBODY, "org:somebody")
        assert not await may_cover_all(stage, OWNER, "org:somebody")
        assert await may_cover_all(stage, OWNER, "org:octo")
        stage.check()


@pytest.mark.parametrize("user", [OWNER, MANAGER])
async def test_a_renamed_reviewer_stays_one_and_the_login_s_new_holder_is_none(
    stage: Stage, user: str
) -> None:
    add_channels(stage)
    await stage.leak()
    stage.github.webhook_url = None
    login = stage.people[user].login
    stage.github.rename_account(stage.people[user], f"{login}-moved")
    stage.github.add_member(organization(stage), stage.github.add_user(login), role="member")
    assert await may_cover_all(stage, user)


@pytest.mark.parametrize("change", ["account gone", "left", "invited", "taken by another", "app removed"])
async def test_who_is_no_owner_any_more_may_not_subscribe_to_all(stage: Stage, change: str) -> None:
    """Without a delivery of GitHub's about it."""
    add_channels(stage)
    await stage.leak()
    assert await may_cover_all(stage, OWNER)
    github, octo, owner = stage.github, organization(stage), stage.people[OWNER]
    github.webhook_url = None
    match change:
        case "account gone":
            github.delete_user(owner)
        case "left":
            github.remove_member(octo, owner)
        case "invited":
            octo.members[owner.id].state = "pending"
        case "taken by another":
            github.delete_user(owner)
            github.add_member(octo, github.add_user("octo-owner"), role="admin")
        case "app removed":
            github.uninstall(next(iter(github.installations.values())))
    assert not await may_cover_all(stage, OWNER)
