"""An organization's directory: its members' addresses, by its SAML provider or by its verified domains."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from integrations.github import graphql
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import Malformed, Unavailable
from integrations.github.json_fields import identifier, json_object, json_objects, strings, text
from integrations.github.typed_calls import TypedCalls
from integrations.json_types import JsonObject

_IDENTITIES = """
query($org: String!, $after: String) {
  organization(login: $org) {
    databaseId
    samlIdentityProvider {
      externalIdentities(first: 100, after: $after, membersOnly: true) {
        pageInfo { hasNextPage endCursor }
        nodes {
          user { login databaseId }
          samlIdentity { nameId username emails { value } }
          scimIdentity { username emails { value } }
        }
      }
    }
  }
}
"""
_MEMBERS = """
query($org: String!, $after: String) {
  organization(login: $org) {
    databaseId
    membersWithRole(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { login databaseId organizationVerifiedDomainEmails(login: $org) }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class DirectoryAccount:
    """A member's account, and the addresses that the directory has for it."""

    account: GitHubAccount
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganizationDirectory:
    """The directory of one organization. Methods raise GitHubError, GraphQLFieldRefused where GitHub refuses a field.

    GitHub's docs: it shows both to an installation with the permission `members: read`. A SAML provider of the
    organization's enterprise is shown to the enterprise's owners alone; here it looks as if there were none.
    """

    calls: TypedCalls
    organization: GitHubAccount

    async def saml(self) -> tuple[DirectoryAccount, ...] | None:
        """The members' accounts by their SAML and SCIM identities; None where the organization has no provider."""
        found: list[DirectoryAccount] = []
        async for nodes in self._pages(_IDENTITIES, "samlIdentityProvider", "externalIdentities"):
            if nodes is None:
                return None
            found += filter(None, map(_identity, nodes))
        return tuple(found)

    async def verified_domains(self) -> tuple[DirectoryAccount, ...]:
        """The members' accounts by their addresses in the organization's verified domains."""
        found: list[DirectoryAccount] = []
        async for nodes in self._pages(_MEMBERS, "membersWithRole"):
            if nodes is None:
                raise Unavailable(graphql.CALL, 200, "the members are missing")
            found += filter(None, map(_member, nodes))
        return tuple(found)

    async def _pages(self, query: str, *path: str) -> AsyncIterator[tuple[JsonObject, ...] | None]:
        """The nodes of each page of the list to which `path` leads; None where the organization has no such list."""
        after: str | None = None
        is_first = True
        while True:
            variables = {"org": self.organization.login, "after": after}
            data = await graphql.ask(self.calls, query, variables)
            organization = json_object(data.get("organization"))
            if organization is None or organization.get("databaseId") != self.organization.id:
                # The login may belong to another organization by now.
                raise Unavailable(graphql.CALL, 200, "the answer is about another organization")
            has_none = is_first and organization.get(path[0], "") is None
            nodes, after = (None, None) if has_none else _page(organization, path)
            yield nodes
            is_first = False
            if after is None:
                return


def _page(organization: JsonObject, path: tuple[str, ...]) -> tuple[tuple[JsonObject, ...], str | None]:
    found: JsonObject | None = organization
    for name in path:
        found = json_object(found.get(name)) if found is not None else None
    try:
        return graphql.page_of(found)
    except Malformed as error:
        raise Unavailable(graphql.CALL, 200, str(error)) from None


def _member(node: JsonObject) -> DirectoryAccount | None:
    account = _account(node)
    if account is None:
        return None
    return DirectoryAccount(account, strings(node.get("organizationVerifiedDomainEmails")))


def _account(raw: object) -> GitHubAccount | None:
    user = json_object(raw) or {}
    number, login = identifier(user.get("databaseId")), text(user.get("login"))
    return GitHubAccount(number, login) if number and login else None


def _identity(node: JsonObject) -> DirectoryAccount | None:
    """The account of an identity; None until somebody has claimed it. GitHub's docs: `user` is null then."""
    account = _account(node.get("user"))
    if account is None:
        return None
    return DirectoryAccount(account, tuple(dict.fromkeys(_addresses(node))))


def _addresses(node: Mapping[str, object]) -> Iterator[str]:
    """The names and addresses of the identity provider; names that are no addresses are left out later."""
    for name in ("samlIdentity", "scimIdentity"):
        identity = json_object(node.get(name)) or {}
        emails = [email.get("value") for email in json_objects(identity.get("emails"))]
        names = (identity.get("nameId"), identity.get("username"), *emails)
        yield from (value for value in names if isinstance(value, str))
