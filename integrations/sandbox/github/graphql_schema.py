"""The part of GitHub's GraphQL schema that a directory needs: an organization's identities and members."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.sandbox.github import rights, shapes
from integrations.sandbox.github.calls import NOT_FOR_INTEGRATIONS, Principal
from integrations.sandbox.github.limits import RateWindow
from integrations.sandbox.github.records import ExternalIdentity, GitHubUser, Organization
from integrations.sandbox.github.world import GitHubWorld

MOST_RECORDS = 100


class FieldRefused(Exception):
    """GitHub answers a field with an error; `kind` is GitHub's type of it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class QueryViewer:
    """The caller with what fields are resolved from."""

    github: GitHubWorld
    principal: Principal
    window: RateWindow


Resolver = Callable[[QueryViewer, object, Mapping[str, object]], object]


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A field's type: an object's name, or `None` for a scalar; `resolve` gives its value for a parent."""

    resolve: Resolver
    type: str | None = None
    nullable: bool = False
    is_list: bool = False
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Argument to type: `String!`, `Int`, `Boolean`."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One page of records."""

    total: int
    nodes: Sequence[object]
    end: int
    has_next: bool


def _organization(viewer: QueryViewer, _: object, given: Mapping[str, object]) -> Organization:
    found = viewer.github.organization(str(given["login"]))
    if found is None:
        raise FieldRefused(
            "NOT_FOUND", f"Could not resolve to an Organization with the login of '{given['login']}'."
        )
    return found


def _saml_provider(viewer: QueryViewer, organization: object, _: Mapping[str, object]) -> Organization | None:
    """Identities of an enterprise's own provider are not the organization's: null, and no error."""
    assert isinstance(organization, Organization)
    _require_members(viewer, organization, "samlIdentityProvider")
    return organization if organization.has_saml else None


def _identities(viewer: QueryViewer, organization: object, given: Mapping[str, object]) -> Connection:
    assert isinstance(organization, Organization)
    members = organization.members
    found = [
        each
        for each in organization.external_identities
        if given.get("membersOnly") is not True or (each.user is not None and each.user.id in members)
    ]
    return _page("externalIdentities", found, given)


def _members(viewer: QueryViewer, organization: object, given: Mapping[str, object]) -> Connection:
    assert isinstance(organization, Organization)
    _require_members(viewer, organization, "membersWithRole")
    people = [each.user for each in organization.members.values() if each.state == "active"]
    return _page("membersWithRole", people, given)


def _verified_emails(viewer: QueryViewer, user: object, given: Mapping[str, object]) -> list[str]:
    assert isinstance(user, GitHubUser)
    organization = viewer.github.organization(str(given["login"]))
    if organization is None:
        return []
    _require_members(viewer, organization, "organizationVerifiedDomainEmails")
    return organization.verified_emails.get(user.id, [])


def _require_members(viewer: QueryViewer, organization: Organization, name: str) -> None:
    """Seen in public use: an installation with `members: read` reads it, and so do organization owners."""
    token, user = viewer.principal.token, viewer.principal.user
    reads = token is not None and token.installation.account is organization
    reads = reads and viewer.principal.grants("members", "read")
    owns = user is not None and rights.is_owner(organization, user)
    if name in organization.hidden_fields or not (reads or owns):
        raise FieldRefused("FORBIDDEN", NOT_FOR_INTEGRATIONS)


def _page(name: str, records: Sequence[object], given: Mapping[str, object]) -> Connection:
    first = given.get("first")
    if not isinstance(first, int):
        raise FieldRefused(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
        )
    if not 1 <= first <= MOST_RECORDS:
        raise FieldRefused(
            "EXCESSIVE_PAGINATION",
            f"Requesting {first} records on the `{name}` connection exceeds the `first` limit of "
            f"{MOST_RECORDS} records.",
        )
    start = _position(name, given.get("after"))
    nodes = records[start : start + first]
    return Connection(len(records), nodes, start + len(nodes), start + len(nodes) < len(records))


def _position(name: str, cursor: object) -> int:
    if cursor is None:
        return 0
    text = base64.b64decode(str(cursor)).decode(errors="replace")
    if not text.removeprefix("cursor:").isdecimal():
        raise FieldRefused("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")
    return int(text.removeprefix("cursor:"))


def _end_cursor(_: QueryViewer, page: object, __: Mapping[str, object]) -> str | None:
    assert isinstance(page, Connection)
    return base64.b64encode(f"cursor:{page.end}".encode()).decode() if page.nodes else None


def _attribute(name: str) -> Resolver:
    return lambda _, parent, __: getattr(parent, name)


def _own(_: QueryViewer, parent: object, __: Mapping[str, object]) -> object:
    return parent


def _saml_part(_: QueryViewer, identity: object, __: Mapping[str, object]) -> ExternalIdentity | None:
    assert isinstance(identity, ExternalIdentity)
    return identity if identity.name_id is not None else None


def _scim_part(_: QueryViewer, identity: object, __: Mapping[str, object]) -> ExternalIdentity | None:
    assert isinstance(identity, ExternalIdentity)
    return identity if identity.scim_username is not None else None


def _page_argument(**more: str) -> dict[str, str]:
    return {"first": "Int", "after": "String", **more}


CONNECTION = {
    "totalCount": SchemaField(_attribute("total")),
    "pageInfo": SchemaField(_own, "PageInfo"),
}
ACCOUNT = {
    "login": SchemaField(_attribute("login")),
    "databaseId": SchemaField(_attribute("id"), nullable=True),
}
SCHEMA: Mapping[str, Mapping[str, SchemaField]] = {
    "Query": {
        "organization": SchemaField(
            _organization, "Organization", nullable=True, arguments={"login": "String!"}
        ),
        "rateLimit": SchemaField(lambda viewer, _, __: viewer.window, "RateLimit", nullable=True),
    },
    "RateLimit": {
        "cost": SchemaField(lambda _, __, ___: 1),
        "limit": SchemaField(_attribute("limit")),
        "remaining": SchemaField(_attribute("remaining")),
        "resetAt": SchemaField(lambda viewer, _, __: shapes.timestamp(viewer.window.reset)),
    },
    "Organization": {
        **ACCOUNT,
        "samlIdentityProvider": SchemaField(_saml_provider, "OrganizationIdentityProvider", nullable=True),
        "membersWithRole": SchemaField(_members, "OrganizationMemberConnection", arguments=_page_argument()),
    },
    "OrganizationIdentityProvider": {
        "externalIdentities": SchemaField(
            _identities,
            "ExternalIdentityConnection",
            arguments=_page_argument(membersOnly="Boolean", login="String", userName="String"),
        ),
    },
    "ExternalIdentityConnection": {
        **CONNECTION,
        "nodes": SchemaField(_attribute("nodes"), "ExternalIdentity", nullable=True, is_list=True),
    },
    "OrganizationMemberConnection": {
        **CONNECTION,
        "nodes": SchemaField(_attribute("nodes"), "User", nullable=True, is_list=True),
    },
    "PageInfo": {
        "hasNextPage": SchemaField(_attribute("has_next")),
        "endCursor": SchemaField(_end_cursor, nullable=True),
    },
    "ExternalIdentity": {
        "guid": SchemaField(_attribute("guid")),
        "user": SchemaField(_attribute("user"), "User", nullable=True),
        "samlIdentity": SchemaField(_saml_part, "ExternalIdentitySamlAttributes", nullable=True),
        "scimIdentity": SchemaField(_scim_part, "ExternalIdentityScimAttributes", nullable=True),
    },
    "ExternalIdentitySamlAttributes": {
        "nameId": SchemaField(_attribute("name_id"), nullable=True),
        "username": SchemaField(_attribute("saml_username"), nullable=True),
        "emails": SchemaField(_attribute("saml_emails"), "UserEmailMetadata", nullable=True, is_list=True),
    },
    "ExternalIdentityScimAttributes": {
        "username": SchemaField(_attribute("scim_username"), nullable=True),
        "emails": SchemaField(_attribute("scim_emails"), "UserEmailMetadata", nullable=True, is_list=True),
    },
    "UserEmailMetadata": {
        "value": SchemaField(_attribute("value")),
        "primary": SchemaField(_attribute("primary"), nullable=True),
        "type": SchemaField(_attribute("type"), nullable=True),
    },
    "User": {
        **ACCOUNT,
        "organizationVerifiedDomainEmails": SchemaField(_verified_emails, arguments={"login": "String!"}),
    },
}
