"""`make steady`: an hour of mixed load on a real process on SQLite; prints memory and rows every five minutes.

It fails if the memory grows after the first ten minutes, if a table keeps what it should not, if the log has an
error, or if any promise about the alerts is broken at the end.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from integrations.sandbox.github import generate_private_key
from storage import subscriptions
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, Subscription
from tests.chaos.checks import converge, find_failures
from tests.chaos.parts import report
from tests.chaos.random_events import SITE_CHANNEL
from tests.chaos.runner import say
from tests.chaos.steady_load import SteadyLoad
from tests.chaos.steady_rows import AGED_EVERY, OF_ALERTS, count_rows, find_growth, find_overdue, make_older
from tests.processes.bot import ROOT
from tests.processes.scene import ADMIN, CHANNEL, Scene, open_scene
from tests.processes.usage import cpu_seconds, memory, open_files

SAMPLE_EVERY = 10.0
"""Seconds between two readings of the memory."""
PRINTS = 12
"""Lines that are printed in all."""
NOISE = 5.0
"""Megabytes. More growth than this fails the run."""
CONVERGES_WITHIN = 240.0
LIMITS = "[limits]\nreports_per_hour = 1000\ncloses_per_hour = 10000\n"


@dataclass(slots=True)
class Samples:
    """What was read in the course of the run."""

    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    rows: list[dict[str, int]] = field(default_factory=list)
    """At each printed line."""
    failures: list[str] = field(default_factory=list)

    def part(self, begins: float, ends: float) -> Sequence[float]:
        """The memory between two points of the run, each from 0 to 1."""
        number = len(self.memory)
        return self.memory[int(begins * number) : max(int(begins * number) + 1, int(ends * number))]

    @property
    def growth(self) -> float:
        """Megabytes from the second sixth of the run (minutes 10 to 20 of an hour) to the last, median of each."""
        return median(self.part(5 / 6, 1)) - median(self.part(1 / 6, 2 / 6))


async def run(directory: Path, minutes: float, rate: float, seed: int) -> list[str]:
    """Run, and print what was seen; returns the failures, a sentence each."""
    url = f"sqlite+aiosqlite:///{directory / 'stanch.db'}"
    db = Database(url, clock=Clock())
    await db.migrate()
    await db.close()
    (directory / "stanch.toml").write_text(LIMITS)
    key = generate_private_key()
    async with open_scene(url, directory, key, channels=(CHANNEL, SITE_CHANNEL)) as scene:
        # With PYTHONPATH it is a new Python and no fork of this process, as in production.
        scene.environment |= {
            "STANCH_CONFIG": "stanch.toml",
            "STANCH_SYNC_INTERVAL": "60",
            "PYTHONPATH": str(ROOT),
        }
        site = scene.github.add_repository(scene.github.app_owner, "site")
        scene.github.add_collaborator(site, scene.people[ADMIN], "admin")
        # GitHub's hourly limits are no subject of this run.
        scene.github.unauthenticated_limit = scene.github.core_limit = 1_000_000
        async with scene.db.begin() as tx:
            subscription = Subscription(ChannelId(SITE_CHANNEL), "repo:octo/site", created_at=tx.now)
            await subscriptions.add(tx, subscription)
        await scene.start()
        load, samples = SteadyLoad(scene, seed, [scene.repository, site]), Samples()
        began, cpu = time.monotonic(), cpu_seconds(scene.bot.pid)
        watching = asyncio.create_task(_watch(scene, samples, minutes * 60))
        await load.run_at(rate, minutes * 60)
        share = (cpu_seconds(scene.bot.pid) - cpu) / (time.monotonic() - began)
        await watching
        for name, number in sorted(load.notes.counts.items()):
            say(f"  {number:5} {name}")
        say(f"  {share:.1%} of one core")
        try:
            await converge(scene, CONVERGES_WITHIN)
        except AssertionError as unfinished:
            samples.failures.append(str(unfinished))
        return [
            *_about_memory(samples),
            *samples.failures,
            *_about_rows(samples),
            *_about_the_log(scene),
            *await find_failures(scene, load.notes),
        ]


async def _watch(scene: Scene, samples: Samples, seconds: float) -> None:
    """Read memory and rows until the end, and let days pass for rows that expire."""
    began = printed = aged = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        await asyncio.sleep(min(SAMPLE_EVERY, max(0.0, began + seconds - now)))
        samples.memory.append(memory(scene.bot.pid))
        samples.files.append(open_files(scene.bot.pid))
        if time.monotonic() - aged >= AGED_EVERY:
            aged = time.monotonic()
            await make_older(scene.db)
        if time.monotonic() - printed >= seconds / PRINTS - SAMPLE_EVERY / 2:
            printed = time.monotonic()
            samples.rows.append(await count_rows(scene.db))
            samples.failures += await find_overdue(scene.db)
            _print(scene, samples, printed - began)


def _print(scene: Scene, samples: Samples, seconds: float) -> None:
    lately, rows = samples.memory[-(len(samples.memory) // len(samples.rows)) :], samples.rows[-1]
    assert scene.db.path is not None
    files = [scene.db.path, scene.db.path.with_name(f"{scene.db.path.name}-wal")]
    size, ahead = (file.stat().st_size / 1e6 if file.exists() else 0.0 for file in files)
    say(
        f"  {seconds / 60:4.0f} min: {median(lately):6.1f} MB ({min(lately):.1f}-{max(lately):.1f}),"
        f" {samples.files[-1]} files open, database {size:.1f} MB, write-ahead log {ahead:.1f} MB"
    )
    say("            " + ", ".join(f"{number} {name}" for name, number in rows.items() if number))


def _about_memory(samples: Samples) -> list[str]:
    early, late = samples.part(1 / 6, 2 / 6), samples.part(5 / 6, 1)
    say(
        f"  memory from {median(early):.1f} MB in the second sixth of the time ({min(early):.1f}-{max(early):.1f})"
        f" to {median(late):.1f} MB in the last ({min(late):.1f}-{max(late):.1f}): {samples.growth:+.1f} MB"
    )
    if samples.growth <= NOISE:
        return []
    return [f"the memory has grown by {samples.growth:.1f} MB; {NOISE} MB are allowed"]


def _about_rows(samples: Samples) -> list[str]:
    if len(samples.rows) < 2:
        return []
    # By the second line everything has been used once.
    before, after = samples.rows[1], samples.rows[-1]
    grown = ", ".join(f"{name} from {before[name]} to {after[name]}" for name in sorted(OF_ALERTS))
    say(f"  kept for good: {grown}")
    return find_growth(before, after)


def _about_the_log(scene: Scene) -> list[str]:
    """Warnings are printed; errors are failures."""
    seen = Counter((line.get("level"), line.get("event")) for line in scene.bot.log_lines())
    for (level, event), number in seen.items():
        if level == "warning":
            say(f"  {number} times a warning in the log: {event}")
    return [
        f"the log has {number} times the {level} {event}"
        for (level, event), number in seen.items()
        if level in ("error", "critical")
    ]


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--rate", type=float, default=1.0, help="events a second, of which 28 in 100 are new alerts"
    )
    parser.add_argument("--seed", type=int, help="the seed of an earlier run, to choose the same events")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    directory = Path(tempfile.mkdtemp(prefix="stanch-steady-"))
    say(f"{options.minutes:g} minutes, {options.rate:g} events a second, seed {seed}")
    failures = asyncio.run(run(directory, options.minutes, options.rate, seed))
    return report(failures, directory)


if __name__ == "__main__":
    sys.exit(main())
