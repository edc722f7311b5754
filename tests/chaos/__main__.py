"""`python -m tests.chaos [--minutes N] [--seed S]`: the long run with faults; prints its seeds and all failures."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from integrations.sandbox.github import generate_private_key
from storage import subscriptions
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, Subscription
from tests.chaos.checks import converge, find_failures
from tests.chaos.random_events import SITE_CHANNEL, Notes, RandomEvents
from tests.conftest import PostgreSQL, start_postgresql
from tests.processes.scene import CHANNEL, open_scene

Kind: TypeAlias = Literal["sqlite", "postgresql"]
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
        _say(f"  {number:4} {name}")
    if notes.starts:
        _say(f"  a start took {max(notes.starts):.1f} s at most")
    ending = (
        "still had work to do"
        if converged is None
        else f"all work done {converged:.0f} s after the last fault"
    )
    _say(f"  {kind}: {ending}")


async def _migrate(url: str) -> None:
    db = Database(url, clock=Clock())
    await db.migrate()
    await db.close()


@contextmanager
def _database(kind: Kind, directory: Path) -> Iterator[str]:
    """A fresh database; raises OSError or RuntimeError where PostgreSQL can't start."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{directory / 'stanch.db'}"
        return
    place = Path(tempfile.mkdtemp(prefix="stanch-chaos-pg-"))
    server = start_postgresql(place)
    try:
        postgresql = PostgreSQL(server, "chaos")
        yield postgresql.url(postgresql.create())
    finally:
        server.cleanup()


def main() -> int:
    """Run on each kind of database and print what happened; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="duration of the faults in all")
    parser.add_argument(
        "--seed", type=int, default=None, help="the seed of an earlier run, to choose the same events"
    )
    parser.add_argument("--database", choices=get_args(Kind), action="append", help="only this kind")
    parser.add_argument("--keep", action="store_true", help="keep the logs and the SQLite file")
    options = parser.parse_args()
    kinds: list[Kind] = options.database or list(get_args(Kind))
    seed: int = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    failed = False
    for kind in kinds:
        seconds = options.minutes * 60 / len(kinds)
        _say(f"{kind}, seed {seed}, {seconds:.0f} s")
        directory = Path(tempfile.mkdtemp(prefix="stanch-chaos-"))
        try:
            with _database(kind, directory) as url:
                failures = asyncio.run(run(kind, url, directory, seed, seconds))
        except (OSError, RuntimeError) as error:
            if kind != "postgresql":
                raise
            _say(f"  skipped: PostgreSQL can't start here: {error}")
            continue
        for sentence in failures:
            _say(f"  WRONG: {sentence}")
        failed = failed or bool(failures)
        if failures or options.keep:
            _say(f"  logs: {directory}")
        else:
            shutil.rmtree(directory)
        _say(f"  {kind}: {'FAILED' if failures else 'passed'}; repeat with --seed {seed} --database {kind}")
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
