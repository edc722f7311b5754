"""Records of memberships, permissions and roles, read from GitHub's JSON."""

from dataclasses import dataclass

from integrations.github.accounts import needed_account
from integrations.github.errors import Malformed
from integrations.github.json_fields import identifier, strings, text
from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's membership in an organization."""

    state: str
    """`active` or `pending`, as GitHub spells it."""
    role: str
    """`admin` (an owner), `member` or `billing_manager`, as GitHub spells it."""
    user_id: int


@dataclass(frozen=True, slots=True)
class RepositoryPermission:
    """A person's highest permission in a repository, whether direct, by a team or by the organization."""

    permission: str
    """`admin`, `write`, `read` or `none`. GitHub's docs: `maintain` is given as `write`, `triage` as `read`."""
    role_name: str
    """The exact role, e.g. `maintain`, or a custom role's name."""
    user_id: int


@dataclass(frozen=True, slots=True)
class OrganizationRole:
    """A role in an organization: predefined, e.g. `security_manager`, or custom."""

    id: int
    name: str
    permissions: tuple[str, ...]
    source: str | None = None
    """`Predefined`, `Organization` or `Enterprise`, as GitHub spells it; None where it says nothing."""


@dataclass(frozen=True, slots=True)
class CustomRepositoryRole:
    """A custom repository role of an organization."""

    name: str
    permissions: tuple[str, ...]


def parse_membership(raw: JsonObject) -> Membership:
    """Read GitHub's `org-membership`. Raises Malformed without the person's id."""
    person = needed_account(raw.get("user"), "the membership's user")
    return Membership(text(raw.get("state")) or "", text(raw.get("role")) or "", person.id)


def parse_permission(raw: JsonObject) -> RepositoryPermission:
    """Read GitHub's `repository-collaborator-permission`. Raises Malformed without the person's id."""
    person = needed_account(raw.get("user"), "the permission's user")
    permission = text(raw.get("permission")) or "none"
    role_name = text(raw.get("role_name")) or permission
    return RepositoryPermission(permission, role_name, person.id)


def parse_collaborator(raw: JsonObject) -> RepositoryPermission:
    """Read GitHub's `collaborator`. Raises Malformed without the person's id or role."""
    person, role_name = needed_account(raw, "the collaborator"), text(raw.get("role_name"))
    if role_name is None:
        raise Malformed("the collaborator has no role")
    flags = raw.get("permissions")
    is_admin = isinstance(flags, dict) and flags.get("admin") is True
    return RepositoryPermission("admin" if is_admin else "none", role_name, person.id)


def parse_organization_role(raw: JsonObject) -> OrganizationRole:
    """Read GitHub's `organization-role`. Raises Malformed without id and name."""
    number, name = identifier(raw.get("id")), text(raw.get("name"))
    if number is None or name is None:
        raise Malformed("the role has no id or name")
    return OrganizationRole(number, name, strings(raw.get("permissions")), text(raw.get("source")))


def parse_custom_repository_role(raw: JsonObject) -> CustomRepositoryRole:
    """Read GitHub's `organization-custom-repository-role`. Raises Malformed without a name."""
    name = text(raw.get("name"))
    if name is None:
        raise Malformed("the role has no name")
    return CustomRepositoryRole(name, strings(raw.get("permissions")))
