"""GitHub's stand-in over real HTTP, and Stanch's own client of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from integrations.github.api import GitHub
from integrations.github.installation import InstallationClient
from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox, generate_private_key


@dataclass
class Time:
    """The time of a test, in Unix seconds; it moves only when it is told to."""

    seconds: float = 1_795_488_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="session")
def private_key() -> str:
    """Made once: an RSA key takes a while."""
    return generate_private_key()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def far(private_key: str, time: Time) -> AsyncIterator[GitHubSandbox]:
    """GitHub; whatever it was asked against its description fails the test."""
    async with GitHubSandbox(now=time, private_key=private_key) as sandbox:
        yield sandbox
        assert sandbox.violations == []
        assert sandbox.unexpected == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def github(far: GitHubSandbox, session: aiohttp.ClientSession, time: Time) -> GitHub:
    return GitHub(
        session,
        api_url=far.api_url,
        url=far.url,
        app_id=str(far.app_id),
        private_key=far.private_key,
        version="1.2.3",
        now=time,
    )


@pytest.fixture
def payments(far: GitHubSandbox) -> GitHubRepository:
    return far.add_repository(far.app_owner, "payments")


@pytest.fixture
def installation(far: GitHubSandbox, github: GitHub, payments: GitHubRepository) -> InstallationClient:
    return github.of(far.install(far.app_owner).id)


@pytest.fixture
def leaked(far: GitHubSandbox, payments: GitHubRepository) -> GitHubAlert:
    return far.leak(payments, literal="ghp_" + "Marked0" * 5 + "1")
