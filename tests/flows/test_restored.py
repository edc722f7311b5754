"""After a restore: cards are looked for before any is posted, dead tokens end a sign-in, lost rows are named."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import structlog

from bot import app
from bot.cli.audit import _verify, export_audit
from bot.errors import StartRefused
from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import Options
from storage.backup import back_up
from storage.clock import Clock
from tests.flows.signed_in import sign_in, stored_sign_in
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, open_stage

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOURS = 3600.0


def path_of(database_url: str) -> Path:
    return Path(database_url.partition("///")[2])


def backed_up(stage: Stage, target: Path) -> Path:
    assert stage.context.db.path is not None
    back_up(stage.context.db.path, target, stage.clock.now())
    return target


def copied(stage: Stage, target: Path) -> Path:
    """A copy by other means than Stanch's, which does not say that it is one."""
    with closing(sqlite3.connect(str(stage.context.db.path))) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    return target


@asynccontextmanager
async def restored(stage: Stage, backup: Path) -> AsyncIterator[Stage]:
    """The product started anew, with this database, between the same stand-ins."""
    async with started_again(stage, f"sqlite+aiosqlite:///{backup}") as again:
        await again.work(within=60)
        yield again


@asynccontextmanager
async def started_again(stage: Stage, database_url: str) -> AsyncIterator[Stage]:
    settings = stage.settings.model_copy(update={"database_url": database_url})
    async with app.run(settings, Options(), clock=stage.clock, runs_jobs=False) as running:
        stage.slack.events_url = f"http://127.0.0.1:{running.port}/slack/events"
        stage.github.webhook_url = f"http://127.0.0.1:{running.port}/github/webhooks"
        again = Stage(
            stage.slack,
            stage.github,
            stage.clock,
            running,
            stage.people,
            stage.repository,
            stage.leaker,
            settings,
        )
        yield again


@SQLITE
async def test_a_card_from_after_the_backup_is_found_and_not_posted_again(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.leak()
    backup = backed_up(stage, tmp_path / "backup.db")
    await stage.leak()
    cards = stage.slack.cards(CHANNEL)
    async with restored(stage, backup) as again:
        assert [card.ts for card in stage.slack.cards(CHANNEL)] == [card.ts for card in cards]
        # They are Stanch's again: what happens now is drawn in place.
        await stage.slack.click(OWNER, CHANNEL, cards[1].ts, "take")
        await again.work(within=3)
        assert "octo-owner" in stage.slack.cards(CHANNEL)[1].shown_text
        # What comes a minute later, by the clock of either, is posted at once.
        stage.clock.advance(61)
        await again.leak()
        assert len(stage.slack.cards(CHANNEL)) == 3


@SQLITE
async def test_a_message_that_waited_when_it_was_backed_up_is_not_posted_again(
    stage: Stage, tmp_path: Path
) -> None:
    stage.slack.faults.add("chat.postMessage", status=429, headers={"Retry-After": "5"}, times=1)
    stage.github.leak(stage.repository, token=stage.live_token())
    await stage.work()
    backup = backed_up(stage, tmp_path / "backup.db")
    await stage.work(within=30)
    assert len(stage.slack.cards(CHANNEL)) == 1
    async with restored(stage, backup):
        assert len(stage.slack.cards(CHANNEL)) == 1


@SQLITE
async def test_a_reply_that_waited_when_it_was_backed_up_is_not_posted_again(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.leak()
    stage.slack.faults.add("chat.postMessage", status=429, headers={"Retry-After": "5"}, times=3)
    await stage.slack.select(OWNER, CHANNEL, stage.card().ts, "close_as", "revoked")
    await stage.work()
    await stage.slack.submit(OWNER, stage.form(OWNER).id, {})
    await stage.work()
    before = len(stage.slack.thread(CHANNEL, stage.card().ts))
    backup = backed_up(stage, tmp_path / "backup.db")
    await stage.work(within=60)
    replies = stage.slack.thread(CHANNEL, stage.card().ts)
    assert len(replies) > before
    async with restored(stage, backup):
        assert [each.ts for each in stage.slack.thread(CHANNEL, stage.card().ts)] == [
            each.ts for each in replies
        ]


async def test_a_pause_is_noted_once_and_known_to_processes_that_start_later(stage: Stage) -> None:
    await run_housekeeping_once(stage.context)
    stage.clock.advance(200)
    url = stage.settings.database_url
    async with started_again(stage, url) as first, started_again(stage, url) as second:
        [away] = first.context.times_away
        # The clock of a test goes on with the real one.
        assert 200 <= away.until - away.since < 260
        assert not away.is_backup
        assert second.context.times_away == [away]


@SQLITE
async def test_a_backup_by_other_means_is_recognised_by_its_age(stage: Stage, tmp_path: Path) -> None:
    await run_housekeeping_once(stage.context)
    backup = copied(stage, tmp_path / "backup.db")
    stage.clock.advance(200)
    await stage.leak()
    async with restored(stage, backup):
        assert len(stage.slack.cards(CHANNEL)) == 1


@SQLITE
async def test_after_a_restart_of_a_moment_nothing_is_looked_for(stage: Stage, tmp_path: Path) -> None:
    backup = copied(stage, tmp_path / "backup.db")
    stage.clock.advance(100)
    stage.github.deliver = "hold"
    stage.github.leak(stage.repository, token=stage.live_token())
    async with restored(stage, backup):
        assert len(stage.slack.cards(CHANNEL)) == 1
        assert [call.method for call in stage.slack.requests if call.method == "conversations.history"] == []


@SQLITE
async def test_a_card_that_can_not_be_looked_for_is_posted(stage: Stage, tmp_path: Path) -> None:
    backup = backed_up(stage, tmp_path / "backup.db")
    stage.github.deliver = "hold"
    stage.github.leak(stage.repository, token=stage.live_token())
    stage.slack.fail("conversations.history", "missing_scope", times=None)
    with structlog.testing.capture_logs() as logs:
        async with restored(stage, backup):
            assert len(stage.slack.cards(CHANNEL)) == 1
    assert "not_looked_for" in [one["event"] for one in logs]


@SQLITE
async def test_a_dead_token_in_a_backup_asks_for_signing_in_again(
    database_url: str, clock: Clock, private_key: str, tmp_path: Path
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await stage.leak()
        await sign_in(stage, ADMIN)
        backup = backed_up(stage, tmp_path / "backup.db")
        clock.advance(9 * HOURS)
        # It is used, and so refreshed: GitHub ends the tokens that the backup has.
        await stage.click(ADMIN, "take")
        assert (await stored_sign_in(stage, ADMIN)).suspension is None
        clock.advance(9 * HOURS)
        async with restored(stage, backup) as again:
            await again.click(ADMIN, "check_validity")
            assert (await stored_sign_in(again, ADMIN)).suspension == "token_refused"
            assert "/leaks link" in again.answer_to(ADMIN)


@SQLITE
async def test_the_rows_that_a_restore_took_away_are_named(stage: Stage, tmp_path: Path) -> None:
    await stage.leak()
    await stage.click(OWNER, "take")
    kept = [row async for row in export_audit(stage.context.db, None)]
    backup = backed_up(stage, tmp_path / "backup.db")
    await stage.close_as(OWNER, "revoked")
    head = str([row async for row in export_audit(stage.context.db, None)][-1]["hash"])
    async with restored(stage, backup) as again, again.context.db.read() as tx:
        with pytest.raises(StartRefused, match=rf"Rows after number {len(kept)} that were written from "):
            await _verify(tx, head)
        assert await _verify(tx, str(kept[-1]["hash"]))


@SQLITE
async def test_a_second_start_on_the_restored_database_still_looks_for_cards(
    stage: Stage, tmp_path: Path
) -> None:
    backup = backed_up(stage, tmp_path / "backup.db")
    await stage.leak()
    stage.github.faults.add("GET .*", status=503)
    async with restored(stage, backup):
        pass
    stage.github.faults.clear()
    stage.clock.advance(30)
    async with restored(stage, backup):
        assert len(stage.slack.cards(CHANNEL)) == 1
