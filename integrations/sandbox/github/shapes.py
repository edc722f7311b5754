"""GitHub's JSON for accounts, teams and repositories, with their current names."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote

from integrations.sandbox.github.addresses import REPOSITORY_LINKS, USER_LINKS
from integrations.sandbox.github.records import (
    GitHubRepository,
    GitHubTeam,
    GitHubUser,
    JsonObject,
    Organization,
    OrganizationMembership,
    RepositoryOwner,
)
from integrations.sandbox.github.world import GitHubWorld


def timestamp(at: float) -> str:
    """GitHub's times: UTC, whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_timestamp(at: float | None) -> str | None:
    return None if at is None else timestamp(at)


def node_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def simple_user(world: GitHubWorld, account: RepositoryOwner) -> JsonObject:
    """The `simple-user` schema, which GitHub uses for organizations and bots too."""
    # A bot's login has brackets, which GitHub encodes in addresses.
    login = quote(account.login)
    api = f"{world.api_url}/users/{login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(account.kind, account.id),
        "avatar_url": f"{world.url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.url}/{login}",
        **{name: api + tail for name, tail in USER_LINKS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def optional_user(world: GitHubWorld, account: RepositoryOwner | None) -> JsonObject | None:
    return None if account is None else simple_user(world, account)


def public_user(world: GitHubWorld, account: RepositoryOwner) -> JsonObject:
    """The `public-user` schema: the public part of a profile."""
    return {
        **simple_user(world, account),
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": timestamp(account.created_at),
        "updated_at": timestamp(account.created_at),
    }


def private_user(world: GitHubWorld, user: GitHubUser) -> JsonObject:
    """The `private-user` schema: a token's owner, for the `user` scope."""
    return {
        **public_user(world, user),
        "user_view_type": "private",
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def simple_organization(world: GitHubWorld, organization: RepositoryOwner) -> JsonObject:
    """The `organization-simple` schema, also of webhooks."""
    api = f"{world.api_url}/orgs/{organization.login}"
    return {
        "login": organization.login,
        "id": organization.id,
        "node_id": node_id("Organization", organization.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": api + "/members{/member}",
        "public_members_url": api + "/public_members{/member}",
        "avatar_url": f"{world.url}/avatars/u/{organization.id}",
        "description": None,
    }


def full_organization(world: GitHubWorld, organization: Organization) -> JsonObject:
    """The `organization-full` schema as a member's token or an installation sees it."""
    return {
        **simple_organization(world, organization),
        "html_url": f"{world.url}/{organization.login}",
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "type": "Organization",
        "default_repository_permission": organization.base_permission,
        "created_at": timestamp(organization.created_at),
        "updated_at": timestamp(organization.created_at),
        "archived_at": None,
    }


def membership(world: GitHubWorld, organization: Organization, record: OrganizationMembership) -> JsonObject:
    """The `org-membership` schema without the fields that only REST has."""
    return {
        "url": f"{world.api_url}/orgs/{organization.login}/memberships/{record.user.login}",
        "state": record.state,
        "role": record.role,
        "organization_url": f"{world.api_url}/orgs/{organization.login}",
        "user": simple_user(world, record.user),
    }


def team(world: GitHubWorld, record: GitHubTeam) -> JsonObject:
    """The `team-simple` schema with `parent`, as roles and webhooks have it."""
    api = f"{world.api_url}/organizations/{record.organization.id}/team/{record.id}"
    return {
        "id": record.id,
        "node_id": node_id("Team", record.id),
        "name": record.name,
        "slug": record.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": api,
        "html_url": f"{world.url}/orgs/{record.organization.login}/teams/{record.slug}",
        "members_url": api + "/members{/member}",
        "repositories_url": f"{api}/repos",
        "type": "organization",
        "organization_id": record.organization.id,
        "parent": None,
    }


def simple_repository(world: GitHubWorld, record: GitHubRepository) -> JsonObject:
    """The `simple-repository` schema."""
    api = f"{world.api_url}/repos/{record.full_name}"
    return {
        "id": record.id,
        "node_id": node_id("Repository", record.id),
        "name": record.name,
        "full_name": record.full_name,
        "owner": simple_user(world, record.owner),
        "private": record.private,
        "html_url": f"{world.url}/{record.full_name}",
        "description": None,
        "fork": False,
        "url": api,
        **{name: api + tail for name, tail in REPOSITORY_LINKS.items()},
    }


def repository(world: GitHubWorld, record: GitHubRepository) -> JsonObject:
    """The `repository` schema, also of webhooks."""
    web = f"{world.url}/{record.full_name}"
    created = timestamp(record.created_at)
    host = world.url.removeprefix("http://")
    return {
        **simple_repository(world, record),
        "git_url": f"git://{host}/{record.full_name}.git",
        "ssh_url": f"git@{host}:{record.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "homepage": None,
        "language": None,
        "license": None,
        "mirror_url": None,
        "size": 0,
        "default_branch": "main",
        "topics": [],
        "visibility": record.visibility,
        "archived": record.archived,
        "disabled": False,
        "is_template": False,
        "has_issues": True,
        "has_projects": True,
        "has_wiki": True,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "forks": 0,
        "forks_count": 0,
        "open_issues": 0,
        "open_issues_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "pushed_at": created,
        "created_at": created,
        "updated_at": created,
    }


def full_repository(world: GitHubWorld, record: GitHubRepository, *, with_settings: bool) -> JsonObject:
    """The `full-repository` schema; `security_and_analysis` only for callers who may see it."""
    shape = {**repository(world, record), "network_count": 0, "subscribers_count": 0}
    if isinstance(record.owner, Organization):
        shape["organization"] = simple_user(world, record.owner)
    if with_settings:
        states = {
            "secret_scanning": record.secret_scanning,
            "secret_scanning_push_protection": record.secret_scanning,
            "secret_scanning_non_provider_patterns": record.secret_scanning,
            "secret_scanning_validity_checks": record.secret_scanning,
            "secret_scanning_delegated_alert_dismissal": record.delegated_dismissal,
        }
        shape["security_and_analysis"] = {
            name: {"status": "enabled" if on else "disabled"} for name, on in states.items()
        }
    return shape


def short_repository(record: GitHubRepository) -> JsonObject:
    """The five fields of a repository in installation events."""
    return {
        "id": record.id,
        "node_id": node_id("Repository", record.id),
        "name": record.name,
        "full_name": record.full_name,
        "private": record.private,
    }
