"""Opening a Socket Mode connection, and its failures."""

import aiohttp
import pytest

from integrations.sandbox.slack import SlackSandbox
from integrations.slack import errors
from integrations.slack.app_level_client import METHOD, AppLevelClient


@pytest.fixture
def app_level(sandbox: SlackSandbox, session: aiohttp.ClientSession) -> AppLevelClient:
    sandbox.use_socket_mode()
    return AppLevelClient(sandbox.app_token, sandbox.api_url, session)


async def test_each_call_returns_a_new_address(app_level: AppLevelClient) -> None:
    first, second = await app_level.open_connection(), await app_level.open_connection()
    assert first.startswith("ws://")
    assert first != second


@pytest.mark.parametrize("token", ["bot_token", "nonsense"])
async def test_a_token_of_another_type_is_refused(
    sandbox: SlackSandbox, session: aiohttp.ClientSession, token: str
) -> None:
    other = AppLevelClient(getattr(sandbox, token, token), sandbox.api_url, session)
    with pytest.raises(errors.SlackUnauthorized):
        await other.open_connection()


async def test_each_failure_has_its_error_class(sandbox: SlackSandbox, app_level: AppLevelClient) -> None:
    sandbox.rate_limit(METHOD, retry_after=7)
    with pytest.raises(errors.SlackRateLimited) as limited:
        await app_level.open_connection()
    assert limited.value.retry_after == 7
    sandbox.faults.add(METHOD, times=1, status=200, body={"ok": True})
    with pytest.raises(errors.SlackUncertain, match="unreadable_answer"):
        await app_level.open_connection()
    sandbox.faults.add(METHOD, times=1, drop="before")
    with pytest.raises(errors.SlackUncertain):
        await app_level.open_connection()
