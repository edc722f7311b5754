"""`python -m tests.chaos [--minutes N] [--seed S]`: the long fault run, with its seeds and a verdict."""

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
from tests.chaos.storm import SITE_CHANNEL, Notes, Storm
from tests.chaos.verdict import complaints, converge
from tests.conftest import PostgreSQL, start_postgresql
from tests.processes.scene import CHANNEL, open_scene

Kind: TypeAlias = Literal["sqlite", "postgresql"]
CONVERGES_WITHIN = 240.0
"""Seconds; a job may wait for a minute after an outage."""


async def run(kind: Kind, url: str, directory: Path, seed: int, seconds: float) -> list[str]:
    """One storm on one database; returns what was not as it should be."""
    await _migrate(url)
    key = generate_private_key()
    async with open_scene(url, directory, key, channels=(CHANNEL, SITE_CHANNEL)) as scene:
        octo = scene.github.app_owner
        site = scene.github.add_repository(octo, "site")
        scene.github.add_collaborator(site, scene.people["U0ADMIN"], "admin")
        # Reports are not to wait for GitHub's hourly quota.
        scene.github.unauthenticated_limit = 100_000
        async with scene.db.begin() as tx:
            verb_phrase = Subscription(ChannelId(SITE_CHANNEL), "repo:octo/site", created_at=tx.now)
            await subscriptions.add(tx, verb_phrase)
        await scene.start()
        storm = Storm(scene, seed, [scene.repository, site])
        await storm.rage(seconds)
        began = time.monotonic()
        try:
            await converge(scene, CONVERGES_WITHIN)
        except AssertionError as unfinished:
            _report(kind, storm.notes, None)
            return [str(unfinished), *await complaints(scene, storm.notes)]
        _report(kind, storm.notes, time.monotonic() - began)
        return await complaints(scene, storm.notes)


def _report(kind: Kind, notes: Notes, converged: float | None) -> None:
    for name, number in sorted(notes.counts.items()):
        _say(f"  {number:4} {name}")
    if notes.starts:
        _say(f"  a start took {max(notes.starts):.1f} s at most")
    ending = (
        "did not come to rest" if converged is None else f"at rest {converged:.0f} s after the last fault"
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
    """Run the storms, print what happened, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="how long the storms last in all")
    parser.add_argument("--seed", type=int, default=None, help="choose the same events as an earlier run")
    parser.add_argument("--database", choices=get_args(Kind), action="append", help="only this one")
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
                wrong = asyncio.run(run(kind, url, directory, seed, seconds))
        except (OSError, RuntimeError) as error:
            if kind != "postgresql":
                raise
            _say(f"  skipped: PostgreSQL can't start here: {error}")
            continue
        for words in wrong:
            _say(f"  WRONG: {words}")
        failed = failed or bool(wrong)
        if wrong or options.keep:
            _say(f"  logs: {directory}")
        else:
            shutil.rmtree(directory)
        _say(f"  {kind}: {'FAILED' if wrong else 'passed'}; again with --seed {seed} --database {kind}")
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
