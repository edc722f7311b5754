"""Roles, permissions and memberships, as GitHub returns them."""

import pytest

from integrations.sandbox.github import GitHubUser
from tests.integrations.sandbox.github.conftest import Scene


async def permission(scene: Scene, user: GitHubUser) -> tuple[str, str]:
    token = await scene.caller.token(scene.installation)
    path = f"/repos/octo/payments/collaborators/{user.login}/permission"
    body = (await scene.caller.call("GET", path, token)).body
    assert body["user"]["id"] == user.id
    return body["permission"], body["role_name"]


@pytest.mark.parametrize(
    ("role", "legacy"),
    [("read", "read"), ("triage", "read"), ("write", "write"), ("maintain", "write"), ("admin", "admin")],
)
async def test_a_collaborators_role_comes_with_githubs_legacy_permission(
    scene: Scene, role: str, legacy: str
) -> None:
    rae = scene.github.add_user("rae")
    scene.github.add_collaborator(scene.payments, rae, role)

    assert await permission(scene, rae) == (legacy, role)


async def test_the_highest_role_wins_over_all_sources(scene: Scene) -> None:
    rae = scene.github.add_user("rae")
    stranger = await permission(scene, rae)
    scene.github.add_member(scene.octo, rae)
    member = await permission(scene, rae)
    team = scene.github.add_team(scene.octo, "Payments", rae)
    scene.github.add_team_to_repository(team, scene.payments, "maintain")
    teammate = await permission(scene, rae)
    scene.github.set_member_role(scene.octo, rae, "admin")
    owner = await permission(scene, rae)

    assert stranger == ("none", "")
    assert member == ("read", "read")
    assert teammate == ("write", "maintain")
    assert owner == ("admin", "admin")


async def test_a_custom_role_keeps_its_name_and_is_listed_with_its_permissions(scene: Scene) -> None:
    scene.github.add_custom_repository_role(
        scene.octo, "triager", base_role="read", permissions=["resolve_secret_scanning_alerts"]
    )
    rae = scene.github.add_user("rae")
    scene.github.add_collaborator(scene.payments, rae, "triager")
    token = await scene.caller.token(scene.installation)
    roles = await scene.caller.call("GET", "/orgs/octo/custom-repository-roles", token)

    assert await permission(scene, rae) == ("read", "triager")
    assert roles.body["custom_roles"][0]["permissions"] == ["resolve_secret_scanning_alerts"]


async def test_an_unknown_role_cannot_be_granted(scene: Scene) -> None:
    with pytest.raises(ValueError, match="no repository role"):
        scene.github.add_collaborator(scene.payments, scene.ana, "superuser")


async def test_the_owner_of_a_users_repository_is_its_admin(scene: Scene) -> None:
    bob = scene.github.add_user("bob")
    notes = scene.github.add_repository(bob, "notes")
    token = await scene.caller.token(scene.github.install(bob))

    reply = await scene.caller.call("GET", f"/repos/{notes.full_name}/collaborators/bob/permission", token)

    assert reply.body["permission"] == "admin"


async def test_memberships_are_for_the_organizations_installation_only(scene: Scene) -> None:
    rae = scene.github.add_user("rae")
    other = scene.github.add_organization("other")
    scene.github.add_member(other, rae, role="admin")
    foreign = await scene.caller.token(scene.github.install(other))
    token = await scene.caller.token(scene.installation)

    owner = await scene.caller.call("GET", "/orgs/octo/memberships/ana", token)
    nobody = await scene.caller.call("GET", "/orgs/octo/memberships/rae", token)
    asked_by_others = await scene.caller.call("GET", "/orgs/octo/memberships/ana", foreign)

    assert (owner.body["role"], owner.body["user"]["id"]) == ("admin", scene.ana.id)
    assert (nobody.status, asked_by_others.status) == (404, 403)


async def test_security_managers_are_found_by_the_roles_name(scene: Scene) -> None:
    rae, tom = scene.github.add_user("rae"), scene.github.add_user("tom")
    team = scene.github.add_team(scene.octo, "Security", tom, rae)
    scene.github.assign_organization_role(scene.octo, "security_manager", rae)
    scene.github.assign_organization_role(scene.octo, "security_manager", team)
    token = await scene.caller.token(scene.installation)

    roles = (await scene.caller.call("GET", "/orgs/octo/organization-roles", token)).body["roles"]
    role_id = next(each["id"] for each in roles if each["name"] == "security_manager")
    users = await scene.caller.call("GET", f"/orgs/octo/organization-roles/{role_id}/users", token)
    teams = await scene.caller.call("GET", f"/orgs/octo/organization-roles/{role_id}/teams", token)

    assert {each["login"]: each["assignment"] for each in users.body} == {"rae": "mixed", "tom": "indirect"}
    assert [each["slug"] for each in teams.body] == ["security"]


async def test_organization_roles_list_their_permissions(scene: Scene) -> None:
    role = scene.github.add_organization_role(
        scene.octo, "leak watcher", permissions=["view_secret_scanning_alerts"]
    )
    token = await scene.caller.token(scene.installation)

    reply = await scene.caller.call("GET", f"/orgs/octo/organization-roles/{role.id}", token)

    assert reply.body["permissions"] == ["view_secret_scanning_alerts"]
    assert reply.body["source"] == "Organization"


async def test_leaving_the_organization_ends_teams_and_roles(scene: Scene) -> None:
    rae = scene.github.add_user("rae")
    scene.github.add_member(scene.octo, rae)
    team = scene.github.add_team(scene.octo, "Security", rae)
    scene.github.assign_organization_role(scene.octo, "security_manager", rae)

    scene.github.remove_member(scene.octo, rae)

    assert team.members == []
    assert await permission(scene, rae) == ("none", "")


async def test_a_reused_login_has_another_id(scene: Scene) -> None:
    rae = scene.github.add_user("rae")
    scene.github.rename_account(rae, "rae-two")
    impostor = scene.github.add_user("rae")

    by_login = await scene.caller.call("GET", "/users/rae")
    by_id = await scene.caller.call("GET", f"/user/{rae.id}")

    assert by_login.body["id"] == impostor.id
    assert by_id.body["login"] == "rae-two"


async def test_a_deleted_user_is_not_found(scene: Scene) -> None:
    rae = scene.github.add_user("rae")
    scene.github.delete_user(rae)

    assert (await scene.caller.call("GET", "/users/rae")).status == 404
    assert (await scene.caller.call("GET", f"/user/{rae.id}")).status == 404


async def test_bots_and_organizations_have_profiles(scene: Scene) -> None:
    kinds = [
        (await scene.caller.call("GET", f"/users/{login}")).body["type"] for login in ("stanch[bot]", "octo")
    ]
    organization = await scene.caller.call("GET", "/orgs/octo")

    assert kinds == ["Bot", "Organization"]
    assert organization.body["id"] == scene.octo.id


async def test_collaborators_are_listed_by_their_least_permission_with_owners(scene: Scene) -> None:
    rae, ivy, kim = (scene.github.add_user(login) for login in ("rae", "ivy", "kim"))
    scene.github.add_collaborator(scene.payments, rae, "admin")
    scene.github.add_collaborator(scene.payments, ivy, "write")
    scene.github.add_member(scene.octo, kim, role="admin")
    token = await scene.caller.token(scene.installation)
    path = "/repos/octo/payments/collaborators"
    admins = (await scene.caller.call("GET", f"{path}?permission=admin", token)).body
    writers = (await scene.caller.call("GET", f"{path}?permission=push", token)).body
    assert {"rae", "kim"} <= {each["login"] for each in admins}
    assert "ivy" not in {each["login"] for each in admins}
    assert {each["role_name"] for each in admins} == {"admin"}
    assert {"rae", "ivy", "kim"} <= {each["login"] for each in writers}
