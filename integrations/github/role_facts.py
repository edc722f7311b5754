"""What GitHub says of people's rights, as frozen records; what follows from them is decided elsewhere."""

from dataclasses import dataclass

from integrations.github.accounts import account
from integrations.github.errors import Malformed
from integrations.github.json_fields import identifier, strings, text
from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's membership in an organization."""

    state: str
    """GitHub's word: `active` or `pending`."""
    role: str
    """GitHub's word: `admin` (an owner), `member`, `billing_manager`."""
    user_id: int


@dataclass(frozen=True, slots=True)
class RepositoryPermission:
    """What somebody may do in a repository, the highest of all sources."""

    permission: str
    """`admin`, `write`, `read` or `none`: GitHub folds `maintain` and `triage` into these."""
    role_name: str
    """The role as it is, a custom one by its name."""
    user_id: int


@dataclass(frozen=True, slots=True)
class OrganizationRole:
    """A role in an organization, predefined (`security_manager`) or custom."""

    id: int
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomRepositoryRole:
    """A repository role that an organization made up."""

    name: str
    permissions: tuple[str, ...]


def parse_membership(raw: JsonObject) -> Membership:
    """Read `org-membership`; raises Malformed without the person's id."""
    person = account(raw.get("user"))
    if person is None:
        raise Malformed("the membership names nobody")
    return Membership(text(raw.get("state")) or "", text(raw.get("role")) or "", person.id)


def parse_permission(raw: JsonObject) -> RepositoryPermission:
    """Read `repository-collaborator-permission`; raises Malformed without the person's id."""
    person = account(raw.get("user"))
    if person is None:
        raise Malformed("the permission names nobody")
    permission = text(raw.get("permission")) or "none"
    role_name = text(raw.get("role_name")) or permission
    return RepositoryPermission(permission, role_name, person.id)


def parse_organization_role(raw: JsonObject) -> OrganizationRole:
    """Read `organization-role`; raises Malformed without id and name."""
    number, name = identifier(raw.get("id")), text(raw.get("name"))
    if number is None or name is None:
        raise Malformed("the role has no id or name")
    return OrganizationRole(number, name, strings(raw.get("permissions")))


def parse_custom_repository_role(raw: JsonObject) -> CustomRepositoryRole:
    """Read `organization-custom-repository-role`; raises Malformed without a name."""
    name = text(raw.get("name"))
    if name is None:
        raise Malformed("the role has no name")
    return CustomRepositoryRole(name, strings(raw.get("permissions")))
