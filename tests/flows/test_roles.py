"""What each role of GitHub's allows, and people without a role."""

from collections.abc import Callable

import pytest

from integrations.sandbox.github import GitHubUser, Organization
from storage.clock import Clock
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage, open_stage

pytestmark = pytest.mark.either_database

NO_VIEW = "see the alerts of"
VIEW, RESOLVE = "view_secret_scanning_alerts", "resolve_secret_scanning_alerts"
SOMEBODY = "U0SOMEBODY"
Setting = Callable[[Stage, GitHubUser], None]


def organization(stage: Stage) -> Organization:
    assert isinstance(stage.github.app_owner, Organization)
    return stage.github.app_owner


def member(stage: Stage, user: GitHubUser) -> None:
    stage.github.add_member(organization(stage), user)


def owner(stage: Stage, user: GitHubUser) -> None:
    stage.github.add_member(organization(stage), user, role="admin")


def invited_owner(stage: Stage, user: GitHubUser) -> None:
    stage.github.add_member(organization(stage), user, role="admin", state="pending")


def admin(stage: Stage, user: GitHubUser) -> None:
    stage.github.add_collaborator(stage.repository, user, "admin")


def admin_by_team(stage: Stage, user: GitHubUser) -> None:
    member(stage, user)
    team = stage.github.add_team(organization(stage), "Admins", user)
    stage.github.add_team_to_repository(team, stage.repository, "admin")


def security_manager(stage: Stage, user: GitHubUser) -> None:
    member(stage, user)
    stage.github.assign_organization_role(organization(stage), "security_manager", user)


def security_manager_by_team(stage: Stage, user: GitHubUser) -> None:
    member(stage, user)
    team = stage.github.add_team(organization(stage), "Security", user)
    stage.github.assign_organization_role(organization(stage), "security_manager", team)


def custom_role(*permissions: str) -> Setting:
    def set_up(stage: Stage, user: GitHubUser) -> None:
        member(stage, user)
        # What another role gives does not count.
        stage.github.add_custom_repository_role(organization(stage), "auditor", permissions=(VIEW, RESOLVE))
        stage.github.add_custom_repository_role(organization(stage), "triager", permissions=permissions)
        stage.github.add_collaborator(stage.repository, user, "triager")

    return set_up


def organization_role(*permissions: str) -> Setting:
    def set_up(stage: Stage, user: GitHubUser) -> None:
        member(stage, user)
        role = stage.github.add_organization_role(organization(stage), "responder", permissions=permissions)
        stage.github.assign_organization_role(organization(stage), role, user)

    return set_up


def collaborator(level: str) -> Setting:
    def set_up(stage: Stage, user: GitHubUser) -> None:
        member(stage, user)
        stage.github.add_collaborator(stage.repository, user, level)

    return set_up


def nobody(stage: Stage, user: GitHubUser) -> None:
    del stage, user


async def somebody(stage: Stage, *, login: str = "somebody") -> GitHubUser:
    """A linked person in the channel."""
    user = stage.github.add_user(login)
    stage.slack.workspace.add_user(SOMEBODY, name="somebody")
    members = stage.slack.workspace.channels[CHANNEL].members
    stage.slack.workspace.change_channel(CHANNEL, members=members | {SOMEBODY})
    await stage.link(SOMEBODY, user)
    return user


async def checks(stage: Stage, user: str = SOMEBODY) -> bool:
    """Whether the person may check the only alert."""
    before = len(stage.slack.private_messages(user))
    await stage.click(user, "check_validity")
    return all(NO_VIEW not in told.shown_text for told in stage.slack.private_messages(user)[before:])


async def closes(stage: Stage, user: str = SOMEBODY) -> bool:
    """Whether the person gets the form to close the only alert."""
    await stage.pick(user, "close_as", "revoked")
    return "resolution" in stage.form(user).action_ids


@pytest.mark.parametrize(
    ("role", "may_view", "may_close"),
    [
        (owner, True, True),
        (admin, True, True),
        (admin_by_team, True, True),
        (security_manager, True, True),
        (security_manager_by_team, True, True),
        (custom_role(VIEW), True, False),
        (custom_role(VIEW, RESOLVE), True, True),
        (custom_role("read_code_scanning"), False, False),
        (organization_role(VIEW), True, False),
        (organization_role(RESOLVE), True, True),
        (organization_role("write_organization_actions_secrets"), False, False),
        (collaborator("maintain"), False, False),
        (collaborator("write"), False, False),
        (collaborator("read"), False, False),
        (member, False, False),
        (invited_owner, False, False),
        (nobody, False, False),
    ],
)
async def test_a_role_decides_what_a_person_may_do(
    stage: Stage, role: Setting, may_view: bool, may_close: bool
) -> None:
    user = await somebody(stage)
    role(stage, user)
    alert = await stage.leak()
    assert (await checks(stage), await closes(stage)) == (may_view, may_close)
    if may_close:
        await stage.submit(SOMEBODY)
    assert (alert.resolution == "revoked") is may_close


async def test_the_assignee_of_an_alert_may_see_and_close_that_one(stage: Stage) -> None:
    """GitHub's changelog: an assignee may see and resolve the alert until the assignment ends."""
    user = await somebody(stage)
    collaborator("write")(stage, user)
    alert = await stage.leak()
    assert not await checks(stage)
    stage.github.assign(alert, user)
    await stage.work()
    assert await checks(stage)
    assert await closes(stage)
    stage.github.unassign(alert)
    await stage.work()
    stage.clock.advance(60)
    assert not await checks(stage)


async def test_a_person_who_may_only_view_is_told_which_role_closing_needs(stage: Stage) -> None:
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    assert not await closes(stage)
    answer = stage.form(SOMEBODY).shown_text
    assert "You can't close this alert." in answer
    assert "You need to be repository admin, security manager or organization owner." in answer


async def test_in_a_user_s_repository_github_is_not_asked_about_an_organization(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Its owner and admin collaborators may close; a writer and an organization's owner may not."""
    async with open_stage(database_url, clock, private_key, github_accounts="octo,somebody") as stage:
        user = await somebody(stage)
        stage.github.install(user)
        repository = stage.github.add_repository(user, "dotfiles")
        stage.github.add_collaborator(repository, stage.people[ADMIN], "admin")
        stage.github.add_collaborator(repository, stage.people[READER], "write")
        await stage.leak(repository)
        since = len(stage.github.requests)
        assert await checks(stage)
        assert await closes(stage)
        assert await closes(stage, ADMIN)
        assert not await checks(stage, READER)
        assert not await checks(stage, OWNER)
        assert [call.path for call in stage.github.requests[since:] if call.path.startswith("/orgs/")] == []
        stage.check()


async def test_a_login_that_belongs_to_another_account_is_refused(stage: Stage) -> None:
    """The account was deleted; a stranger registered its login and is an admin."""
    alert = await stage.leak()
    stage.github.delete_user(stage.people[ADMIN])
    stranger = stage.github.add_user("octo-admin")
    stage.github.add_collaborator(stage.repository, stranger, "admin")
    await stage.work()
    assert not await checks(stage, ADMIN)
    assert not await closes(stage, ADMIN)
    assert alert.state == "open"


async def test_a_renamed_account_is_followed_to_its_new_login(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.rename_account(stage.people[ADMIN], "octo-boss")
    impostor = stage.github.add_user("octo-admin")
    stage.github.add_collaborator(stage.repository, impostor, "read")
    await stage.close_as(ADMIN, "revoked")
    assert alert.resolution_comment == "by octo-boss via Stanch"
    assert "You are octo-boss here." in await stage.type(ADMIN, "whoami")


async def test_a_renamed_person_does_not_get_the_rights_of_the_login_s_new_holder(stage: Stage) -> None:
    """The login's new holder is an admin; the renamed person is not."""
    await stage.leak()
    stage.github.rename_account(stage.people[READER], "octo-nobody")
    stage.github.rename_account(stage.people[ADMIN], "octo-reader")
    await stage.work()
    assert not await closes(stage, READER)
    assert await closes(stage, ADMIN)
