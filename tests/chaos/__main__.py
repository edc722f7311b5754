"""`python -m tests.chaos`: stories with faults at all points and in pairs, then real processes in trouble."""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from tests.chaos import full_disk, locked, long_run, several, two_hosts, two_versions
from tests.chaos.databases import CannotStart, Kind, fresh_databases
from tests.chaos.runner import Runner, chosen, say
from tests.chaos.stories import STORIES

PARTS = {
    "several": several.run_and_report,
    "versions": two_versions.run_and_report,
    "hosts": two_hosts.run_and_report,
    "disk": full_disk.run_and_report,
    "lock": locked.run_and_report,
}
"""The parts between the stories and the long run, by name: real processes in one kind of trouble each."""


def main() -> int:
    """Run all of it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--story", choices=STORIES, action="append", default=[], help="only this story, at every point"
    )
    parser.add_argument(
        "--from", dest="begins_at", metavar="POINT", help="a point as printed: sqlite/close/after/7"
    )
    parser.add_argument("--part", choices=(*PARTS, "long"), help="only this part of what follows the stories")
    parser.add_argument("--pairs", type=int, default=200, help="pairs of faults on each kind of database")
    parser.add_argument("--minutes", type=float, default=4.0, help="duration of the long run in all")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run, to choose the same faults")
    parser.add_argument("--database", choices=get_args(Kind), action="append", help="only this kind")
    parser.add_argument("--keep", action="store_true", help="keep the long run's logs and its SQLite file")
    options = parser.parse_args()
    kinds: list[Kind] = options.database or list(get_args(Kind))
    seed: int = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    if options.part in PARTS:
        return PARTS[options.part]()
    failed = 0
    if options.part is None:
        failed = _run_points(kinds, options.story, options.begins_at, options.pairs, seed)
        if options.story:
            return failed
        failed = max(failed, *(run() for run in PARTS.values()))
    return long_run.run_kinds(kinds, seed, options.minutes, keep=options.keep) or failed


def _run_points(
    kinds: Sequence[Kind], names: Sequence[str], begins_at: str | None, pairs: int, seed: int
) -> int:
    runner = Runner(Path(tempfile.mkdtemp(prefix="stanch-chaos-logs-")), begins_at)
    for kind in kinds:
        try:
            with fresh_databases(kind) as fresh:
                runner.run(kind, chosen(names), fresh)
                if not names:
                    runner.run_pairs(kind, chosen([]), fresh, seed, pairs)
        except CannotStart as reason:
            say(f"skipped: {reason}")
    if runner.begins_at is not None:
        say(f"no point is called {runner.begins_at}")
        return 1
    say(
        f"{runner.points} points, {len(runner.broken)} broken promises; seed {seed}; logs: {runner.directory}"
    )
    return 1 if runner.broken else 0


if __name__ == "__main__":
    sys.exit(main())
