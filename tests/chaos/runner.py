"""Plays every story with a fault at every point, and pairs of faults by seed; prints points and broken promises."""

import asyncio
import logging
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.logs import set_up_logging
from integrations.sandbox.github import generate_private_key
from tests.chaos.databases import Fresh, Kind
from tests.chaos.every_point import Played, play
from tests.chaos.faults import Fault, Mode
from tests.chaos.stories import STORIES, Story

AT_ONCE = 6
"""Stories that hang at the same time: each waits ten seconds for an answer."""
ON_SQLITE_ALONE = (Mode.BEFORE, Mode.AFTER)
"""The modes of a story that is not thorough."""


@dataclass(slots=True)
class Runner:
    """What is left to do, and what has been found."""

    directory: Path
    """For logs."""
    begins_at: str | None = None
    """The name of a point; those before it are passed over."""
    points: int = 0
    broken: list[str] = field(default_factory=list)
    private_key: str = field(default_factory=generate_private_key, repr=False)

    def run(self, kind: Kind, stories: Iterable[Story], fresh: Fresh) -> None:
        """Each story with each of its modes at each point."""
        for story in stories:
            if kind == "sqlite" or story.is_thorough:
                asyncio.run(self._run_story(kind, story, fresh))

    def run_pairs(self, kind: Kind, stories: Sequence[Story], fresh: Fresh, seed: int, number: int) -> None:
        """Two faults in one story, chosen by the seed."""
        asyncio.run(self._run_pairs(kind, stories, fresh, random.Random(seed), number))

    async def _run_story(self, kind: Kind, story: Story, fresh: Fresh) -> None:
        with self._log(f"{kind}-{story.name}"):
            clean = await play(story, fresh(0), self.private_key)
        say(f"{kind} {story.name}: {len(clean.calls)} calls, {clean.commits} commits")
        self._note(f"{kind}/{story.name}", clean)
        for mode in Mode if story.is_thorough else ON_SQLITE_ALONE:
            last = clean.commits if mode is Mode.KILL_AFTER_COMMIT else len(clean.calls)
            await self._run_mode(
                f"{kind}/{story.name}", story, fresh, [Fault(mode, k) for k in range(1, last + 1)]
            )

    async def _run_mode(self, name: str, story: Story, fresh: Fresh, faults: Sequence[Fault]) -> None:
        faults = [fault for fault in faults if self._is_due(f"{name}/{fault}")]
        if not faults:
            return
        began = time.monotonic()
        at_once = AT_ONCE if faults[0].mode is Mode.HANG else 1
        places: asyncio.Queue[int] = asyncio.Queue()
        for place in range(at_once):
            places.put_nowait(place)

        async def run_point(fault: Fault) -> bool:
            place = await places.get()
            played = await play(story, fresh(place), self.private_key, (fault,))
            places.put_nowait(place)
            self._note(f"{name}/{fault}", played)
            return played.has_met_all

        with self._log(f"{name.replace('/', '-')}-{faults[0].mode}"):
            met = await asyncio.gather(*map(run_point, faults))
        self.points += sum(met)
        unmet = f", {len(met) - sum(met)} not met" if not all(met) else ""
        say(f"  {faults[0].mode}: {sum(met)} points{unmet}, {time.monotonic() - began:.0f} s")

    async def _run_pairs(
        self, kind: Kind, stories: Sequence[Story], fresh: Fresh, dice: random.Random, number: int
    ) -> None:
        cleans: dict[str, Played] = {}
        with self._log(f"{kind}-pairs"):
            for _ in range(number):
                story = dice.choice(stories)
                if story.name not in cleans:
                    cleans[story.name] = await play(story, fresh(0), self.private_key)
                faults = _pair(dice, cleans[story.name])
                played = await play(story, fresh(0), self.private_key, faults)
                self._note(f"{kind}/{story.name}/{faults[0]}+{faults[1]}", played)
                self.points += 1
        say(f"{kind}: {number} pairs of faults")

    def _note(self, name: str, played: Played) -> None:
        for sentence in played.broken:
            say(f"  WRONG {name}: {sentence}")
            self.broken.append(f"{name}: {sentence}")

    def _is_due(self, point: str) -> bool:
        if point == self.begins_at:
            self.begins_at = None
        return self.begins_at is None

    @contextmanager
    def _log(self, name: str) -> Iterator[None]:
        """Stanch's own log goes to a file of this name."""
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        set_up_logging("info", "text")
        with (self.directory / f"{name}.log").open("w", encoding="utf-8") as file:
            [handler] = root.handlers
            assert isinstance(handler, logging.StreamHandler)
            handler.setStream(file)
            try:
                yield
            finally:
                root.handlers[:] = handlers
                root.setLevel(level)


def _pair(dice: random.Random, clean: Played) -> list[Fault]:
    """One fault that lets the process live, and any other; none hangs, since that takes ten seconds."""
    first = Fault(dice.choice((Mode.BEFORE, Mode.AFTER)), dice.randint(1, len(clean.calls)))
    mode = dice.choice([mode for mode in Mode if mode is not Mode.HANG])
    last = clean.commits if mode is Mode.KILL_AFTER_COMMIT else len(clean.calls)
    return [first, Fault(mode, dice.randint(1, last))]


def chosen(names: Sequence[str]) -> list[Story]:
    """The stories of these names, or all."""
    return [story for name, story in STORIES.items() if not names or name in names]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
