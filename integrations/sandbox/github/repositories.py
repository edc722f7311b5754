"""Builders for repositories and for the App's installations, with the webhooks GitHub sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from integrations.sandbox.github import shapes, shapes_app
from integrations.sandbox.github.records import (
    GitHubInstallation,
    GitHubRepository,
    GitHubUser,
    JsonObject,
    Organization,
    RepositoryOwner,
)
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubWorld


class RepositoryBuilders:
    """Adds and changes repositories and installations."""

    def __init__(self, world: GitHubWorld, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def add_repository(
        self,
        owner: RepositoryOwner,
        name: str,
        *,
        id: int | None = None,  # noqa: A002 # GitHub's own word.
        visibility: Literal["public", "private", "internal"] = "private",
        archived: bool = False,
        delegated_dismissal: bool = False,
        app_reviews_dismissals: bool = False,
        secret_scanning: bool = True,
    ) -> GitHubRepository:
        """A repository (→ repository.created); it ends a redirect from its name."""
        repository = GitHubRepository(
            id or self._world.next_id(), name, owner, visibility, self._world.now(), archived
        )
        repository.secret_scanning = secret_scanning
        repository.delegated_dismissal = delegated_dismissal
        repository.app_reviews_dismissals = app_reviews_dismissals
        self._world.index_repository(repository)
        self._emit_repository("created", repository)
        return repository

    def rename_repository(self, repository: GitHubRepository, name: str) -> None:
        """Rename; the old name redirects (→ repository.renamed)."""
        before = repository.name
        self._world.unindex_repository(repository, redirect=True)
        repository.name = name
        self._world.index_repository(repository)
        self._emit_repository("renamed", repository, {"repository": {"name": {"from": before}}})

    def transfer_repository(self, repository: GitHubRepository, owner: RepositoryOwner) -> None:
        """Change the owner; the old name redirects (→ repository.transferred, for the new owner)."""
        before = repository.owner
        self._world.unindex_repository(repository, redirect=True)
        repository.owner = owner
        self._world.index_repository(repository)
        origin: JsonObject = (
            {"organization": shapes.simple_organization(self._world, before)}
            if isinstance(before, Organization)
            else {"user": shapes.simple_user(self._world, before)}
        )
        self._emit_repository("transferred", repository, {"owner": {"from": origin}})

    def delete_repository(self, repository: GitHubRepository) -> None:
        """Delete it with its alerts; the name answers 404 (→ repository.deleted)."""
        self._emit_repository("deleted", repository)
        self._world.unindex_repository(repository, redirect=False)
        repository.deleted = True

    def set_visibility(self, repository: GitHubRepository, visibility: Literal["public", "private"]) -> None:
        """→ repository.publicized or repository.privatized."""
        repository.visibility = visibility
        self._emit_repository("publicized" if visibility == "public" else "privatized", repository)

    def archive_repository(self, repository: GitHubRepository) -> None:
        """→ repository.archived."""
        repository.archived = True
        self._emit_repository("archived", repository)

    def unarchive_repository(self, repository: GitHubRepository) -> None:
        """→ repository.unarchived."""
        repository.archived = False
        self._emit_repository("unarchived", repository)

    def squat(
        self, full_name: str, *, visibility: Literal["public", "private"] = "private"
    ) -> GitHubRepository:
        """A stranger registers an old `owner/name` again: a new repository there, and no redirect.

        If the owner's login is free, a new user gets it. `ValueError` if the name is in use.
        """
        login, name = full_name.split("/")
        owner = self._world.account(login)
        if owner is None:
            owner = GitHubUser(self._world.next_id(), login, self._world.now())
            self._world.index_account(owner)
        return self.add_repository(owner, name, visibility=visibility)

    def _emit_repository(
        self, action: str, repository: GitHubRepository, changes: JsonObject | None = None
    ) -> None:
        content: JsonObject = {} if changes is None else {"changes": changes}
        self._webhooks.emit("repository", action, content, account=repository.owner, repository=repository)

    # Installations

    def install(
        self,
        account: RepositoryOwner,
        *,
        repositories: Literal["all"] | Iterable[GitHubRepository] = "all",
        permissions: Mapping[str, str] | None = None,
    ) -> GitHubInstallation:
        """Install the App on an account (→ installation.created); `ValueError` if it is installed."""
        if self._world.installation_on(account) is not None:
            raise ValueError(f"the App is installed on {account.login} already")
        app = self._world.app
        granted = dict(app.permissions if permissions is None else permissions)
        installation = GitHubInstallation(
            self._world.next_id(), app.id, account, granted, list(app.events), self._world.now()
        )
        if not isinstance(repositories, str):
            installation.repositories = list(repositories)
        self._world.installations[installation.id] = installation
        self._emit_installation("created", installation, with_repositories=True)
        return installation

    def uninstall(self, installation: GitHubInstallation) -> None:
        """Remove the App from the account; its tokens stop working (→ installation.deleted)."""
        installation.removed = True
        del self._world.installations[installation.id]
        self._emit_installation("deleted", installation)

    def suspend(self, installation: GitHubInstallation, *, by: GitHubUser | None = None) -> None:
        """Suspend: no new tokens, and none works (→ installation.suspend)."""
        installation.suspended_at = self._world.now()
        installation.suspended_by = by
        self._emit_installation("suspend", installation)

    def unsuspend(self, installation: GitHubInstallation) -> None:
        """→ installation.unsuspend."""
        installation.suspended_at = installation.suspended_by = None
        self._emit_installation("unsuspend", installation)

    def set_permissions(self, installation: GitHubInstallation, permissions: Mapping[str, str]) -> None:
        """Accept other permissions for the account (→ installation.new_permissions_accepted)."""
        installation.permissions = dict(permissions)
        self._emit_installation("new_permissions_accepted", installation)

    def add_to_installation(self, installation: GitHubInstallation, *repositories: GitHubRepository) -> None:
        """Select more repositories (→ installation_repositories.added)."""
        chosen = installation.repositories = installation.repositories or []
        chosen.extend(repositories)
        self._emit_selection("added", installation, added=repositories)

    def remove_from_installation(
        self, installation: GitHubInstallation, *repositories: GitHubRepository
    ) -> None:
        """Select fewer; "all" becomes a selection (→ installation_repositories.removed)."""
        reach = self._world.reach(installation)
        installation.repositories = [each for each in reach if each not in repositories]
        self._emit_selection("removed", installation, removed=repositories)

    def _emit_installation(
        self, action: str, installation: GitHubInstallation, *, with_repositories: bool = False
    ) -> None:
        content: JsonObject = {"installation": shapes_app.installation(self._world, installation)}
        if with_repositories:
            content["repositories"] = [
                shapes.short_repository(each) for each in self._world.reach(installation)
            ]
            content["requester"] = None
        self._webhooks.emit(
            "installation", action, content, account=installation.account, installation=installation
        )

    def _emit_selection(
        self,
        action: str,
        installation: GitHubInstallation,
        *,
        added: Iterable[GitHubRepository] = (),
        removed: Iterable[GitHubRepository] = (),
    ) -> None:
        content: JsonObject = {
            "installation": shapes_app.installation(self._world, installation),
            "repository_selection": "all" if installation.repositories is None else "selected",
            "repositories_added": [shapes.short_repository(each) for each in added],
            "repositories_removed": [shapes.short_repository(each) for each in removed],
            "requester": None,
        }
        self._webhooks.emit(
            "installation_repositories",
            action,
            content,
            account=installation.account,
            installation=installation,
        )
