"""Probing a leaked token: only the token is sent, and a fault never makes it inactive."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal as OneOf

import aiohttp
import pytest
from aiohttp import web

from integrations.github.accounts import GitHubAccount
from integrations.github.token_probe import probe_token
from integrations.github.token_verdict import Reason, Verdict
from integrations.literal import Literal
from integrations.sandbox.github import GitHubSandbox
from tests.integrations.github.conftest import Time

PAT = "github_personal_access_token"
INSTALLATION = "github_app_installation_access_token"
Check = Callable[..., Awaitable[Verdict]]


@pytest.fixture
def ask(sandbox: GitHubSandbox, session: aiohttp.ClientSession, time: Time) -> Check:
    async def ask(
        literal: str,
        secret_type: str = PAT,
        *,
        base64_encoded: bool = False,
        with_owner: bool = True,
        timeout: float = 10.0,
    ) -> Verdict:
        return await probe_token(
            session,
            sandbox.api_url,
            "stanch/1.2.3",
            Literal(literal),
            secret_type=secret_type,
            base64_encoded=base64_encoded,
            with_owner=with_owner,
            now=time,
            timeout=timeout,
        )

    return ask


async def test_an_active_token_is_probed_with_owner_and_scopes(sandbox: GitHubSandbox, ask: Check) -> None:
    ana = sandbox.add_user("ana")
    token = sandbox.add_live_token(owner=ana, scopes=("repo", "read:org"))
    verdict = await ask(token.literal)
    assert (verdict.value, verdict.reason) == ("active", Reason.ACCEPTED)
    assert verdict.account == GitHubAccount(ana.id, "ana")
    assert verdict.scopes == ("repo", "read:org")
    assert token.last_user_agent == "stanch/1.2.3"
    assert [call.path for call in sandbox.calls()] == ["/user"]


async def test_a_probe_without_the_owner_uses_the_rate_limit(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    verdict = await ask(token.literal, with_owner=False)
    assert (verdict.value, verdict.account) == ("active", None)
    assert [call.path for call in sandbox.calls()] == ["/rate_limit"]


async def test_a_revoked_token_is_inactive_on_this_host(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    sandbox.revoke_token(token)
    assert await ask(token.literal) == Verdict("inactive", Reason.BAD_CREDENTIALS)


async def test_a_base64_literal_is_decoded_before_it_is_sent(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    encoded = base64.b64encode(token.literal.encode()).decode()
    assert (await ask(encoded, base64_encoded=True)).value == "active"
    assert (await ask(encoded)).reason == Reason.NOT_A_TOKEN
    assert len(sandbox.calls()) == 1


async def test_an_installation_token_is_not_sent_to_the_user_endpoint(
    sandbox: GitHubSandbox, ask: Check
) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"), kind="installation")
    assert (await ask(token.literal, INSTALLATION)).value == "active"
    assert [call.path for call in sandbox.calls()] == ["/rate_limit"]


async def test_a_second_request_is_sent_to_servers_without_rate_limits(
    sandbox: GitHubSandbox, ask: Check
) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    installation = sandbox.add_live_token(owner=sandbox.add_user("bot"), kind="installation")
    sandbox.faults.add(r"GET /rate_limit", status=404)
    assert (await ask(token.literal, with_owner=False)).value == "active"
    await ask(installation.literal, INSTALLATION)
    paths = [call.path for call in sandbox.calls()]
    assert paths == ["/rate_limit", "/user", "/rate_limit", "/installation/repositories"]


async def test_a_token_that_is_refused_by_policy_is_active(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"), network="ip_allow_list")
    assert await ask(token.literal) == Verdict("active", Reason.IP_ALLOW_LIST)


@pytest.mark.parametrize(
    ("literal", "secret_type", "reason"),
    [
        ("ghr_" + "a" * 76, "github_refresh_token", Reason.CANNOT_BE_PROBED),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "github_ssh_private_key", Reason.CANNOT_BE_PROBED),
        ("ghp_" + "a" * 36, "github_test_token", Reason.CANNOT_BE_PROBED),
        ("ghp_" + "a" * 10, PAT, Reason.NOT_A_TOKEN),
        ("ana:ghp_" + "a" * 36, PAT, Reason.NOT_A_TOKEN),
        ("ghp_" + "a" * 36 + "\r\nX-Evil: 1", PAT, Reason.NOT_A_TOKEN),
        ("ghp_" + "a" * 36, "mailchimp_api_key", Reason.NOT_A_TOKEN),
        ("", PAT, Reason.NOT_A_TOKEN),
    ],
)
async def test_a_literal_that_cannot_be_probed_is_unknown_and_not_sent(
    sandbox: GitHubSandbox, ask: Check, literal: str, secret_type: str, reason: Reason
) -> None:
    for with_owner in (True, False):
        assert await ask(literal, secret_type, with_owner=with_owner) == Verdict("unknown", reason)
    assert sandbox.calls() == []


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_lost_response_is_unknown(
    sandbox: GitHubSandbox, ask: Check, drop: OneOf["before", "after"]
) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    sandbox.faults.add(r"GET /user", drop=drop)
    assert await ask(token.literal) == Verdict("unknown", Reason.UNREACHABLE)


async def test_a_timeout_is_unknown(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    sandbox.faults.add(r"GET /user", hang=True)
    assert await ask(token.literal, timeout=0.2) == Verdict("unknown", Reason.TIMEOUT)


async def test_a_server_error_and_a_login_page_are_unknown(sandbox: GitHubSandbox, ask: Check) -> None:
    token = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    sandbox.faults.add(r"GET /user", status=503, times=1)
    assert await ask(token.literal) == Verdict("unknown", Reason.SERVER_ERROR)
    sandbox.faults.add(r"GET /user", garbage=True, times=1)
    assert await ask(token.literal) == Verdict("unknown", Reason.UNEXPECTED)


async def test_after_many_refused_tokens_every_probe_is_unknown(
    sandbox: GitHubSandbox, ask: Check, time: Time
) -> None:
    alive = sandbox.add_live_token(owner=sandbox.add_user("ana"))
    sandbox.lockout_after = 3
    for character in "abc":
        assert (await ask("ghp_" + character * 36)).value == "inactive"
    verdict = await ask(alive.literal)
    assert (verdict.value, verdict.reason) == ("unknown", Reason.LOGINS_LOCKED)
    assert verdict.retry_at is not None
    assert verdict.retry_at > time()


async def test_an_unreachable_host_is_unknown(session: aiohttp.ClientSession, time: Time) -> None:
    for address in ("http://127.0.0.1:1", "http://host.invalid", "not an address"):
        verdict = await probe_token(
            session,
            address,
            "stanch/1.2.3",
            Literal("ghp_" + "a" * 36),
            secret_type=PAT,
            base64_encoded=False,
            with_owner=True,
            now=time,
        )
        assert verdict == Verdict("unknown", Reason.UNREACHABLE)


@pytest.fixture
async def redirecting() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """The address of a server that redirects every request, and the requests it received."""
    received: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        received.append(request)
        return web.Response(status=302, headers={"location": "/api/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", received
    await runner.cleanup()


async def test_only_the_token_is_sent_and_redirects_are_not_followed(
    redirecting: tuple[str, list[web.Request]], session: aiohttp.ClientSession, time: Time
) -> None:
    url, received = redirecting
    literal = "ghp_" + "a" * 36
    verdict = await probe_token(
        session,
        url,
        "stanch/1.2.3",
        Literal(literal),
        secret_type=PAT,
        base64_encoded=False,
        with_owner=True,
        now=time,
    )
    assert verdict == Verdict("unknown", Reason.REDIRECTED)
    [request] = received
    assert (request.method, request.path) == ("GET", "/api/user")
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert {name: sent.pop(name) for name in ("host", "accept-encoding")}
    assert sent == {
        "authorization": f"Bearer {literal}",
        "user-agent": "stanch/1.2.3",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
    }
