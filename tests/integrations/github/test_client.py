"""The client when GitHub is slow, rate limited, faulty or unreachable."""

import asyncio
from contextlib import suppress
from typing import Literal as OneOf

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from integrations.github.api import GitHub
from integrations.github.errors import (
    FeatureOff,
    Forbidden,
    GitHubError,
    GitHubRateLimited,
    GitHubUnauthorized,
    Invalid,
    Moved,
    NotFound,
    Unavailable,
    Unreachable,
)
from integrations.github.installation import InstallationClient
from integrations.literal import Literal
from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox
from tests.integrations.github.conftest import Time
from tests.integrations.github.odd_server import failure, full_traceback, serving

NAME = "octo/payments"
MARK = "ghp_" + "Marked0" * 5 + "1"
ALERT = r"/repos/octo/payments/secret-scanning/alerts/1"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (400, {}, Invalid),
        (401, {}, GitHubUnauthorized),
        (403, {}, Forbidden),
        (404, {}, NotFound),
        (409, {}, Invalid),
        (410, {}, NotFound),
        (451, {}, NotFound),
        (422, {}, Invalid),
        (429, {}, GitHubRateLimited),
        (403, {"retry-after": "7"}, GitHubRateLimited),
        (403, {"x-ratelimit-remaining": "0"}, GitHubRateLimited),
        (500, {}, Unavailable),
        (503, {}, Unavailable),
        (302, {"location": "/elsewhere"}, Moved),
    ],
)
async def test_each_status_has_its_error_class(
    sandbox: GitHubSandbox,
    installation: InstallationClient,
    payments: GitHubRepository,
    status: int,
    headers: dict[str, str],
    expected: type[GitHubError],
) -> None:
    sandbox.faults.add(r"GET /repos/octo/payments", status=status, headers=headers)
    error = await failure(installation.only(payments.id).repository(NAME))
    assert type(error) is expected
    assert error.call == "GET /repos/{owner}/{repo}"
    assert str(error).startswith(f"GitHub answered {status} to GET /repos/{{owner}}/{{repo}}")


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (
            403,
            "Although you appear to have the correct authorization, octo has an IP allow list enabled",
            Forbidden,
        ),
        (403, "Repository was archived so is read-only.", Forbidden),
        (403, "Resource not accessible by integration", Forbidden),
        (403, "Secret scanning is not enabled for this repository", FeatureOff),
        (403, "Advanced Security must be enabled for this repository to use secret scanning.", FeatureOff),
        (404, "Secret scanning is disabled on this repository.", FeatureOff),
        (404, "Secret scanning is not enabled on this organization.", FeatureOff),
        (410, "Issues has been disabled in this repository.", NotFound),
        (451, "Repository access blocked", NotFound),
    ],
)
async def test_an_error_has_githubs_reason(
    sandbox: GitHubSandbox,
    installation: InstallationClient,
    leaked: GitHubAlert,
    status: int,
    reason: str,
    expected: type[GitHubError],
) -> None:
    access = installation.only(leaked.repository.id)
    sandbox.faults.add(f"(GET|PATCH) {ALERT}", status=status, body={"message": reason})
    for call in (access.alert(NAME, 1), access.close(NAME, 1, "revoked"), access.literal(NAME, 1)):
        error = await failure(call)
        assert type(error) is expected
        assert error.detail == reason
        assert str(error).endswith(f": {reason}")


async def test_a_404_without_a_reason_has_no_detail(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    sandbox.faults.add("GET /users/nobody", status=404, body={"message": "Not Found"})
    error = await failure(installation.account("nobody"))
    assert str(error) == "GitHub answered 404 to GET /users/{username}"


async def test_a_403_while_minting_is_not_always_a_suspended_installation(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    reason = "octo has an IP allow list enabled"
    sandbox.faults.add("POST /app/installations/.*", status=403, body={"message": reason})
    error = await failure(installation.only(payments.id).repository(NAME))
    assert (type(error), error.detail) == (Forbidden, reason)


async def test_githubs_reason_is_cut_to_200_characters(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert
) -> None:
    sandbox.add_user("reader")
    error = await failure(installation.only(leaked.repository.id).assign(NAME, 1, "reader"))
    assert isinstance(error, Invalid)
    assert error.detail is not None
    assert "write access" in error.detail
    assert len(error.detail) <= 200


async def test_a_response_that_is_not_json_raises_unavailable(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    sandbox.faults.add(r"GET /repos/octo/payments", garbage=True, times=1)
    error = await failure(installation.only(payments.id).repository(NAME))
    assert isinstance(error, Unavailable)
    assert "not JSON" in str(error)
    assert "html" not in full_traceback(error)


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_write_with_a_lost_response_is_maybe_done(
    sandbox: GitHubSandbox,
    installation: InstallationClient,
    leaked: GitHubAlert,
    drop: OneOf["before", "after"],
) -> None:
    sandbox.faults.add(f"PATCH {ALERT}", drop=drop, times=1)
    error = await failure(installation.only(leaked.repository.id).close(NAME, 1, "revoked"))
    assert isinstance(error, Unreachable)
    assert error.maybe_done
    assert leaked.state == ("resolved" if drop == "after" else "open")


@pytest.mark.parametrize("fault", ["lost", "broken"])
async def test_a_write_whose_token_was_lost_is_not_done(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert, fault: str
) -> None:
    status, drop = (503, None) if fault == "broken" else (None, "after")
    sandbox.faults.add(r"POST /app/installations/.*", status=status, drop=drop)  # type: ignore[arg-type]  # A table.
    error = await failure(installation.only(leaked.repository.id).close(NAME, 1, "revoked"))
    assert isinstance(error, Unreachable | Unavailable)
    assert not error.maybe_done
    assert sandbox.calls("PATCH") == []


async def test_a_write_with_a_server_error_is_maybe_done(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert
) -> None:
    sandbox.faults.add(f"PATCH {ALERT}", status=502)
    error = await failure(installation.only(leaked.repository.id).close(NAME, 1, "revoked"))
    assert isinstance(error, Unavailable)
    assert error.maybe_done


async def test_a_read_with_a_lost_response_is_not_maybe_done(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert
) -> None:
    sandbox.faults.add(f"GET {ALERT}", drop="after")
    error = await failure(installation.only(leaked.repository.id).alert(NAME, 1))
    assert isinstance(error, Unreachable)
    assert not error.maybe_done


async def test_a_timeout_raises_unreachable(
    sandbox: GitHubSandbox, session: aiohttp.ClientSession, time: Time, payments: GitHubRepository
) -> None:
    hasty = GitHub(
        session,
        api_url=sandbox.api_url,
        url=sandbox.url,
        app_id=str(sandbox.app_id),
        private_key=sandbox.private_key,
        version="1.2.3",
        now=time,
        timeout=1.0,
    )
    installation = hasty.of(sandbox.install(sandbox.app_owner).id)
    await installation.only(payments.id).repository(NAME)
    sandbox.faults.add(r"GET /repos/octo/payments", hang=True)
    error = await failure(installation.only(payments.id).repository(NAME))
    assert isinstance(error, Unreachable)
    assert str(error) == "GET /repos/{owner}/{repo} failed: no answer in time"


async def test_a_write_without_a_connection_is_not_maybe_done(
    session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    github = GitHub(
        session,
        api_url="http://127.0.0.1:1",
        url="http://127.0.0.1:1",
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
    )
    error = await failure(github.app())
    assert isinstance(error, Unreachable)
    assert not error.maybe_done
    lost = await failure(github.revoke(Literal(MARK)))
    assert isinstance(lost, Unreachable)
    assert not lost.maybe_done


async def test_no_call_is_sent_before_the_rate_limit_resets(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert, time: Time
) -> None:
    sandbox.core_limit = 3
    for _ in range(3):
        await installation.account("octo")
    received = len(sandbox.calls())
    error = await failure(installation.account("octo"))
    assert isinstance(error, GitHubRateLimited)
    assert error.retry_at > time()
    assert error.status is None
    assert len(sandbox.calls()) == received
    access = installation.only(leaked.repository.id)
    assert isinstance(await failure(access.literal(NAME, 1)), GitHubRateLimited)
    assert sandbox.calls("GET", ALERT) == []
    time.seconds = error.retry_at + 1
    await installation.account("octo")


@pytest.mark.parametrize("status", [403, 429])
async def test_a_secondary_limit_stops_all_calls_of_the_installation(
    sandbox: GitHubSandbox,
    github: GitHub,
    installation: InstallationClient,
    leaked: GitHubAlert,
    time: Time,
    status: int,
) -> None:
    other = github.of(sandbox.install(sandbox.add_organization("acme")).id)
    await installation.account("octo")
    await other.account("octo")
    message = {"message": "You have exceeded a secondary rate limit."}
    sandbox.faults.add("GET /users/octo", times=1, status=status, headers={"retry-after": "30"}, body=message)
    assert isinstance(await failure(installation.account("octo")), GitHubRateLimited)
    received = len(sandbox.calls())
    for call in (
        installation.account("octo"),
        github.of(installation.id).only(leaked.repository.id).repository(NAME),
        installation.only(leaked.repository.id).literal(NAME, 1),
        installation.only(leaked.repository.id).close(NAME, 1, "revoked"),
    ):
        error = await failure(call)
        assert isinstance(error, GitHubRateLimited)
        assert (error.retry_at, error.status) == (time() + 30, None)
    assert len(sandbox.calls()) == received
    await other.account("octo")
    time.seconds += 30
    await installation.account("octo")


async def test_a_limit_of_the_app_stops_its_calls(sandbox: GitHubSandbox, github: GitHub, time: Time) -> None:
    sandbox.faults.add("GET /app", times=1, status=403, headers={"retry-after": "30"})
    assert isinstance(await failure(github.app()), GitHubRateLimited)
    assert isinstance(await failure(github.app()), GitHubRateLimited)
    assert len(sandbox.calls()) == 1
    time.seconds += 30
    await github.app()


async def test_a_server_error_with_retry_after_is_not_a_rate_limit(
    sandbox: GitHubSandbox, installation: InstallationClient, payments: GitHubRepository
) -> None:
    sandbox.faults.add("GET /users/octo", times=1, status=503, headers={"retry-after": "30"})
    assert isinstance(await failure(installation.account("octo")), Unavailable)
    await installation.account("octo")


@pytest.mark.parametrize(
    "answer", ["{}", '""', "null", "", "7", '{"message": "hm"}', "[null]", '["octo"]', "[[]]", "[1"]
)
async def test_a_response_that_is_not_a_list_raises_unavailable(
    session: aiohttp.ClientSession, private_key: str, time: Time, answer: str
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text=answer, content_type="application/json")

    async with serving(handle) as url:
        github = GitHub(
            session, api_url=url, url=url, app_id="1", private_key=private_key, version="1.2.3", now=time
        )
        with pytest.raises(Unavailable):
            _ = [found async for found in github.installations()]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 422, 451, 500, 503, 203, 206, 304])
async def test_a_list_with_a_failed_second_page_raises(
    sandbox: GitHubSandbox, github: GitHub, status: int
) -> None:
    for number in range(130):
        sandbox.add_repository(sandbox.app_owner, f"r{number}")
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    repositories = installation.repositories()
    for _ in range(100):
        await anext(repositories)
    sandbox.faults.add("GET /installation/repositories", status=status)
    with pytest.raises(GitHubError):
        await anext(repositories)


async def test_each_installation_has_its_own_rate_limit(
    sandbox: GitHubSandbox, github: GitHub, installation: InstallationClient
) -> None:
    other = github.of(sandbox.install(sandbox.add_organization("acme")).id)
    # Both tokens are minted before the limit, which holds for the App's own calls too.
    await other.account("octo")
    await installation.account("octo")
    sandbox.core_limit = 2
    await installation.account("octo")
    assert isinstance(await failure(installation.account("octo")), GitHubRateLimited)
    await other.account("octo")


@pytest.mark.parametrize(
    ("headers", "wait"), [({"retry-after": "30"}, 30), ({"x-ratelimit-remaining": "0"}, 60), ({}, 60)]
)
async def test_a_rate_limit_has_the_time_of_its_end(
    sandbox: GitHubSandbox, installation: InstallationClient, time: Time, headers: dict[str, str], wait: float
) -> None:
    sandbox.faults.add(r"GET /users/octo", status=429, headers=headers)
    error = await failure(installation.account("octo"))
    assert isinstance(error, GitHubRateLimited)
    assert error.retry_at == time() + wait


async def test_at_most_twenty_calls_run_at_once(
    session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    """The server responds after 0.1 s, and at once when it has more than twenty calls."""
    under_way = 0
    too_many = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal under_way
        under_way += 1
        if under_way > 20:
            too_many.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(too_many.wait(), 0.1)
        under_way -= 1
        return web.json_response({"slug": "stanch", "owner": {"id": 1, "login": "octo"}})

    async with serving(handle) as url:
        github = GitHub(
            session,
            api_url=url,
            url=url,
            app_id="1",
            private_key=private_key,
            version="1.2.3",
            now=time,
        )
        await asyncio.gather(*(github.app() for _ in range(40)))
    assert not too_many.is_set()


async def test_each_reason_of_a_403_is_logged_once_a_minute(
    sandbox: GitHubSandbox, installation: InstallationClient, time: Time
) -> None:
    reason = "octo has an IP allow list enabled"
    rule = sandbox.faults.add("GET /users/octo", status=403, body={"message": reason})
    with capture_logs() as logged:
        for _ in range(3):
            await failure(installation.account("octo"))
        sandbox.faults.remove(rule)
        sandbox.faults.add("GET /users/octo", status=403, body={"message": "Another reason"})
        await failure(installation.account("octo"))
        time.seconds += 60
        await failure(installation.account("octo"))
    call = {"event": "github_refused", "log_level": "warning", "call": "GET /users/{username}", "status": 403}
    assert logged == [call | {"reason": text} for text in (reason, "Another reason", "Another reason")]


async def test_an_item_that_cannot_be_read_is_left_out_and_logged(
    session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    """GitHub's description: an installation on an enterprise has no login. That is not logged."""
    octo = {"id": 1, "account": {"id": 2, "login": "octo", "type": "Organization"}}
    enterprise = {"id": 3, "account": {"id": 4, "slug": "octo-ent"}}

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response([enterprise, {"account": octo["account"]}, octo])

    async with serving(handle) as url:
        github = GitHub(
            session, api_url=url, url=url, app_id="1", private_key=private_key, version="1.2.3", now=time
        )
        with capture_logs() as logged:
            assert [found.id async for found in github.installations()] == [1]
    reason = "the installation has no usable id"
    line = {"event": "item_left_out", "log_level": "warning", "call": "GET /app/installations"}
    assert logged == [line | {"reason": reason}]
