"""One story on every server: github.com, GHE.com, and each release of Enterprise Server from 3.19 to 3.22.

The stand-in refuses the test what a release does not have: an endpoint, a query parameter, a field.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.proxies import _proxy_for
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from storage.clock import Clock
from tests.flows.stage import ADMIN, OWNER, Stage, open_stage
from tests.flows.test_sync import forget_syncs, sync

pytestmark = pytest.mark.either_database


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of GitHub, and what Stanch may do there."""

    version: str | None
    can_report: bool = False
    written: frozenset[str] = frozenset()
    """Fields that are set on an alert besides its state."""
    host: str | None = None


ALL = frozenset({"assignee", "validity"})
SERVERS = {
    "github.com": Server(None, can_report=True, written=ALL),
    "GHE.com": Server(None, written=ALL, host="octo.ghe.com"),
    "3.19": Server("3.19.4"),
    "3.20": Server("3.20.1", written=frozenset({"assignee"})),
    "3.21": Server("3.21.0", written=frozenset({"assignee"})),
    "3.22": Server("3.22.0", written=ALL),
}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    return SERVERS[request.param]


@pytest.fixture
async def stage(
    server: Server, database_url: str, clock: Clock, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Stanch and that server. The stand-in is reached by the name of the host as if it were a proxy."""
    settings: dict[str, Any] = {}
    if server.host is not None:
        settings = {"github_url": f"http://{server.host}", "github_api_url": f"http://{server.host}/api/v3"}

    async def prepare(_: SlackSandbox, github: GitHubSandbox) -> None:
        github.installed_version = server.version
        if server.host is not None:
            monkeypatch.setenv("HTTP_PROXY", github.url)
            _proxy_for.cache_clear()  # It may know the stand-in of another test.
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            github.base = f"http://{server.host}"

    async with open_stage(database_url, clock, private_key, prepare=prepare, **settings) as stage:
        await stage.link_all(stage.people)
        await stage.work()
        yield stage
        stage.check()


async def test_an_alert_is_worked_to_its_end(stage: Stage, server: Server) -> None:
    alert = await stage.leak()
    assert ("report_leak" in stage.card().action_ids) is server.can_report
    await stage.click(ADMIN, "take")
    await stage.click(OWNER, "check_validity")
    assert "live token" in stage.card().shown_text
    written = {
        name for call in stage.github.calls("PATCH") if isinstance(call.body, dict) for name in call.body
    }
    assert written == server.written
    await stage.close_as(ADMIN, "revoked", "Rotated.")
    assert (alert.state, alert.resolution) == ("resolved", "revoked")
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN)
    assert alert.state == "open"
    stage.github.add_location(alert, path="src/again.py", start_line=2)
    await stage.pick(ADMIN, "more", "locations")
    await stage.type(OWNER, "list")
    await forget_syncs(stage)
    await sync(stage)
    assert "octo/payments" in await stage.type(OWNER, "show octo/payments#1")
    assert stage.github.calls("GET", "/orgs/octo/secret-scanning/alerts")
    assert bool(stage.github.calls("POST", "/credentials/revoke")) is False
