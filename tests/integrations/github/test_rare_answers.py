"""Answers that GitHub gives rarely: without what is needed, without an optional field, or with more than is read."""

import pytest

from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.directory import DirectoryAccount
from integrations.github.errors import GitHubError, Invalid, NotFound, Unavailable
from integrations.github.installation import MOST_ADMINS, InstallationClient
from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox

NAME = "octo/payments"
MINT = r"POST /app/installations/\d+/access_tokens"
ONE_PAGE = {"pageInfo": {"hasNextPage": False, "endCursor": None}}


async def test_an_installation_on_an_enterprise_is_none_of_ours(
    sandbox: GitHubSandbox, github: GitHub
) -> None:
    enterprise = {"id": 77, "slug": "octo-corp", "name": "Octo"}
    body = {"id": 7, "account": enterprise, "target_type": "Enterprise", "permissions": {}}
    sandbox.faults.add("GET /app/installations/7", status=200, body=body)
    with pytest.raises(NotFound) as refused:
        await github.installation(7)
    assert refused.value.detail == "the installation belongs to no account with a login"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "Problems parsing JSON"}, Invalid),
        (403, {"message": "Resource not accessible"}, GitHubError),
        (201, {"token": "ghs_x"}, Unavailable),
        (201, {"expires_at": "2030-01-01T00:00:00Z"}, Unavailable),
    ],
)
async def test_a_token_that_is_not_minted_is_an_error_of_the_call_and_asked_for_once(
    sandbox: GitHubSandbox,
    installation: InstallationClient,
    status: int,
    body: object,
    kind: type[GitHubError],
) -> None:
    sandbox.faults.add(MINT, status=status, body=body)
    with pytest.raises(kind):
        await installation.account("octo")
    assert [call.method for call in sandbox.calls(path="/app/installations/.*")] == ["GET", "POST"]


async def test_of_many_admins_one_page_is_read(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    for number in range(MOST_ADMINS + 1):
        sandbox.add_collaborator(payments, sandbox.add_user(f"admin-{number}"), "admin")
    assert len(await installation.repository_admins(NAME)) == MOST_ADMINS
    assert len(sandbox.calls("GET", f"/repos/{NAME}/collaborators")) == 1


@pytest.mark.parametrize(
    ("places", "status", "path", "has_more"),
    [
        ((), None, "config/prod.env", False),
        (("issue_body", "wiki_commit"), None, "config/prod.env", True),
        ((), 404, None, False),
        ((), 403, None, False),
    ],
)
async def test_without_the_optional_first_location_the_list_is_asked(
    sandbox: GitHubSandbox,
    installation: InstallationClient,
    payments: GitHubRepository,
    places: tuple[str, ...],
    status: int | None,
    path: str | None,
    has_more: bool,
) -> None:
    sandbox.gives_first_location = False
    leaked = sandbox.leak(payments, path="config/prod.env")
    for kind in places:
        sandbox.add_location(leaked, kind)
    if status is not None:
        sandbox.faults.add(".*/locations", status=status, body={"message": "Not here"})
    facts = await installation.only(payments.id).alert_with_location(NAME, leaked.number)
    assert (facts.first_location and facts.first_location.path, facts.has_more_locations) == (path, has_more)


async def test_an_alert_without_any_location_has_none(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository, leaked: GitHubAlert
) -> None:
    sandbox.gives_first_location = False
    leaked.locations.clear()
    facts = await installation.only(payments.id).alert_with_location(NAME, leaked.number)
    assert facts.first_location is None


async def test_a_repository_is_found_by_its_id_in_what_the_token_reaches(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    sandbox.rename_repository(payments, "billing")
    assert (await installation.only(payments.id).current()).full_name == "octo/billing"
    owner = {"id": sandbox.app_owner.id, "login": "octo", "type": "Organization"}
    other = {"id": 1, "name": "payments", "full_name": NAME, "owner": owner}
    body = {"total_count": 1, "repositories": [other]}
    sandbox.faults.add("GET /installation/repositories", status=200, body=body)
    with pytest.raises(NotFound):
        await installation.only(payments.id).current()


async def test_directory_entries_without_an_account_are_left_out(
    sandbox: GitHubSandbox, github: GitHub, installation: InstallationClient
) -> None:
    octo = sandbox.app_owner
    directory = github.directory(installation.id, GitHubAccount(octo.id, octo.login))
    ana = {"login": "ana", "databaseId": 5}
    identities: list[object] = [{"user": None, "samlIdentity": {"nameId": "nobody@octo.example"}}]
    identities.append({"user": ana, "samlIdentity": {"nameId": "ana@octo.example"}})
    listed = {"samlIdentityProvider": {"externalIdentities": {**ONE_PAGE, "nodes": identities}}}
    addresses = {"organizationVerifiedDomainEmails": ["ana@octo.example"]}
    members = [{**addresses, "login": "mannequin"}, {**addresses, **ana}]
    found = (DirectoryAccount(GitHubAccount(5, "ana"), ("ana@octo.example",)),)
    answer(sandbox, {"databaseId": octo.id, **listed})
    assert await directory.saml() == found
    answer(sandbox, {"databaseId": octo.id, "membersWithRole": {**ONE_PAGE, "nodes": members}})
    assert await directory.verified_domains() == found


@pytest.mark.parametrize("organization", [None, {"databaseId": 1}])
async def test_the_members_of_another_organization_or_none_at_all_are_an_error(
    sandbox: GitHubSandbox, github: GitHub, installation: InstallationClient, organization: object
) -> None:
    octo = sandbox.app_owner
    directory = github.directory(installation.id, GitHubAccount(octo.id, octo.login))
    answer(sandbox, organization)
    with pytest.raises(Unavailable, match="the answer is about another organization"):
        await directory.verified_domains()
    answer(sandbox, {"databaseId": octo.id, "membersWithRole": None})
    with pytest.raises(Unavailable, match="the members are missing"):
        await directory.verified_domains()


def answer(sandbox: GitHubSandbox, organization: object) -> None:
    """Give the next query about an organization this answer."""
    body = {"data": {"organization": organization}}
    sandbox.faults.add("POST /graphql", status=200, body=body, times=1)
