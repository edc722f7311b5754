"""GitHub's JSON for Apps and their installations."""

from __future__ import annotations

from integrations.sandbox.github import shapes
from integrations.sandbox.github.apps import GitHubApp
from integrations.sandbox.github.records import GitHubInstallation, JsonObject, Organization
from integrations.sandbox.github.world import GitHubWorld


def app(world: GitHubWorld, record: GitHubApp) -> JsonObject:
    """The `integration` schema."""
    created = shapes.timestamp(record.created_at)
    return {
        "id": record.id,
        "slug": record.slug,
        "node_id": shapes.node_id("App", record.id),
        "client_id": record.client_id,
        "owner": app_owner(world, record),
        "name": record.name,
        "description": None,
        "external_url": record.external_url or world.url,
        "html_url": f"{world.url}/apps/{record.slug}",
        "created_at": created,
        "updated_at": created,
        "permissions": record.permissions,
        "events": list(record.events),
        "installations_count": len(world.installations_of(record)),
    }


def app_owner(world: GitHubWorld, record: GitHubApp) -> JsonObject:
    """The App's owner: the `enterprise` or the `simple-user` schema."""
    enterprise = record.enterprise
    if enterprise is None:
        assert record.owner is not None, "the sandbox gives every App an owner"
        return shapes.simple_user(world, record.owner)
    return {
        "id": enterprise.id,
        "node_id": shapes.node_id("Enterprise", enterprise.id),
        "name": enterprise.slug.title(),
        "slug": enterprise.slug,
        "html_url": f"{world.url}/enterprises/{enterprise.slug}",
        "created_at": None,
        "updated_at": None,
        "avatar_url": f"{world.url}/avatars/b/{enterprise.id}",
    }


def installation(world: GitHubWorld, record: GitHubInstallation) -> JsonObject:
    """The `installation` schema."""
    app = world.apps[record.app_id]
    login = record.account.login
    organization = isinstance(record.account, Organization)
    settings = f"/organizations/{login}/settings" if organization else "/settings"
    return {
        "id": record.id,
        "account": shapes.simple_user(world, record.account),
        "app_id": app.id,
        "app_slug": app.slug,
        "client_id": app.client_id,
        "target_id": record.account.id,
        "target_type": record.account.kind,
        "repository_selection": "all" if record.repositories is None else "selected",
        "access_tokens_url": f"{world.api_url}/app/installations/{record.id}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.url}{settings}/installations/{record.id}",
        "permissions": record.permissions,
        "events": record.events,
        "created_at": shapes.timestamp(record.created_at),
        "updated_at": shapes.timestamp(record.created_at),
        "single_file_name": None,
        "suspended_by": shapes.optional_user(world, record.suspended_by),
        "suspended_at": shapes.optional_timestamp(record.suspended_at),
    }
