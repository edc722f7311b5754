"""The endpoints about people and repositories: profiles, memberships, roles, permissions, commits."""

from __future__ import annotations

from integrations.sandbox.github import rights, shapes, shapes_alerts
from integrations.sandbox.github.calls import Call, Refusal, Route, RouteResponse
from integrations.sandbox.github.paging import page_of
from integrations.sandbox.github.records import GitHubOrganizationRole, GitHubUser, JsonObject


def get_repository(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}`: public ones for anybody, also under a new owner."""
    may_see = call.principal.reaches(call.repository) or _is_admin(call)
    settings = may_see and not call.repository.hides_settings
    return RouteResponse(200, shapes.full_repository(call.github, call.repository, with_settings=settings))


def _is_admin(call: Call) -> bool:
    user = call.principal.user
    return user is not None and rights.repository_role(call.repository, user).level == "admin"


def get_commit(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/commits/{ref}`."""
    commit = call.repository.commits.get(call.path["ref"])
    if commit is None:
        raise Refusal(422, f"No commit found for SHA: {call.path['ref']}")
    return RouteResponse(200, shapes_alerts.commit(call.github, call.repository, commit))


def get_permission(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/collaborators/{username}/permission`: the highest role of all sources."""
    user = call.github.user(call.path["username"])
    if user is None:
        raise Refusal(404, f"{call.path['username']} is not a user")
    role = rights.repository_role(call.repository, user)
    person = shapes.simple_user(call.github, user) | {"permissions": role.flags, "role_name": role.name}
    return RouteResponse(200, {"permission": role.permission, "role_name": role.name, "user": person})


def list_collaborators(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/collaborators`: people with at least that permission, with organization owners.

    Of a public repository only permissions above `pull`, which everybody has there without being listed.
    """
    needed = call.text("permission") or "pull"
    if needed == "pull" and call.repository.visibility == "public":
        raise Refusal(422, "the stand-in lists no people who may only read a public repository")
    people = [account for account in call.github.accounts.values() if isinstance(account, GitHubUser)]
    roles = [(user, rights.repository_role(call.repository, user)) for user in people]
    page, headers = page_of(call, [(user, role) for user, role in roles if role.flags[needed]])
    listed: list[JsonObject] = [
        shapes.simple_user(call.github, user) | {"permissions": role.flags, "role_name": role.name}
        for user, role in page
    ]
    return RouteResponse(200, listed, headers)


def get_organization(call: Call) -> RouteResponse:
    """`GET /orgs/{org}`."""
    return RouteResponse(200, shapes.full_organization(call.github, call.organization))


def list_members(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/members`: not those who have only been invited."""
    role = call.text("role")
    wanted = ("admin", "member") if role in (None, "all") else (role,)
    members = [
        member.user
        for member in call.organization.members.values()
        if member.state == "active" and member.role in wanted
    ]
    page, headers = page_of(call, members)
    return RouteResponse(200, [shapes.simple_user(call.github, user) for user in page], headers)


def get_membership(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/memberships/{username}`: 404 for people who are no members."""
    user = call.github.user(call.path["username"])
    membership = call.organization.members.get(user.id) if user else None
    if membership is None:
        raise Refusal(404, "Not Found")
    body = shapes.membership(call.github, call.organization, membership) | {
        "direct_membership": True,
        "enterprise_teams_providing_indirect_membership": [],
        "organization": shapes.simple_organization(call.github, call.organization),
    }
    return RouteResponse(200, body)


def list_roles(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/organization-roles`."""
    roles = [_role(call, each) for each in call.organization.roles]
    return RouteResponse(200, {"total_count": len(roles), "roles": roles})


def get_role(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/organization-roles/{role_id}`."""
    return RouteResponse(200, _role(call, _find_role(call)))


def list_role_users(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/organization-roles/{role_id}/users`: including people who have it through a team."""
    role = _find_role(call)
    through_teams = [user for team in role.teams for user in team.members]
    holders = list(dict.fromkeys([*role.users, *through_teams]))
    page, headers = page_of(call, holders)
    return RouteResponse(200, [_assignment(call, role, user) for user in page], headers)


def list_role_teams(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/organization-roles/{role_id}/teams`."""
    page, headers = page_of(call, _find_role(call).teams)
    body = [shapes.team(call.github, each) | {"assignment": "direct"} for each in page]
    return RouteResponse(200, body, headers)


def list_custom_repository_roles(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/custom-repository-roles`."""
    roles: list[JsonObject] = [
        {
            "id": each.id,
            "name": each.name,
            "description": None,
            "base_role": each.base_role,
            "permissions": list(each.permissions),
            "organization": shapes.simple_user(call.github, call.organization),
            "created_at": shapes.timestamp(each.created_at),
            "updated_at": shapes.timestamp(each.created_at),
        }
        for each in call.organization.custom_repository_roles
    ]
    return RouteResponse(200, {"total_count": len(roles), "custom_roles": roles})


def _find_role(call: Call) -> GitHubOrganizationRole:
    role_id = call.number("role_id")
    found = next((each for each in call.organization.roles if each.id == role_id), None)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _role(call: Call, role: GitHubOrganizationRole) -> JsonObject:
    return {
        "id": role.id,
        "name": role.name,
        "description": None,
        "base_role": role.base_role,
        "source": role.source,
        "permissions": list(role.permissions),
        "organization": shapes.simple_user(call.github, call.organization),
        "created_at": shapes.timestamp(role.created_at),
        "updated_at": shapes.timestamp(role.created_at),
    }


def _assignment(call: Call, role: GitHubOrganizationRole, user: GitHubUser) -> JsonObject:
    teams = [team for team in role.teams if user in team.members]
    direct = user in role.users
    inherited = [shapes.team(call.github, team) for team in teams]
    return shapes.simple_user(call.github, user) | {
        "assignment": "direct" if not teams else "mixed" if direct else "indirect",
        "inherited_from": inherited,
    }


def get_user(call: Call) -> RouteResponse:
    """`GET /users/{username}`: also for organizations and bots."""
    account = call.github.account(call.path["username"])
    if account is None:
        raise Refusal(404, "Not Found")
    return RouteResponse(200, shapes.public_user(call.github, account))


def get_user_by_id(call: Call) -> RouteResponse:
    """`GET /user/{account_id}`: the current login of an id."""
    account = call.github.accounts.get(call.number("account_id"))
    if account is None:
        raise Refusal(404, "Not Found")
    return RouteResponse(200, shapes.public_user(call.github, account))


def get_authenticated_user(call: Call) -> RouteResponse:
    """`GET /user`: the token's owner, with private fields if it has the `user` scope."""
    live = call.principal.live_token
    assert live is not None, "the route is for persons' tokens"
    shape = shapes.private_user if "user" in live.scopes else shapes.public_user
    return RouteResponse(200, shape(call.github, live.owner))


METADATA = (("metadata", "read"),)
MEMBERS = (("members", "read"),)
ORGANIZATION_ROLES = (("organization_custom_org_roles", "read"),)
REPOSITORY_ROLES = (("organization_custom_roles", "read"), ("organization_administration", "read"))
ROUTES = (
    Route("repos/get", get_repository, "anyone", METADATA),
    Route("repos/get-commit", get_commit, "installation", (("contents", "read"),)),
    Route("repos/list-collaborators", list_collaborators, "installation", METADATA),
    Route("repos/get-collaborator-permission-level", get_permission, "installation", METADATA),
    Route("orgs/get", get_organization, "anyone"),
    Route("orgs/list-members", list_members, "installation", MEMBERS),
    Route("orgs/get-membership-for-user", get_membership, "installation", MEMBERS),
    Route("orgs/list-org-roles", list_roles, "installation", ORGANIZATION_ROLES),
    Route("orgs/get-org-role", get_role, "installation", ORGANIZATION_ROLES),
    Route("orgs/list-org-role-users", list_role_users, "installation", MEMBERS),
    Route("orgs/list-org-role-teams", list_role_teams, "installation", MEMBERS),
    Route("orgs/list-custom-repo-roles", list_custom_repository_roles, "installation", REPOSITORY_ROLES),
    Route("users/get-by-username", get_user, "anyone"),
    Route("users/get-by-id", get_user_by_id, "anyone"),
    Route("users/get-authenticated", get_authenticated_user, "user"),
)
