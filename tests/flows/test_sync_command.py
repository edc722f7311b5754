"""`stanch sync` beside a running server."""

import pytest

from bot.cli.github_accounts import open_accounts
from bot.cli.sync import Synced, run_sync
from bot.errors import StartRefused
from bot.options import Options
from tests.flows.stage import Stage
from tests.flows.test_sync import LISTS

pytestmark = pytest.mark.either_database


@pytest.fixture
def is_restart() -> bool:
    """Never, since the command reads the machine's clock, and the clock of a restart is behind it."""
    return False


async def sync_one(stage: Stage, repository: str | None = None, *, dry_run: bool = False) -> list[Synced]:
    return await run_sync(stage.settings, Options(), org=None, repository=repository, dry_run=dry_run)


async def test_a_dry_run_counts_and_stores_nothing(stage: Stage) -> None:
    stage.github.webhook_url = None
    alert = stage.github.leak(stage.repository, token=stage.live_token())
    stage.github.leak(stage.github.add_repository(stage.github.app_owner, "website"))
    assert await sync_one(stage, dry_run=True) == [Synced("octo", 2, 2, 0)]
    assert await stage.stored(alert) is None
    assert await sync_one(stage, "octo/Payments") == [Synced("octo", 1, 1, 0)]
    assert await stage.stored(alert) is not None


@pytest.mark.parametrize("name", ["octo/nope", "stranger/nope", "nonsense", "octo/pay ments", "a/b/c"])
async def test_a_repository_that_github_does_not_show_is_an_error(stage: Stage, name: str) -> None:
    with pytest.raises(StartRefused, match="GitHub shows Stanch no repository"):
        await sync_one(stage, name)


async def test_a_foreign_installation_is_not_used_to_resolve_logins(stage: Stage) -> None:
    stranger = stage.github.add_organization("stranger")
    ours = stage.github.installations.copy()
    stage.github.installations.clear()
    theirs = stage.github.install(stranger)
    stage.github.installations.update(ours)
    async with open_accounts(stage.settings, stage.context.db) as accounts:
        assert (await accounts.find("leaky-dev")).id == stage.leaker.id
    used = {call.installation_id for call in stage.github.calls("GET", "/users/leaky-dev")}
    assert theirs.id not in used
    assert len(used) == 1


async def test_an_organization_without_an_installation_is_named(stage: Stage) -> None:
    with pytest.raises(StartRefused, match=r"^The GitHub App is not installed for labs, "):
        await run_sync(stage.settings, Options(), org="labs", repository=None, dry_run=True)


async def test_a_sync_that_github_ends_says_why(stage: Stage) -> None:
    stage.github.faults.add("GET /app/installations", status=503)
    with pytest.raises(StartRefused, match=r"^The sync failed: .*503"):
        await sync_one(stage)


async def test_stanch_sync_prints_what_github_refused(stage: Stage) -> None:
    reason = "Secret scanning is disabled on this organization."
    stage.github.faults.add(LISTS, status=404, body={"message": reason})
    with pytest.raises(StartRefused, match=reason):
        await sync_one(stage, dry_run=True)


async def test_refused_repositories_are_told_and_what_was_listed_is_stored(stage: Stage) -> None:
    await stage.leak()
    stage.github.webhook_url = None
    found = stage.github.leak(stage.repository)
    reason = "Resource not accessible by integration"
    stage.github.faults.add("GET /installation/repositories", status=403, body={"message": reason})
    with pytest.raises(StartRefused, match=reason):
        await sync_one(stage)
    assert await stage.stored(found) is not None
