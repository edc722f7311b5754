"""A running stand-in GitHub with one organization, a caller, and a receiver of its webhooks."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrations.sandbox.github import (
    GitHubInstallation,
    GitHubRepository,
    GitHubSandbox,
    GitHubUser,
    Organization,
    generate_private_key,
)

VERSION = "2022-11-28"
AGENT = "stanch/test"


# Checking the key takes 20 ms, and all tests have the same.
@functools.cache
def load_key(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


class MovableClock:
    """Unix time that only the test moves."""

    def __init__(self) -> None:
        self.at = 1_795_500_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any  # Any JSON; the assertions check its shape.
    headers: Mapping[str, str]


class Caller:
    """Calls the stand-in as Stanch does: with a User-Agent and the API version."""

    def __init__(self, github: GitHubSandbox, session: aiohttp.ClientSession) -> None:
        self.github = github
        self.session = session

    def app_jwt(self, **claims: object) -> str:
        """The App's JWT, with `claims` changed."""
        now = int(self.github.now())
        valid: dict[str, object] = {"iat": now - 60, "exp": now + 540, "iss": self.github.client_id}
        return jwt.encode({**valid, **claims}, load_key(self.github.private_key), "RS256")

    async def token(self, installation: GitHubInstallation, **body: object) -> str:
        """An installation token, narrowed by `body`."""
        reply = await self.call(
            "POST", f"/app/installations/{installation.id}/access_tokens", self.app_jwt(), body=body
        )
        assert reply.status == 201, reply.body
        return str(reply.body["token"])

    async def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        follow: bool = True,
    ) -> Reply:
        """Make one request; `path` is below the API's base, or a whole address."""
        sent = {"User-Agent": AGENT, "X-GitHub-Api-Version": VERSION, **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        address = path if path.startswith("http") else self.github.api_url + path
        async with self.session.request(
            method, address, json=body, headers=sent, allow_redirects=follow
        ) as response:
            text = await response.text()
            return Reply(response.status, json.loads(text) if text else None, response.headers)


@dataclass
class Scene:
    """One organization with an owner, a private repository and the App on it."""

    github: GitHubSandbox
    caller: Caller
    clock: MovableClock
    octo: Organization
    ana: GitHubUser
    payments: GitHubRepository
    installation: GitHubInstallation

    @property
    def alerts_path(self) -> str:
        return f"/repos/{self.payments.full_name}/secret-scanning/alerts"


@dataclass
class Receiver:
    """Records webhook deliveries and answers `status`."""

    url: str = ""
    status: int = 202
    delay: float = 0.0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def payloads(self) -> list[Any]:  # Any JSON.
        return [json.loads(each) for each in self.bodies]

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, text="received")


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def scene(private_key: str) -> AsyncIterator[Scene]:
    clock = MovableClock()
    async with (
        GitHubSandbox(now=clock, private_key=private_key) as github,
        aiohttp.ClientSession() as session,
    ):
        octo = github.organization("octo")
        assert octo is not None
        ana = github.add_user("ana")
        github.add_member(octo, ana, role="admin")
        payments = github.add_repository(octo, "payments")
        installation = github.install(octo)
        yield Scene(github, Caller(github, session), clock, octo, ana, payments, installation)
        assert not [each for each in github.violations if "defect" in each]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/github/webhooks", receiver.receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/github/webhooks"
    yield receiver
    await runner.cleanup()
