"""Plays a story with faults at given points, and checks what is left of them at the end.

A process that dies is played in this process: from its death on, it reaches neither its database nor Slack nor
GitHub, nobody reaches it, and a second Stanch with nothing but the database starts in its place. The long run and
`tests/processes` kill real processes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import CoroutineType

import aiohttp

from bot import app
from bot.jobs.worker import LEASE
from bot.options import Options
from integrations.sandbox.github import GitHubChange
from integrations.sandbox.slack import ImpossibleGesture
from storage import job_queue
from storage.clock import Clock
from tests.chaos.faults import Calls, Fault, FaultAtCall, Mode, NoCallsOfTheDead
from tests.chaos.outcomes import PEOPLE, broken_promises
from tests.chaos.stories import Story
from tests.engines import kept_engines
from tests.flows.dying import Dead, dying
from tests.flows.stage import PING, Stage, open_stage

TRIES = 4
"""How often a person tries again what has not come to its end."""
SETTLED_WITHIN = 1500.0
"""Seconds by the test's clock: outages are retried for minutes, a report is followed up for 15."""
MOST_ATTEMPTS = 12
NOWHERE = "http://127.0.0.1:9"
"""Nothing listens on this port."""
BOT = "stanch[bot]"
BOT_FILES = str(Path(app.__file__).parent)


@dataclass(slots=True)
class Played:
    """What happened when a story was played."""

    calls: list[str]
    """Each call of Slack and GitHub, in order."""
    commits: int
    """Commits of changes."""
    broken: list[str] = field(default_factory=list)
    """Sentences; empty if every promise was kept."""
    has_met_all: bool = True
    """Whether every fault was met."""


async def play(story: Story, database_url: str, private_key: str, faults: Sequence[Fault] = ()) -> Played:
    """Play a story on an empty database; with at most one fault that kills."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(
            open_stage(database_url, Clock(), private_key, threads=True, **story.settings)
        )
        await story.prepare(stage)
        changes: list[GitHubChange] = []
        stage.github.watch(lambda change: changes.append(change) if change.by == BOT else None)
        before = len(stage.slack.deliveries)
        played = await _play_with_faults(stack, stage, story, faults)
        for _ in range(TRIES):
            if await story.is_done(stage):
                break
            await _try(story, stage)
            await stage.work(within=SETTLED_WITHIN)
        played.broken = await broken_promises(stage, story, changes, stage.slack.deliveries[before:])
        return played


async def _play_with_faults(
    stack: AsyncExitStack, stage: Stage, story: Story, faults: Sequence[Fault]
) -> Played:
    """The first try, with the faults; returns when they have ended and all work is done."""
    calls = Calls()
    last = next((fault.k for fault in faults if fault.mode is Mode.KILL_AFTER_COMMIT), None)
    with dying(last, lambda: _cut_off(stage)) as life:
        at_calls = [
            FaultAtCall(calls, fault, life.end if fault.mode.kills else lambda: None)
            for fault in faults
            if fault.mode is not Mode.KILL_AFTER_COMMIT
        ]
        rules = [NoCallsOfTheDead(lambda: life.is_over), calls, *at_calls]
        for stand_in in (stage.slack, stage.github):
            stand_in.faults.rules.extend(rules)
        with suppress(Dead):
            await _try(story, stage)
            await stage.work(within=SETTLED_WITHIN)
        if life.is_over:
            await _end_tasks()
    for stand_in in (stage.slack, stage.github):
        stand_in.faults.clear()
    is_dead = life.is_over
    met = all(rule.hits for rule in at_calls) and (last is None or is_dead)
    if is_dead:
        await stack.enter_async_context(_next_process(stage, story))
        await stage.work(within=SETTLED_WITHIN)
    return Played(calls.names, life.commits, has_met_all=met)


async def _try(story: Story, stage: Stage) -> None:
    """What a person does, who closes an earlier form first.

    A control or form that is not there, or a page that the killed process does not answer, ends the try.
    """
    for user in PEOPLE:
        if (left := stage.slack.view(user)) is not None:
            await stage.slack.close_view(user, left.id, whole_stack=True)
    with suppress(AssertionError, ImpossibleGesture, aiohttp.ServerDisconnectedError):
        await story.play(stage)


def _cut_off(stage: Stage) -> None:
    """Nobody reaches a dead process."""
    stage.slack.events_url = f"{NOWHERE}/slack/events"
    if stage.github.webhook_url is not None:
        stage.github.webhook_url = f"{NOWHERE}/github/webhooks"


async def _end_tasks() -> None:
    """Wait for the tasks of the dead process, which end at their next call or statement."""
    coroutines = ((task, task.get_coro()) for task in asyncio.all_tasks())
    ours = [
        task
        for task, one in coroutines
        if isinstance(one, CoroutineType) and BOT_FILES in one.cr_code.co_filename
    ]
    await asyncio.gather(*ours, return_exceptions=True)


@asynccontextmanager
async def _next_process(stage: Stage, story: Story) -> AsyncIterator[None]:
    """Stanch again, on the database of the dead one."""
    stage.clock.advance(LEASE + 1)
    url = stage.settings.database_url
    async with kept_engines(url) as engines:
        started = app.run(
            stage.settings, Options(), clock=stage.clock, runs_jobs=False, socket_ping=PING, engines=engines
        )
        async with started as running:
            stage.running = running
            # On PostgreSQL the worker does this every few seconds; jobs are run by `Stage.work` here.
            await job_queue.recover(running.context.db, max_attempts=MOST_ATTEMPTS)
            stage.slack.events_url = stage.address("/slack/events")
            if stage.github.webhook_url is not None:
                stage.github.webhook_url = stage.address("/github/webhooks")
            yield
