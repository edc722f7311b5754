"""`stanch sync` beside a running server: what it counts, what it stores, and what it can't find."""

import pytest

from bot.errors import StartRefused
from bot.operators.sync import Synced, sync
from bot.options import Options
from tests.flows.stage import Stage


async def sync_one(stage: Stage, repository: str | None = None, *, dry_run: bool = False) -> list[Synced]:
    return await sync(stage.settings, Options(), org=None, repository=repository, dry_run=dry_run)


async def test_a_dry_run_counts_and_stores_nothing(stage: Stage) -> None:
    stage.github.webhook_url = None
    alert = stage.github.leak(stage.repository, token=stage.live_token())
    stage.github.leak(stage.github.add_repository(stage.github.app_owner, "website"))
    assert await sync_one(stage, dry_run=True) == [Synced("octo", 2, 2, 0)]
    assert await stage.stored(alert) is None
    assert await sync_one(stage, "octo/Payments") == [Synced("octo", 1, 1, 0)]
    assert await stage.stored(alert) is not None


@pytest.mark.parametrize("name", ["octo/nope", "stranger/nope", "nonsense", "octo/pay ments", "a/b/c"])
async def test_a_repository_that_github_does_not_show_is_no_success(stage: Stage, name: str) -> None:
    with pytest.raises(StartRefused, match="GitHub shows Stanch no repository"):
        await sync_one(stage, name)
