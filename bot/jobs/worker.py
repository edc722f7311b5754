"""The worker: takes durable jobs, runs them, and settles how they ended."""

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from bot.context import Context
from bot.errors import Refused, RetryLater, UnusableJob
from bot.flows.private_answers import answer_job, find_recipient
from bot.job_kinds import JobKind
from bot.job_rows import read_job
from bot.views.answers import refusal
from bot.views.refusals import internal_error, outdated_control
from integrations.github.errors import GitHubRateLimited, Unavailable, Unreachable
from storage import job_queue, jobs, leases
from storage.db import StaleStatement, StorageUnavailable
from storage.job_listener import listening
from storage.leases import LeaseLost
from storage.priorities import CONCURRENCY, Priority, priority_of
from storage.records import Done, Job, JobId, Parked, Retry, RunResult

log = structlog.get_logger(__name__)
SIMULTANEOUS = 16
"""So many jobs of one process run at once."""
SIMULTANEOUS_IN_A_CROWD = 2
"""So many jobs run while many wait for the process to answer: whoever waits comes first."""
PATIENCE = 2.0
"""Seconds of such a crowd in which no job starts at all."""
LULL = 0.1
"""Seconds between two looks whether the crowd is gone."""
LEASE = 15.0
"""Seconds after which another worker takes over what a dead one left."""
KEEP_LEASES = 5.0
"""Seconds between two renewals of our own leases, and two looks for those of dead workers."""
IDLE = 5.0
"""Seconds between two looks when nothing wakes the worker."""
LONGEST_WAIT = 600.0
"""Seconds between two tries of a job at most."""
SHORTEST_OUTAGE = 5.0
"""Seconds until a server that is down is asked again at the earliest."""
STOP_WITHIN = 4.0
"""Seconds, of the ten for the whole stop, that it waits for jobs that run."""
Kind = TypeVar("Kind", bound=JobKind)


@dataclass(frozen=True, slots=True)
class Handler(Generic[Kind]):
    """What runs a kind of job, and what tells the person who waits for it when it is given up."""

    kind: type[Kind]
    run: Callable[[Context, Kind, Job], Awaitable[object]]
    gave_up: Callable[[Context, Kind, Job, Refused], Awaitable[None]] | None = None


class Worker:
    """One process's worker. Handlers run at least once: every effect of theirs is idempotent."""

    def __init__(self, context: Context, handlers: Mapping[type[JobKind], Handler[Any]]) -> None:
        self._context = context
        self._handlers = handlers
        self._running: dict[JobId, asyncio.Task[None]] = {}
        self._taken: dict[JobId, Priority] = {}
        """Which places the running jobs take."""
        self._ended: list[RunResult] = []
        self._stopping = False
        self._leases_kept_at = -KEEP_LEASES
        self._wake = context.db.job_wake
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    async def run(self) -> None:
        """Work until `stop`; a database that fails is waited for."""
        async with listening(self._context.db):
            while not self._stopping:
                try:
                    if not await self._turn():
                        await self._rest()
                except StorageUnavailable as error:
                    log.error("worker_waits", reason=str(error))
                    await self._context.clock.sleep(1.0)
                except Exception as error:
                    # Without its worker a server would take work and do none.
                    log.error("worker_stumbled", exc_info=error)
                    await self._context.clock.sleep(1.0)
            await self._finish()

    def stop(self) -> None:
        """Take no more jobs; those that run may end."""
        self._stopping = True
        self._wake.set()

    async def take_over(self) -> None:
        """At the start: on SQLite, which one process uses, whatever ran before is free at once."""
        if self._context.db.dialect == "sqlite":
            await job_queue.take_over(self._context.db, max_attempts=self._most_attempts)

    async def run_due(self) -> int:
        """Run all that is due now, and what follows from it at once, then return how many ran."""
        count = 0
        while claimed := await job_queue.claim(self._context.db, self.name, SIMULTANEOUS, LEASE, CONCURRENCY):
            count += len(claimed)
            await asyncio.gather(*(self._work(job) for job in claimed))
            await self._settle()
        return count

    @property
    def _most_attempts(self) -> int:
        return max(kind.attempts for kind in self._handlers)

    @property
    def _most(self) -> int:
        """How many jobs may run at once just now."""
        burst_seconds = self._context.batch_writer.burst_seconds
        if burst_seconds is None:
            return SIMULTANEOUS
        return 0 if burst_seconds < PATIENCE else SIMULTANEOUS_IN_A_CROWD

    async def _turn(self) -> bool:
        """Settle what has ended and start what is due; whether it is worth looking again at once."""
        self._wake.clear()
        await self._settle()
        await self._keep_leases()
        free = self._most - len(self._running)
        if free <= 0:
            return False
        claimed = await job_queue.claim(self._context.db, self.name, free, LEASE, self._places)
        for job in claimed:
            self._taken[job.id] = priority_of(job.kind)
            self._running[job.id] = asyncio.create_task(self._work(job))
        return bool(claimed) and len(claimed) == free

    @property
    def _places(self) -> dict[Priority, int]:
        """How many jobs of each priority may start now."""
        taken = Counter(self._taken.values())
        return {priority: places - taken[priority] for priority, places in CONCURRENCY.items()}

    async def _rest(self) -> None:
        startable = [priority for priority, places in self._places.items() if places > 0]
        due = await job_queue.next_due(self._context.db, startable)
        now = self._context.clock.now()
        wait = min(IDLE, max(0.0, self._leases_kept_at + KEEP_LEASES - self._context.clock.monotonic()))
        if due is not None and len(self._running) < self._most:
            wait = min(wait, max(0.0, due - now))
        elif self._context.batch_writer.burst_seconds is not None:
            wait = LULL
        sleeping = asyncio.create_task(self._context.clock.sleep(wait))
        woken = asyncio.create_task(self._wake.wait())
        await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sleeping, woken):
            task.cancel()

    async def _keep_leases(self) -> None:
        now = self._context.clock.monotonic()
        if now - self._leases_kept_at < KEEP_LEASES:
            return
        self._leases_kept_at = now
        if self._running:
            await job_queue.renew(self._context.db, self.name, list(self._running), LEASE)
        await job_queue.recover(self._context.db, max_attempts=self._most_attempts)

    async def _finish(self) -> None:
        """Let running jobs end; what does not end in time is given back to whoever works next."""
        running = list(self._running.values())
        if running:
            await asyncio.wait(running, timeout=STOP_WITHIN)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._settle()
        await job_queue.release(self._context.db, self.name)

    async def _settle(self) -> None:
        ended, self._ended = self._ended, []
        if not ended:
            return
        try:
            await job_queue.settle(self._context.db, ended)
        except StorageUnavailable:
            # What was done is not to be done again only because it could not be written down at once.
            self._ended[:0] = ended
            raise

    async def _work(self, job: Job) -> None:
        """Run one job. This is the one place where everything unexpected of a job ends."""
        structlog.contextvars.bind_contextvars(job_id=job.id, job=job.kind)
        try:
            await self._run(job)
        except LeaseLost as lost:
            # Another worker has the job: what this run would have recorded was rolled back.
            log.warning("lease_lost", reason=str(lost))
        except RetryLater as later:
            self._ended.append(Retry(job, later.at, later.reason, counts=False, holds=later.holds))
            self._count(job, "later")
        except GitHubRateLimited as limited:
            self._ended.append(Retry(job, limited.retry_at, str(limited), counts=False))
            self._count(job, "later")
        except StaleStatement as stale:
            self._ended.append(Retry(job, self._context.clock.now(), str(stale), counts=False))
            self._count(job, "later")
        except (Unreachable, Unavailable) as down:
            # An outage is no fault of the job, and may last longer than any number of tries.
            self._ended.append(Retry(job, self._after_outage(job), str(down), counts=False))
            self._count(job, "later")
        except Exception as error:  # noqa: BLE001 - the worker's one error place; the log has the traceback.
            await self._failed(job, error)
        finally:
            self._running.pop(job.id, None)
            self._taken.pop(job.id, None)
            self._context.db.finished_jobs.discard(job.id)
            self._wake.set()

    async def _run(self, job: Job) -> None:
        try:
            todo = read_job(job)
            await self._handlers[type(todo)].run(self._context, todo, job)
        except UnusableJob as unusable:
            # Tried again it would fail again; whoever waits for it hears so at once.
            log.error("job_unusable", reason=str(unusable))
            waits = find_recipient(job.payload)
            async with self._context.db.begin() as tx:
                await leases.park(tx, job, str(unusable))
                if waits is not None:
                    await jobs.enqueue(tx, answer_job(waits, refusal(outdated_control())))
            self._count(job, "parked")
        else:
            if job.id not in self._context.db.finished_jobs:
                self._ended.append(Done(job))
            self._count(job, "done")

    def _after_outage(self, job: Job) -> float:
        """When to ask a server again that is down: the longer it lasts, the rarer."""
        now = self._context.clock.now()
        return now + min(LONGEST_WAIT, max(SHORTEST_OUTAGE, (now - job.created_at) / 4))

    async def _failed(self, job: Job, error: Exception) -> None:
        """Try again later, or give up and say so."""
        incident = secrets.token_hex(4)
        reason = f"{type(error).__name__} ({incident})"
        log.error("job_failed", incident=incident, attempt=job.attempts, exc_info=error)
        todo = read_job(job)
        handler = self._handlers[type(todo)]
        if job.attempts < handler.kind.attempts:
            wait = min(LONGEST_WAIT, 2.0**job.attempts)
            self._ended.append(Retry(job, self._context.clock.now() + wait, reason))
            self._count(job, "retried")
            return
        self._ended.append(Parked(job, reason))
        self._count(job, "parked")
        if handler.gave_up is not None:
            try:
                await handler.gave_up(self._context, todo, job, internal_error(incident))
            except Exception as second:
                # The same error place once more: the job stays parked, whether its person heard of it or not.
                log.error("not_told", incident=incident, exc_info=second)

    def _count(self, job: Job, outcome: str) -> None:
        self._context.metrics.jobs_finished.labels(job.kind, outcome).inc()
