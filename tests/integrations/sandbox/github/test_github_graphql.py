"""GraphQL: identities of the organization's provider and members' verified addresses, with GitHub's errors."""

from typing import Any

import pytest

from integrations.sandbox.github import IdentityEmail
from tests.integrations.sandbox.github.conftest import Scene

IDENTITIES = """
query($login: String!, $first: Int!, $after: String) {
  organization(login: $login) {
    samlIdentityProvider {
      externalIdentities(first: $first, after: $after, membersOnly: true) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes {
          guid
          user { login databaseId }
          samlIdentity { nameId username emails { value primary type } }
          scimIdentity { username emails { value } }
        }
      }
    }
  }
}
"""
ADDRESSES = """
query Members($login: String!, $first: Int!) {
  organization(login: $login) {
    membersWithRole(first: $first) {
      nodes { databaseId organizationVerifiedDomainEmails(login: $login) }
    }
  }
  rateLimit { cost remaining }
}
"""
REFUSED = "Resource not accessible by integration"


async def ask(scene: Scene, query: str, token: str | None = None, **variables: object) -> Any:  # Any JSON.
    given = {"login": "octo", "first": 100, **variables}
    address = scene.github.api_url.removesuffix("/v3") + "/graphql"
    token = token or await scene.caller.token(scene.installation)
    reply = await scene.caller.call("POST", address, token, body={"query": query, "variables": given})
    assert reply.status == 200, reply.body
    return reply.body


async def test_identities_come_in_pages(scene: Scene) -> None:
    scene.github.add_identity(scene.octo, scene.ana, "ana@octo.example")
    bob = scene.github.add_user("bob")
    scene.github.add_member(scene.octo, bob)
    scene.github.add_identity(scene.octo, bob, scim_address="bob@octo.example")

    first = await ask(scene, IDENTITIES, first=1)
    page = first["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]
    second = await ask(scene, IDENTITIES, first=1, after=page["pageInfo"]["endCursor"])
    rest = second["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]

    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    [one] = page["nodes"]
    assert one["user"] == {"login": "ana", "databaseId": scene.ana.id}
    assert one["samlIdentity"] == {
        "nameId": "ana@octo.example",
        "username": "ana@octo.example",
        "emails": [{"value": "ana@octo.example", "primary": True, "type": None}],
    }
    assert one["scimIdentity"] is None
    assert rest["pageInfo"]["hasNextPage"] is False
    assert rest["nodes"][0]["samlIdentity"] is None
    assert rest["nodes"][0]["scimIdentity"]["emails"] == [{"value": "bob@octo.example"}]
    assert "errors" not in first


async def test_members_only_leaves_out_leavers_and_identities_nobody_claimed(scene: Scene) -> None:
    gone = scene.github.add_user("gone")
    scene.github.add_identity(scene.octo, gone, "gone@octo.example")
    scene.github.add_identity(
        scene.octo, None, "new@octo.example", emails=[IdentityEmail("new@octo.example")]
    )

    members = await ask(scene, IDENTITIES)
    everybody = await ask(scene, IDENTITIES.replace(", membersOnly: true", ""))

    assert members["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["nodes"] == []
    nodes = everybody["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["nodes"]
    assert [each["user"] and each["user"]["login"] for each in nodes] == ["gone", None]


async def test_a_provider_of_the_enterprise_is_no_provider_here(scene: Scene) -> None:
    answer = await ask(scene, IDENTITIES)

    assert answer == {"data": {"organization": {"samlIdentityProvider": None}}}


@pytest.mark.parametrize("why", ["permission", "hidden", "other installation"])
async def test_a_refused_field_is_an_error_beside_null(scene: Scene, why: str) -> None:
    scene.github.add_identity(scene.octo, scene.ana, "ana@octo.example")
    token = None
    if why == "permission":
        del scene.installation.permissions["members"]
    elif why == "hidden":
        scene.octo.hidden_fields.add("samlIdentityProvider")
    else:
        other = scene.github.install(scene.github.add_organization("other"))
        token = await scene.caller.token(other)

    answer = await ask(scene, IDENTITIES, token)

    assert answer["data"] == {"organization": {"samlIdentityProvider": None}}
    [error] = answer["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", REFUSED)
    assert error["path"] == ["organization", "samlIdentityProvider"]


async def test_verified_addresses_come_with_the_members(scene: Scene) -> None:
    scene.octo.verified_emails[scene.ana.id] = ["ana@octo.example"]

    answer = await ask(scene, ADDRESSES)

    [node] = answer["data"]["organization"]["membersWithRole"]["nodes"]
    assert node == {
        "databaseId": scene.ana.id,
        "organizationVerifiedDomainEmails": ["ana@octo.example"],
    }
    assert answer["data"]["rateLimit"] == {"cost": 1, "remaining": 4999}


async def test_refused_addresses_make_each_member_null(scene: Scene) -> None:
    scene.github.add_member(scene.octo, scene.github.add_user("bob"))
    scene.octo.hidden_fields.add("organizationVerifiedDomainEmails")

    answer = await ask(scene, ADDRESSES)

    assert answer["data"]["organization"]["membersWithRole"]["nodes"] == [None, None]
    assert [each["path"][3] for each in answer["errors"]] == [0, 1]
    assert {each["type"] for each in answer["errors"]} == {"FORBIDDEN"}


async def test_an_unknown_organization_is_not_found(scene: Scene) -> None:
    answer = await ask(scene, IDENTITIES, login="nowhere")

    assert answer["data"] == {"organization": None}
    assert answer["errors"][0]["type"] == "NOT_FOUND"


@pytest.mark.parametrize(("first", "kind"), [(101, "EXCESSIVE_PAGINATION"), (0, "EXCESSIVE_PAGINATION")])
async def test_a_page_has_at_most_a_hundred(scene: Scene, first: int, kind: str) -> None:
    scene.octo.has_saml = True

    answer = await ask(scene, IDENTITIES, first=first)

    assert answer["errors"][0]["type"] == kind


async def test_queries_have_their_own_limit(scene: Scene) -> None:
    scene.github.graphql_limit = 1

    await ask(scene, ADDRESSES)
    answer = await ask(scene, ADDRESSES)

    assert answer["errors"][0]["type"] == "RATE_LIMITED"
    assert "data" not in answer


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('{ organization(login: "octo") { secrets } }', "undefinedField"),
        ("{ organization { login } }", "missingRequiredArguments"),
        ('{ organization(login: "octo", x: 1) { login } }', "argumentNotAccepted"),
        ("{ organization(login: 7) { login } }", "argumentLiteralsIncompatible"),
        ('{ organization(login: "octo") }', "selectionMismatch"),
        ('{ organization(login: "octo") { login { x } } }', "selectionMismatch"),
        ("{ organization(login: $login) { login } }", "variableNotDefined"),
        ("query($login: String) { organization(login: $login) { login } }", "variableMismatch"),
        ('query($first: String!) { organization(login: "octo") { login } }', "variableNotUsed"),
        ('{ organization(login: "octo") { ...all } }', "parseError"),
        ('{ o: organization(login: "octo") { login } }', "parseError"),
        ("mutation { x }", "parseError"),
        ('{ organization(login: "octo") { login }', "parseError"),
    ],
)
async def test_a_wrong_query_is_an_error_without_data(scene: Scene, query: str, code: str) -> None:
    answer = await ask(scene, query)

    assert answer["errors"][0]["extensions"]["code"] == code
    assert "data" not in answer
    assert len(scene.github.violations) == 1


async def test_a_variable_of_the_wrong_type_is_refused(scene: Scene) -> None:
    answer = await ask(scene, IDENTITIES, first="100")

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"


async def test_only_tokens_may_ask(scene: Scene) -> None:
    address = scene.github.api_url.removesuffix("/v3") + "/graphql"
    body = {"query": "{ rateLimit { cost } }"}

    nobody = await scene.caller.call("POST", address, body=body)
    app = await scene.caller.call("POST", address, scene.caller.app_jwt(), body=body)
    bad = await scene.caller.call("POST", address, "ghs_" + "0" * 36, body=body)

    assert [nobody.status, app.status, bad.status] == [401, 401, 401]


async def test_an_owners_token_reads_identities_and_a_members_does_not(scene: Scene) -> None:
    scene.octo.has_saml = True
    bob = scene.github.add_user("bob")
    scene.github.add_member(scene.octo, bob)

    owner = await ask(scene, IDENTITIES, scene.github.add_live_token(owner=scene.ana).literal)
    member = await ask(scene, IDENTITIES, scene.github.add_live_token(owner=bob).literal)

    assert "errors" not in owner
    assert member["errors"][0]["type"] == "FORBIDDEN"


async def test_a_fault_answers_as_a_broken_gateway(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)
    scene.github.faults.add("POST /graphql", status=502, body={"message": "Something went wrong"})

    reply = await scene.caller.call(
        "POST", scene.github.api_url.removesuffix("/v3") + "/graphql", token, body={"query": "{ x }"}
    )

    assert reply.status == 502
