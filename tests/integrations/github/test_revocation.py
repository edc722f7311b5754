"""Reporting a leaked token: accepted, refused, or uncertain."""

import traceback

import aiohttp
import pytest

from integrations.github.api import GitHub
from integrations.github.errors import GitHubUncertain
from integrations.github.revocation import RevokeResponse
from integrations.literal import Literal
from integrations.sandbox.github import GitHubSandbox, LiveToken
from tests.integrations.github.conftest import Time


@pytest.fixture
def token(sandbox: GitHubSandbox) -> LiveToken:
    return sandbox.add_live_token(owner=sandbox.add_user("ana"))


async def test_an_accepted_report_revokes_the_token_and_has_no_credential(
    sandbox: GitHubSandbox, github: GitHub, token: LiveToken, time: Time
) -> None:
    assert await github.revoke(Literal(token.literal)) == RevokeResponse(accepted=True, status=202)
    assert not token.is_valid(time())
    [call] = sandbox.calls("POST", "/credentials/revoke")
    assert not call.authorized
    assert call.body == {"credentials": [token.literal]}


async def test_a_report_over_the_hourly_limit_has_a_retry_time(
    sandbox: GitHubSandbox, github: GitHub, token: LiveToken, time: Time
) -> None:
    sandbox.unauthenticated_limit = 0
    answer = await github.revoke(Literal(token.literal))
    assert not answer.accepted
    assert answer.status in {403, 429}
    assert answer.retry_at is not None
    assert time() < answer.retry_at <= time() + 3600
    assert token.is_valid(time())


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [(422, {}, None), (403, {}, None), (200, {}, None), (429, {"retry-after": "9"}, 9), (429, {}, 60)],
)
async def test_a_refused_report_has_a_retry_time_only_for_a_rate_limit(
    sandbox: GitHubSandbox,
    github: GitHub,
    token: LiveToken,
    time: Time,
    status: int,
    headers: dict[str, str],
    wait: float | None,
) -> None:
    sandbox.faults.add(r"POST /credentials/revoke", status=status, headers=headers)
    answer = await github.revoke(Literal(token.literal))
    assert answer == RevokeResponse(
        accepted=False, status=status, retry_at=None if wait is None else time() + wait
    )


@pytest.mark.parametrize(
    ("fault", "alive"), [({"status": 500}, True), ({"drop": "before"}, True), ({"drop": "after"}, False)]
)
async def test_a_report_with_a_lost_response_is_uncertain_and_shows_no_literal(
    sandbox: GitHubSandbox, github: GitHub, token: LiveToken, time: Time, fault: dict[str, str], alive: bool
) -> None:
    sandbox.faults.add(r"POST /credentials/revoke", times=1, **fault)  # type: ignore[arg-type]  # A table of faults.
    with pytest.raises(GitHubUncertain) as caught:
        await github.revoke(Literal(token.literal))
    assert token.is_valid(time()) is alive
    assert caught.value.__context__ is None
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert token.literal not in text
    assert token.literal not in repr(vars(caught.value))


async def test_a_report_that_times_out_is_uncertain(
    sandbox: GitHubSandbox, session: aiohttp.ClientSession, private_key: str, token: LiveToken, time: Time
) -> None:
    hasty = GitHub(
        session,
        api_url=sandbox.api_url,
        url=sandbox.url,
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
        timeout=0.2,
    )
    sandbox.faults.add(r"POST /credentials/revoke", hang=True)
    with pytest.raises(GitHubUncertain, match="no answer in time"):
        await hasty.revoke(Literal(token.literal))
