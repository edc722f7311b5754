"""Fixtures: GitHub's sandbox over HTTP, and Stanch's client for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from integrations.github.api import GitHub
from integrations.github.installation import InstallationClient
from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox, generate_private_key


@dataclass
class Time:
    """A clock in Unix seconds that moves only when a test sets it."""

    seconds: float = 1_795_488_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="session")
def private_key() -> str:
    """Made once per run, since generating an RSA key is slow."""
    return generate_private_key()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def sandbox(private_key: str, time: Time) -> AsyncIterator[GitHubSandbox]:
    """The sandbox; a call that GitHub's description does not allow fails the test."""
    async with GitHubSandbox(now=time, private_key=private_key) as running:
        yield running
        assert running.violations == []
        assert running.unexpected == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def github(sandbox: GitHubSandbox, session: aiohttp.ClientSession, time: Time) -> GitHub:
    return GitHub(
        session,
        api_url=sandbox.api_url,
        url=sandbox.url,
        app_id=str(sandbox.app_id),
        private_key=sandbox.private_key,
        version="1.2.3",
        now=time,
    )


@pytest.fixture
def payments(sandbox: GitHubSandbox) -> GitHubRepository:
    return sandbox.add_repository(sandbox.app_owner, "payments")


@pytest.fixture
def installation(sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository) -> InstallationClient:
    return github.of(sandbox.install(sandbox.app_owner).id)


@pytest.fixture
def leaked(sandbox: GitHubSandbox, payments: GitHubRepository) -> GitHubAlert:
    return sandbox.leak(payments, literal="ghp_" + "Marked0" * 5 + "1")
