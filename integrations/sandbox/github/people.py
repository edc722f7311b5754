"""Builders for people: accounts, members, teams, collaborators and roles, with GitHub's webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from integrations.sandbox.github import shapes
from integrations.sandbox.github.records import (
    ExternalIdentity,
    GitHubOrganizationRole,
    GitHubRepository,
    GitHubRepositoryRole,
    GitHubTeam,
    GitHubUser,
    IdentityEmail,
    JsonObject,
    Organization,
    OrganizationMembership,
    RepositoryOwner,
)
from integrations.sandbox.github.rights import LEVELS, SECURITY_MANAGER
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubWorld

SECURITY_MANAGER_ROLE_ID = 138


class PeopleBuilders:
    """Adds and changes people."""

    def __init__(self, world: GitHubWorld, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def add_user(
        self,
        login: str,
        *,
        name: str | None = None,
        email: str | None = None,
    ) -> GitHubUser:
        """A person with a new id, also if the login was another's before; `ValueError` if it is taken."""
        user = GitHubUser(self._world.next_id(), login, self._world.now(), name, email)
        self._world.index_account(user)
        return user

    def add_bot(self, login: str) -> GitHubUser:
        """An account of type Bot."""
        bot = GitHubUser(self._world.next_id(), login, self._world.now(), bot=True)
        self._world.index_account(bot)
        return bot

    def add_organization(
        self,
        login: str,
        *,
        id: int | None = None,  # noqa: A002 # GitHub's own word.
    ) -> Organization:
        """An organization with the predefined role `security_manager`."""
        organization = Organization(id or self._world.next_id(), login, self._world.now())
        role = GitHubOrganizationRole(
            SECURITY_MANAGER_ROLE_ID, SECURITY_MANAGER, "Predefined", "read", (), self._world.now()
        )
        organization.roles.append(role)
        self._world.index_account(organization)
        return organization

    def rename_account(self, account: RepositoryOwner, login: str) -> None:
        """Change a login; the old one is free at once, and its repositories redirect."""
        owned = self._world.repositories_of(account)
        for repository in owned:
            self._world.unindex_repository(repository, redirect=True)
        self._world.unindex_account(account)
        account.login = login
        self._world.index_account(account)
        for repository in owned:
            self._world.index_repository(repository)

    def delete_user(self, user: GitHubUser) -> None:
        """Delete the account with its tokens; its login is free."""
        self._world.unindex_account(user)
        del self._world.accounts[user.id]
        self._world.authorizations.pop(user.id, None)
        for token in self._world.live_tokens.values():
            if token.owner is user and token.is_valid(self._world.now()):
                token.revoked_at = self._world.now()
        for account in self._world.accounts.values():
            if isinstance(account, Organization):
                account.members.pop(user.id, None)

    def add_member(
        self,
        organization: Organization,
        user: GitHubUser,
        *,
        role: Literal["member", "admin", "billing_manager"] = "member",
        state: Literal["active", "pending"] = "active",
    ) -> None:
        """Add a membership (→ organization.member_added); an `admin` is an owner."""
        organization.members[user.id] = OrganizationMembership(user, role, state)
        self._emit_membership("member_added", organization, organization.members[user.id])

    def set_member_role(
        self, organization: Organization, user: GitHubUser, role: Literal["member", "admin"]
    ) -> None:
        """Promote or demote; GitHub sends no webhook."""
        organization.members[user.id].role = role

    def remove_member(self, organization: Organization, user: GitHubUser) -> None:
        """End a membership with its teams and roles (→ organization.member_removed)."""
        membership = organization.members.pop(user.id)
        groups = [team.members for team in organization.teams] + [role.users for role in organization.roles]
        for holders in groups:
            if user in holders:
                holders.remove(user)
        self._emit_membership("member_removed", organization, membership)

    def _emit_membership(
        self, action: str, organization: Organization, membership: OrganizationMembership
    ) -> None:
        content: JsonObject = {"membership": shapes.membership(self._world, organization, membership)}
        self._webhooks.emit("organization", action, content, account=organization)

    def add_identity(
        self,
        organization: Organization,
        user: GitHubUser | None,
        address: str | None = None,
        *,
        scim_address: str | None = None,
        emails: Iterable[IdentityEmail] | None = None,
    ) -> ExternalIdentity:
        """An identity at the organization's provider, with `address` as SAML's name id and user name."""
        organization.has_saml = True
        identity = ExternalIdentity(
            f"guid-{self._world.next_id()}",
            user,
            address,
            address,
            None if address is None else list(emails or [IdentityEmail(address, primary=True)]),
            scim_address,
            None if scim_address is None else list(emails or [IdentityEmail(scim_address, primary=True)]),
        )
        organization.external_identities.append(identity)
        return identity

    def add_team(self, organization: Organization, name: str, *members: GitHubUser) -> GitHubTeam:
        """A team (→ team.created)."""
        team = GitHubTeam(
            self._world.next_id(), name, name.lower().replace(" ", "-"), organization, list(members)
        )
        organization.teams.append(team)
        self._webhooks.emit("team", "created", {"team": shapes.team(self._world, team)}, account=organization)
        return team

    def delete_team(self, team: GitHubTeam) -> None:
        """Delete a team and its grants (→ team.deleted)."""
        team.organization.teams.remove(team)
        for role in team.organization.roles:
            if team in role.teams:
                role.teams.remove(team)
        self._webhooks.emit(
            "team", "deleted", {"team": shapes.team(self._world, team)}, account=team.organization
        )

    def add_to_team(self, team: GitHubTeam, user: GitHubUser) -> None:
        """→ membership.added."""
        team.members.append(user)
        self._emit_team_membership("added", team, user)

    def remove_from_team(self, team: GitHubTeam, user: GitHubUser) -> None:
        """→ membership.removed."""
        team.members.remove(user)
        self._emit_team_membership("removed", team, user)

    def _emit_team_membership(self, action: str, team: GitHubTeam, user: GitHubUser) -> None:
        member = shapes.simple_user(self._world, user)
        content: JsonObject = {"scope": "team", "member": member, "team": shapes.team(self._world, team)}
        self._webhooks.emit("membership", action, content, account=team.organization)

    def add_team_to_repository(self, team: GitHubTeam, repository: GitHubRepository, permission: str) -> None:
        """Grant the team `permission` on the repository (→ team.added_to_repository)."""
        self._check_role_name(repository.owner, permission)
        team.repositories[repository.id] = permission
        content: JsonObject = {
            "team": shapes.team(self._world, team),
            "repository": shapes.repository(self._world, repository),
        }
        self._webhooks.emit(
            "team", "added_to_repository", content, account=team.organization, repository=repository
        )

    def add_collaborator(self, repository: GitHubRepository, user: GitHubUser, permission: str) -> None:
        """Grant a person one of GitHub's five roles or a custom one (→ member.added or member.edited)."""
        self._check_role_name(repository.owner, permission)
        before = repository.collaborators.get(user.id)
        repository.collaborators[user.id] = permission
        legacy = {"admin": "admin", "maintain": "write", "write": "write"}.get(permission, "read")
        changes: JsonObject
        if before is None:
            action = "added"
            changes = {"permission": {"to": legacy}, "role_name": {"to": permission}}
        else:
            action = "edited"
            changes = {"permission": {"from": before, "to": permission}, "old_permission": {"from": before}}
        self._emit_member(action, repository, user, {"changes": changes})

    def remove_collaborator(self, repository: GitHubRepository, user: GitHubUser) -> None:
        """→ member.removed."""
        del repository.collaborators[user.id]
        self._emit_member("removed", repository, user, {})

    def _emit_member(
        self, action: str, repository: GitHubRepository, user: GitHubUser, content: JsonObject
    ) -> None:
        content["member"] = shapes.simple_user(self._world, user)
        self._webhooks.emit("member", action, content, account=repository.owner, repository=repository)

    def add_custom_repository_role(
        self,
        organization: Organization,
        name: str,
        *,
        base_role: str = "read",
        permissions: Iterable[str] = (),
    ) -> GitHubRepositoryRole:
        """A role that adds permissions to one of GitHub's roles."""
        role = GitHubRepositoryRole(
            self._world.next_id(), name, base_role, tuple(permissions), self._world.now()
        )
        organization.custom_repository_roles.append(role)
        return role

    def add_organization_role(
        self,
        organization: Organization,
        name: str,
        *,
        permissions: Iterable[str] = (),
        base_role: str | None = None,
        source: Literal["Organization", "Enterprise", "Predefined"] = "Organization",
    ) -> GitHubOrganizationRole:
        """A custom organization role."""
        role = GitHubOrganizationRole(
            self._world.next_id(), name, source, base_role, tuple(permissions), self._world.now()
        )
        organization.roles.append(role)
        return role

    def assign_organization_role(
        self, organization: Organization, role: GitHubOrganizationRole | str, holder: GitHubUser | GitHubTeam
    ) -> None:
        """Give a role, by name or record, to a person or a team; GitHub sends no webhook."""
        found = self._organization_role(organization, role)
        if isinstance(holder, GitHubTeam):
            found.teams.append(holder)
        else:
            found.users.append(holder)

    def unassign_organization_role(
        self, organization: Organization, role: GitHubOrganizationRole | str, holder: GitHubUser | GitHubTeam
    ) -> None:
        """Take a role away; GitHub sends no webhook."""
        found = self._organization_role(organization, role)
        if isinstance(holder, GitHubTeam):
            found.teams.remove(holder)
        else:
            found.users.remove(holder)

    def _organization_role(
        self, organization: Organization, role: GitHubOrganizationRole | str
    ) -> GitHubOrganizationRole:
        if isinstance(role, GitHubOrganizationRole):
            return role
        return next(each for each in organization.roles if each.name == role)

    def _check_role_name(self, owner: RepositoryOwner, name: str) -> None:
        custom = owner.custom_repository_roles if isinstance(owner, Organization) else []
        if name not in LEVELS[1:] and name not in [each.name for each in custom]:
            raise ValueError(f"{owner.login} has no repository role {name}")
