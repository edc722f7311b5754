"""The App's and the installations' calls, against a sandbox that refuses what GitHub does not describe."""

import aiohttp
import pytest
from aiohttp import web

from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.app_facts import AppFacts, HookFacts
from integrations.github.errors import FeatureOff, Forbidden, GitHubUnauthorized, InstallationGone, NotFound
from integrations.github.facts import InstallationFacts
from integrations.github.role_facts import CustomRepositoryRole, Membership, RepositoryPermission
from integrations.sandbox.github import GitHubRepository, GitHubSandbox, Organization, generate_private_key
from integrations.sandbox.github.apps import DEFAULT_EVENTS, DEFAULT_PERMISSIONS
from tests.integrations.github.conftest import Time
from tests.integrations.github.odd_server import serving

NAME = "octo/payments"


async def test_the_app_has_its_owner(sandbox: GitHubSandbox, github: GitHub) -> None:
    owner = GitHubAccount(sandbox.app_owner.id, "octo")
    assert await github.app() == AppFacts(
        owner,
        "Organization",
        slug="stanch",
        client_id=sandbox.client_id,
        permissions=DEFAULT_PERMISSIONS,
        events=frozenset(DEFAULT_EVENTS),
        html_url=f"{sandbox.url}/apps/stanch",
    )


async def test_the_app_s_webhook_is_read_without_its_secret(sandbox: GitHubSandbox, github: GitHub) -> None:
    assert await github.hook() == HookFacts("", insecure=False)
    sandbox.webhook_url, sandbox.webhook_insecure = "https://stanch.octo.example/github/webhooks", True
    assert await github.hook() == HookFacts("https://stanch.octo.example/github/webhooks", insecure=True)


async def test_our_clock_is_compared_with_github_s_without_a_key(
    sandbox: GitHubSandbox, github: GitHub, time: Time
) -> None:
    assert abs(await github.clock_ahead() or 0) <= 1
    theirs = sandbox.now()
    sandbox.now = lambda: theirs - 90
    assert 88 <= (await github.clock_ahead() or 0) <= 92
    assert not sandbox.calls("GET", "/meta")[0].authorized


async def test_a_repository_that_was_scanned_is_told_from_one_that_was_not(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    assert await installation.was_scanned(NAME)
    payments.scanned = False
    assert not await installation.was_scanned(NAME)
    payments.secret_scanning = False
    with pytest.raises(FeatureOff):
        await installation.was_scanned(NAME)


async def test_an_unknown_key_raises_unauthorized(
    sandbox: GitHubSandbox, session: aiohttp.ClientSession, time: Time
) -> None:
    stranger = GitHub(
        session,
        api_url=sandbox.api_url,
        url=sandbox.url,
        app_id=str(sandbox.app_id),
        private_key=generate_private_key(),
        version="1.2.3",
        now=time,
    )
    with pytest.raises(GitHubUnauthorized):
        await stranger.app()
    assert len(sandbox.calls()) == 1


async def test_installations_are_listed_and_found_by_id_and_by_repository(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    installation = sandbox.install(sandbox.app_owner)
    foreign = sandbox.install(sandbox.add_organization("stranger"))
    owner = GitHubAccount(sandbox.app_owner.id, "octo")
    facts = InstallationFacts(
        installation.id,
        owner,
        "Organization",
        suspended=False,
        permissions=DEFAULT_PERMISSIONS,
    )
    assert {found.id for found in [found async for found in github.installations()]} == {
        installation.id,
        foreign.id,
    }
    assert await github.installation(installation.id) == facts
    assert await github.installation_of(NAME) == facts
    sandbox.suspend(installation)
    assert (await github.installation(installation.id)).suspended
    sandbox.uninstall(installation)
    with pytest.raises(NotFound):
        await github.installation(installation.id)
    with pytest.raises(NotFound):
        await github.installation_of(NAME)


async def test_repositories_are_listed_past_the_first_page(sandbox: GitHubSandbox, github: GitHub) -> None:
    repositories = {sandbox.add_repository(sandbox.app_owner, f"r{number}").id for number in range(130)}
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    assert {repository.id async for repository in installation.repositories()} == repositories


async def test_people_are_found_by_login_and_by_id(sandbox: GitHubSandbox, github: GitHub) -> None:
    ana = sandbox.add_user("ana")
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    assert await installation.account("ana") == GitHubAccount(ana.id, "ana")
    sandbox.rename_account(ana, "ana-maria")
    assert await installation.account_by_id(ana.id) == GitHubAccount(ana.id, "ana-maria")
    with pytest.raises(NotFound):
        await installation.account("ana")


@pytest.mark.parametrize("login", ["..", ".", "", "a/b", "ana?x=1", "ana\n", "é"])
async def test_an_impossible_login_is_not_sent(sandbox: GitHubSandbox, github: GitHub, login: str) -> None:
    with pytest.raises(NotFound):
        await github.of(1).account(login)
    assert await github.of(1).membership("octo", login) is None
    assert await github.of(1).permission(NAME, login) is None
    assert sandbox.calls() == []


async def test_roles_and_permissions_are_read(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    octo = sandbox.app_owner
    assert isinstance(octo, Organization)
    ana, ben, cleo = sandbox.add_user("ana"), sandbox.add_user("ben"), sandbox.add_user("cleo")
    sandbox.add_member(octo, ana, role="admin")
    sandbox.add_member(octo, ben)
    sandbox.add_member(octo, sandbox.add_user("dora"), role="admin", state="pending")
    sandbox.add_custom_repository_role(octo, "triager", permissions=("view_secret_scanning_alerts",))
    sandbox.add_collaborator(payments, ben, "triager")
    sandbox.assign_organization_role(octo, "security_manager", sandbox.add_team(octo, "security", ben))
    installation = github.of(sandbox.install(octo).id)

    assert await installation.membership("octo", "ana") == Membership("active", "admin", ana.id)
    assert await installation.membership("octo", "ben") == Membership("active", "member", ben.id)
    assert await installation.membership("octo", "cleo") is None
    assert await installation.organization_owners("octo") == {ana.id}
    owner = RepositoryPermission("admin", "admin", ana.id)
    assert await installation.permission(NAME, "ana") == owner
    triager = await installation.permission(NAME, "ben")
    assert triager is not None
    assert (triager.role_name, triager.user_id) == ("triager", ben.id)
    stranger = await installation.permission(NAME, "cleo")
    assert stranger is None or (stranger.permission, stranger.user_id) == ("none", cleo.id)
    assert await installation.permission(NAME, "nobody") is None

    roles = {role.name: role for role in await installation.organization_roles("octo")}
    holders = await installation.organization_role_holders("octo", roles["security_manager"].id)
    assert holders == {ben.id}
    custom = CustomRepositoryRole("triager", ("view_secret_scanning_alerts",))
    assert await installation.custom_repository_roles("octo") == (custom,)


async def test_roles_without_the_permission_raise_forbidden(sandbox: GitHubSandbox, github: GitHub) -> None:
    octo = sandbox.app_owner
    granted = {"metadata": "read", "secret_scanning_alerts": "write", "members": "read"}
    installation = github.of(sandbox.install(octo, permissions=granted).id)
    with pytest.raises(Forbidden):
        await installation.organization_roles("octo")


async def test_alerts_are_listed_by_organization_and_by_repository(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    api = sandbox.add_repository(sandbox.app_owner, "api", visibility="public")
    first, second = sandbox.leak(payments), sandbox.leak(api)
    generic = sandbox.leak(payments, secret_type="password")
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    listed = [
        (repository.id, alert.number) async for repository, alert in installation.organization_alerts("octo")
    ]
    assert sorted(listed) == sorted([(payments.id, first.number), (api.id, second.number)])
    named = installation.repository_alerts(NAME, secret_types=["password", "pgp_private_key"])
    assert [alert.number async for alert in named] == [generic.number]
    assert all(
        call.query["hide_secret"] == "true" for call in sandbox.calls("GET", ".*/secret-scanning/alerts")
    )


async def test_a_missing_repository_and_a_missing_installation_raise_different_errors(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    api = sandbox.add_repository(sandbox.app_owner, "api")
    made = sandbox.install(sandbox.app_owner, repositories=[payments])
    installation = github.of(made.id)
    with pytest.raises(NotFound):
        await installation.only(api.id).repository("octo/api")
    sandbox.suspend(made)
    with pytest.raises(InstallationGone) as suspended:
        await installation.account("octo")
    sandbox.unsuspend(made)
    sandbox.uninstall(made)
    with pytest.raises(InstallationGone) as removed:
        await installation.account("octo")
    assert (suspended.value.kind, removed.value.kind) == ("suspended", "removed")


async def test_every_call_has_user_agent_api_version_and_accept_headers(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments)
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    await access.close(NAME, leaked.number, "revoked")
    await github.server()
    await github.revoke(await access.literal(NAME, leaked.number))
    assert len(sandbox.calls()) == 6  # The permissions, a token, and the four.
    for call in sandbox.calls():
        headers = (call.user_agent, call.version, call.accept)
        assert headers == ("stanch/1.2.3", "2022-11-28", "application/vnd.github+json")


async def test_a_redelivery_is_requested_without_a_body(sandbox: GitHubSandbox, github: GitHub) -> None:
    """GitHub's description has no request body for this call; the sandbox records one as a violation."""
    sandbox.webhook_url = "http://127.0.0.1:9/github/webhooks"
    sandbox.install(sandbox.app_owner)
    await sandbox.settle()
    [failed] = [delivery async for delivery in github.deliveries()]
    await github.redeliver(failed.id)
    [call] = sandbox.calls("POST", "/app/hook/deliveries/.*")
    assert (call.body, call.status) == (None, 202)


async def test_a_server_without_a_version_is_github_com(
    sandbox: GitHubSandbox, github: GitHub, time: Time
) -> None:
    server = await github.server()
    assert server.version is None
    assert server.supports_assignee
    assert server.supports_validity_override
    assert server.supports_revoke
    [call] = sandbox.calls("GET", "/meta")
    assert not call.authorized
    time.seconds += 3600
    await github.server()
    assert len(sandbox.calls("GET", "/meta")) == 2


@pytest.mark.parametrize(
    ("api_url", "revoke"), [("https://api.github.com", True), ("https://api.octo.ghe.com", False)]
)
async def test_githubs_own_hosts_need_no_call(
    session: aiohttp.ClientSession, private_key: str, time: Time, api_url: str, revoke: bool
) -> None:
    github = GitHub(
        session,
        api_url=api_url,
        url="https://github.com",
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
    )
    server = await github.server()
    assert (server.version, server.supports_assignee, server.supports_revoke) == (None, True, revoke)


@pytest.mark.parametrize(
    ("version", "assignee", "validity", "too_old"),
    [
        ("3.9.4", False, False, True),
        ("3.18.12", False, False, True),
        ("3.19.1", False, False, False),
        ("3.20.0", True, False, False),
        ("3.22.0.rc1", True, True, False),
        ("4.0.0", True, True, False),
        ("next", False, False, False),
        ("320", False, False, False),
    ],
)
async def test_an_enterprise_server_has_the_features_of_its_release(
    session: aiohttp.ClientSession,
    private_key: str,
    time: Time,
    version: str,
    assignee: bool,
    validity: bool,
    too_old: bool,
) -> None:
    async def meta(request: web.Request) -> web.StreamResponse:
        return web.json_response({"installed_version": version})

    async with serving(meta) as url:
        github = GitHub(
            session,
            api_url=url + "/api/v3",
            url=url,
            app_id="1",
            private_key=private_key,
            version="1.2.3",
            now=time,
        )
        server = await github.server()
    assert server.version == version
    assert server.supports_assignee is assignee
    assert server.supports_validity_override is validity
    assert not server.supports_revoke
    assert server.is_too_old is too_old


@pytest.mark.parametrize("status", [401, 403])
async def test_an_enterprise_server_in_private_mode_has_an_unknown_version(
    session: aiohttp.ClientSession, private_key: str, time: Time, status: int
) -> None:
    async def meta(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "Must authenticate to access this API."}, status=status)

    async with serving(meta) as url:
        github = GitHub(
            session,
            api_url=url + "/api/v3",
            url=url,
            app_id="1",
            private_key=private_key,
            version="1.2.3",
            now=time,
        )
        server = await github.server()
    assert not server.supports_assignee
    assert not server.supports_revoke
