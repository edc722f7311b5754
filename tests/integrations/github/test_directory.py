"""The directory of an organization by GraphQL: a refused field is an error, an absent provider is not."""

import pytest

from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.directory import DirectoryAccount, OrganizationDirectory
from integrations.github.errors import (
    Forbidden,
    GitHubError,
    GitHubRateLimited,
    GitHubUnauthorized,
    NotFound,
    Unavailable,
    Unreachable,
)
from integrations.github.graphql import GraphQLFieldRefused, graphql_url
from integrations.sandbox.github import (
    GitHubInstallation,
    GitHubSandbox,
    GitHubUser,
    IdentityEmail,
    Organization,
)
from tests.integrations.github.conftest import Time

MANY = 250


@pytest.mark.parametrize(
    ("api_url", "address"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql"),
        ("https://ghes.octo.example/api/v3", "https://ghes.octo.example/api/graphql"),
        ("http://127.0.0.1:8080/api/v3/", "http://127.0.0.1:8080/api/graphql"),
    ],
)
def test_the_address_is_beside_that_of_the_rest_api(api_url: str, address: str) -> None:
    assert graphql_url(api_url) == address


@pytest.fixture
def octo(sandbox: GitHubSandbox) -> Organization:
    assert isinstance(sandbox.app_owner, Organization)
    return sandbox.app_owner


@pytest.fixture
def installation(sandbox: GitHubSandbox, octo: Organization) -> GitHubInstallation:
    return sandbox.install(octo)


@pytest.fixture
def ana(sandbox: GitHubSandbox, octo: Organization) -> GitHubUser:
    ana = sandbox.add_user("ana")
    sandbox.add_member(octo, ana)
    return ana


@pytest.fixture
def directory(github: GitHub, octo: Organization, installation: GitHubInstallation) -> OrganizationDirectory:
    return github.directory(installation.id, GitHubAccount(octo.id, octo.login))


def found(person: GitHubUser, *addresses: str) -> DirectoryAccount:
    return DirectoryAccount(GitHubAccount(person.id, person.login), addresses)


async def test_saml_and_scim_addresses_of_members(
    sandbox: GitHubSandbox, octo: Organization, ana: GitHubUser, directory: OrganizationDirectory
) -> None:
    bo = sandbox.add_user("bo")
    sandbox.add_member(octo, bo)
    emails = [IdentityEmail("ana@octo.example", primary=True), IdentityEmail("a@octo.example")]
    sandbox.add_identity(octo, ana, "ana@octo.example", emails=emails)
    sandbox.add_identity(octo, bo, scim_address="bo@octo.example")
    sandbox.add_identity(octo, None, "nobody@octo.example")
    sandbox.add_identity(octo, sandbox.add_user("stranger"), "stranger@octo.example")
    assert await directory.saml() == (
        found(ana, "ana@octo.example", "a@octo.example"),
        found(bo, "bo@octo.example"),
    )


async def test_without_a_provider_there_is_none(ana: GitHubUser, directory: OrganizationDirectory) -> None:
    """So it looks as well where the provider is the enterprise's."""
    assert await directory.saml() is None


async def test_addresses_in_verified_domains(
    octo: Organization, ana: GitHubUser, sandbox: GitHubSandbox, directory: OrganizationDirectory
) -> None:
    bo = sandbox.add_user("bo")
    sandbox.add_member(octo, bo)
    octo.verified_emails[ana.id] = ["ana@octo.example"]
    assert await directory.verified_domains() == (found(ana, "ana@octo.example"), found(bo))


async def test_all_pages_are_read(
    sandbox: GitHubSandbox, octo: Organization, directory: OrganizationDirectory
) -> None:
    for number in range(MANY):
        member = sandbox.add_user(f"member-{number}")
        sandbox.add_member(octo, member)
        sandbox.add_identity(octo, member, f"m{number}@octo.example")
    shown = await directory.saml()
    assert shown is not None
    assert len({one.account.id for one in shown}) == MANY
    assert len(await directory.verified_domains()) == MANY
    assert len(sandbox.calls("POST", "/graphql")) == 6


@pytest.mark.parametrize(
    "field", ["samlIdentityProvider", "membersWithRole", "organizationVerifiedDomainEmails"]
)
async def test_a_refused_field_is_refused_and_not_empty(
    octo: Organization, ana: GitHubUser, directory: OrganizationDirectory, field: str
) -> None:
    octo.hidden_fields.add(field)
    with pytest.raises(GraphQLFieldRefused) as refused:
        await (directory.saml() if field == "samlIdentityProvider" else directory.verified_domains())
    assert refused.value.field.endswith(field)
    assert "Resource not accessible by integration" in str(refused.value)
    assert isinstance(refused.value, Forbidden)


async def test_an_installation_without_members_is_refused(
    sandbox: GitHubSandbox, installation: GitHubInstallation, directory: OrganizationDirectory
) -> None:
    sandbox.set_permissions(installation, {"metadata": "read", "secret_scanning_alerts": "write"})
    with pytest.raises(GraphQLFieldRefused):
        await directory.saml()


async def test_a_login_that_belongs_to_another_organization_is_noticed(
    sandbox: GitHubSandbox, octo: Organization, ana: GitHubUser, directory: OrganizationDirectory
) -> None:
    sandbox.rename_account(octo, "octo-moved")
    with pytest.raises(NotFound):
        await directory.saml()
    stranger = sandbox.add_organization("octo")
    sandbox.install(stranger)
    with pytest.raises(GitHubError):
        await directory.verified_domains()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 502}, Unavailable),
        ({"status": 401}, GitHubUnauthorized),
        ({"status": 403, "headers": {"retry-after": "60"}}, GitHubRateLimited),
        ({"status": 200, "body": {"data": None}}, Unavailable),
        ({"status": 200, "body": {"data": {"organization": None}}}, Unavailable),
        (
            {"status": 200, "body": {"errors": [{"message": "Something went wrong"}], "data": None}},
            Unavailable,
        ),
        ({"status": 200, "body": {"errors": [{"type": "RATE_LIMITED"}]}}, GitHubRateLimited),
        ({"status": 200, "body": {"errors": "odd", "data": {"organization": {}}}}, Unavailable),
        ({"drop": "before"}, Unreachable),
    ],
)
async def test_a_failure_is_an_error_and_never_an_empty_directory(
    sandbox: GitHubSandbox,
    ana: GitHubUser,
    directory: OrganizationDirectory,
    fault: dict[str, object],
    error: type[GitHubError],
) -> None:
    sandbox.faults.add("POST /graphql", **fault)  # type: ignore[arg-type]  # The faults are a table.
    for read in (directory.saml, directory.verified_domains):
        with pytest.raises(error):
            await read()


async def test_a_missing_list_is_an_error(
    sandbox: GitHubSandbox, octo: Organization, ana: GitHubUser, directory: OrganizationDirectory
) -> None:
    body = {"data": {"organization": {"databaseId": octo.id, "samlIdentityProvider": {}}}}
    sandbox.faults.add("POST /graphql", status=200, body=body)
    with pytest.raises(Unavailable):
        await directory.saml()
    with pytest.raises(Unavailable):
        await directory.verified_domains()


async def test_graphql_has_a_rate_limit_of_its_own(
    sandbox: GitHubSandbox,
    ana: GitHubUser,
    installation: GitHubInstallation,
    directory: OrganizationDirectory,
    github: GitHub,
    time: Time,
) -> None:
    sandbox.graphql_limit = 1
    await directory.saml()
    with pytest.raises(GitHubRateLimited) as limited:
        await directory.saml()
    assert limited.value.retry_at > time()
    assert await github.of(installation.id).account("ana") == GitHubAccount(ana.id, "ana")
