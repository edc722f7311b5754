"""Fixtures: Slack's sandbox over HTTP, and Stanch's client for it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from integrations.sandbox.slack import SlackSandbox
from integrations.slack.api import Slack
from tests.integrations.slack.samples import DANA, SEC


@pytest.fixture
async def sandbox() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as running:
        running.workspace.add_user(DANA, name="dana")
        running.workspace.add_channel(SEC, name="security", members=[DANA])
        yield running
        assert running.hygiene == running.unexpected == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as opened:
        yield opened


@pytest.fixture
def slack(sandbox: SlackSandbox, session: aiohttp.ClientSession) -> Slack:
    return Slack(sandbox.bot_token, sandbox.api_url, session)
