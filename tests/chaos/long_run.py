"""The long run: real processes, random events and random faults by a seed; prints all failures."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from integrations.sandbox.github import generate_private_key
from storage import subscriptions
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, Subscription
from tests.chaos.checks import converge, find_failures
from tests.chaos.databases import CannotStart, Kind, start_server
from tests.chaos.random_events import SITE_CHANNEL, Notes, RandomEvents
from tests.chaos.runner import say
from tests.conftest import PostgreSQL
from tests.processes.scene import CHANNEL, open_scene

CONVERGES_WITHIN = 240.0
"""Seconds; after an outage, a job may wait for a minute."""


async def run(kind: Kind, url: str, directory: Path, seed: int, seconds: float) -> list[str]:
    """Run on one database; returns the failures, a sentence each."""
    await _migrate(url)
    key = generate_private_key()
    async with open_scene(url, directory, key, channels=(CHANNEL, SITE_CHANNEL)) as scene:
        octo = scene.github.app_owner
        site = scene.github.add_repository(octo, "site")
        scene.github.add_collaborator(site, scene.people["U0ADMIN"], "admin")
        # Otherwise reports would wait for GitHub's hourly limit.
        scene.github.unauthenticated_limit = 100_000
        async with scene.db.begin() as tx:
            subscription = Subscription(ChannelId(SITE_CHANNEL), "repo:octo/site", created_at=tx.now)
            await subscriptions.add(tx, subscription)
        await scene.start()
        events = RandomEvents(scene, seed, [scene.repository, site])
        await events.run(seconds)
        began = time.monotonic()
        try:
            await converge(scene, CONVERGES_WITHIN)
        except AssertionError as unfinished:
            _report(kind, events.notes, None)
            return [str(unfinished), *await find_failures(scene, events.notes)]
        _report(kind, events.notes, time.monotonic() - began)
        return await find_failures(scene, events.notes)


def _report(kind: Kind, notes: Notes, converged: float | None) -> None:
    for name, number in sorted(notes.counts.items()):
        say(f"  {number:4} {name}")
    if notes.starts:
        say(f"  a start took {max(notes.starts):.1f} s at most")
    ending = (
        "still had work to do"
        if converged is None
        else f"all work done {converged:.0f} s after the last fault"
    )
    say(f"  {kind}: {ending}")


async def _migrate(url: str) -> None:
    db = Database(url, clock=Clock())
    await db.migrate()
    await db.close()


@contextmanager
def _database(kind: Kind, directory: Path) -> Iterator[str]:
    """A fresh database; raises CannotStart where PostgreSQL can't start."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{directory / 'stanch.db'}"
        return
    place = Path(tempfile.mkdtemp(prefix="stanch-chaos-pg-"))
    server = start_server(place)
    try:
        postgresql = PostgreSQL(server, "chaos")
        yield postgresql.url(postgresql.create())
    finally:
        server.cleanup()


def run_kinds(kinds: Sequence[Kind], seed: int, minutes: float, *, keep: bool) -> int:
    """Run on each kind of database and print what happened; returns the exit status.

    `minutes` is the duration of the faults in all; with `keep`, the logs and the SQLite file stay.
    """
    failed = False
    for kind in kinds:
        seconds = minutes * 60 / len(kinds)
        say(f"{kind}, seed {seed}, {seconds:.0f} s")
        directory = Path(tempfile.mkdtemp(prefix="stanch-chaos-"))
        try:
            with _database(kind, directory) as url:
                failures = asyncio.run(run(kind, url, directory, seed, seconds))
        except CannotStart as reason:
            say(f"  skipped: {reason}")
            continue
        for sentence in failures:
            say(f"  WRONG: {sentence}")
        failed = failed or bool(failures)
        if failures or keep:
            say(f"  logs: {directory}")
        else:
            shutil.rmtree(directory)
        say(f"  {kind}: {'FAILED' if failures else 'passed'}; repeat with --seed {seed} --database {kind}")
    return 1 if failed else 0
