"""The worker: claims jobs, runs their handlers, and records how they ended."""

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
from bot.flows.private_answers import answer_to_waiting
from bot.job_kind import JobKind
from bot.job_kinds import KINDS
from bot.job_rows import new_job, read_job
from bot.views.answers import refusal
from bot.views.refusals import internal_error, outdated_control
from integrations.github.errors import GitHubRateLimited, Unavailable, Unreachable
from storage import job_queue, jobs, leases
from storage.batch_writer import Burst
from storage.db import StaleStatement, StatementRefused, StorageUnavailable
from storage.job_listener import listening
from storage.leases import LeaseLost
from storage.priorities import (
    CONCURRENCY,
    CONCURRENCY_IN_A_BURST,
    Priority,
)
from storage.records import TRACE, Done, Job, JobId, Parked, Retry, RunResult

log = structlog.get_logger(__name__)
SIMULTANEOUS = 24
"""The most jobs of one process that run at once."""
SIMULTANEOUS_IN_A_BURST = 10
"""The same in a long burst of incoming requests: cards must not wait for its end. In a short one no job starts."""
BURST_CHECK = 0.1
"""Seconds between two checks whether the burst is over."""
LEASE = 15.0
"""Seconds after which another worker may take over the job of a worker that does not renew its lease."""
RENEW_EVERY = 5.0
"""Seconds between two renewals of our leases; expired leases of others are recovered at the same time."""
IDLE = 5.0
"""Seconds between two queries for due jobs when nothing wakes the worker."""
LONGEST_WAIT = 600.0
"""The most seconds between two tries of a job."""
SHORTEST_OUTAGE = 5.0
"""The fewest seconds until a job is tried again whose server is down."""
STOP_WITHIN = 4.0
"""Seconds, of the ten for the whole stop, to wait for running jobs."""
Kind = TypeVar("Kind", bound=JobKind)


@dataclass(frozen=True, slots=True)
class Handler(Generic[Kind]):
    """Runs the jobs of one kind. `gave_up` tells the person who waits that the job failed for good."""

    kind: type[Kind]
    run: Callable[[Context, Kind, Job], Awaitable[object]]
    gave_up: Callable[[Context, Kind, Job, Refused], Awaitable[None]] | None = None


class Worker:
    """One per process. A handler may run more than once for a job, so its effects are idempotent."""

    def __init__(self, context: Context, handlers: Mapping[type[JobKind], Handler[Any]]) -> None:
        self._context = context
        self._handlers = handlers
        self._running: dict[JobId, tuple[Priority, asyncio.Task[None]]] = {}
        self._ended: list[RunResult] = []
        self._is_stopping = False
        self._leases_renewed_at = -RENEW_EVERY
        self._wake = context.db.job_wake
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    async def run(self) -> None:
        """Work until `stop`; while the database fails it keeps trying."""
        async with listening(self._context.db):
            while not self._is_stopping:
                try:
                    if not await self._start_due():
                        await self._rest()
                except StorageUnavailable as error:
                    log.error("worker_waits", reason=str(error))
                    await self._context.clock.sleep(1.0)
                except Exception as error:
                    # If this loop ended, the server would store jobs and run none.
                    log.error("worker_stumbled", exc_info=error)
                    await self._context.clock.sleep(1.0)
            await self._finish()

    def stop(self) -> None:
        """Claim no more jobs; running ones may finish."""
        self._is_stopping = True
        self._wake.set()

    async def take_over(self) -> None:
        """At the start: on SQLite, which one process uses, jobs of the former process become ready at once."""
        if self._context.db.dialect == "sqlite":
            await job_queue.take_over(self._context.db, max_attempts=self._most_attempts)

    async def run_due(self) -> int:
        """Run all jobs that are due, also those that they enqueue; returns how many ran."""
        count = 0
        while ran := await self.run_some():
            count += ran
        return count

    async def run_some(self) -> int:
        """Run jobs that are due, each priority's within its places; returns how many ran."""
        claimed = await job_queue.claim(self._context.db, self.name, SIMULTANEOUS, LEASE, CONCURRENCY)
        await asyncio.gather(*(self._work(job) for job in claimed))
        await self._settle()
        return len(claimed)

    @property
    def _most_attempts(self) -> int:
        return max(kind.attempts for kind in self._handlers)

    @property
    def _limit(self) -> int:
        """How many jobs may run at once now."""
        burst = self._context.batch_writer.burst
        if burst is Burst.NONE:
            return SIMULTANEOUS
        return SIMULTANEOUS_IN_A_BURST if burst is Burst.LONG else 0

    async def _start_due(self) -> bool:
        """Record ended jobs and start due ones; True if more may be due already."""
        self._wake.clear()
        await self._settle()
        await self._renew_leases()
        free = self._limit - len(self._running)
        if free <= 0:
            return False
        claimed = await job_queue.claim(self._context.db, self.name, free, LEASE, self._free_places)
        for job in claimed:
            self._running[job.id] = Priority(job.priority), asyncio.create_task(self._work(job))
        return bool(claimed) and len(claimed) == free

    @property
    def _free_places(self) -> dict[Priority, int]:
        """How many jobs of each priority may start now."""
        taken = Counter(priority for priority, _ in self._running.values())
        in_burst = self._context.batch_writer.burst is not Burst.NONE
        places = CONCURRENCY_IN_A_BURST if in_burst else CONCURRENCY
        free = {priority: number - taken[priority] for priority, number in places.items()}
        if in_burst and (taken[Priority.URGENT] or taken[Priority.INTAKE]):
            # Many deliveries of a flood are worked in one transaction, and these would wait for it.
            free[Priority.FLOOD] = 0
        return free

    async def _rest(self) -> None:
        # Before the query: a burst that ends meanwhile frees places, and nobody would look for a job that can start.
        in_burst = self._context.batch_writer.burst is not Burst.NONE
        startable = [priority for priority, places in self._free_places.items() if places > 0]
        due = await job_queue.next_due(self._context.db, startable)
        now = self._context.clock.now()
        wait = min(IDLE, max(0.0, self._leases_renewed_at + RENEW_EVERY - self._context.clock.monotonic()))
        if due is not None and len(self._running) < self._limit:
            wait = min(wait, max(0.0, due - now))
        elif in_burst:
            wait = BURST_CHECK
        await self._context.clock.wait_for(self._wake.wait(), wait)

    async def _renew_leases(self) -> None:
        now = self._context.clock.monotonic()
        if now - self._leases_renewed_at < RENEW_EVERY:
            return
        self._leases_renewed_at = now
        if self._running:
            await job_queue.renew(self._context.db, self.name, list(self._running), LEASE)
        await job_queue.recover(self._context.db, max_attempts=self._most_attempts)

    async def _finish(self) -> None:
        """Wait for running jobs; those that take too long are cancelled and released to the next worker."""
        running = [task for _, task in self._running.values()]
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
            # Try again later: otherwise finished jobs would run a second time.
            self._ended[:0] = ended
            raise

    async def _work(self, job: Job) -> None:
        """Run one job. This is the one error place of jobs."""
        structlog.contextvars.bind_contextvars(job_id=job.id, job=job.kind)
        TRACE.set(job.trace or f"job-{job.id}")
        try:
            await self._run(job)
        except LeaseLost as lost:
            # Another worker has the job; this run's transaction was rolled back.
            log.warning("lease_lost", reason=str(lost))
        except RetryLater as later:
            self._wait(job, later.at, later, holds=later.holds)
        except GitHubRateLimited as limited:
            self._wait(job, limited.retry_at, limited)
        except StaleStatement as stale:
            self._wait(job, self._context.clock.now(), stale)
        except (Unreachable, Unavailable) as down:
            # An outage costs no attempt: it may last longer than any number of tries.
            self._wait(job, self._after_outage(job), down)
        except StatementRefused as error:
            await self._failed(job, error)
        except StorageUnavailable as down:
            log.warning("job_waits", reason=str(down))
            self._wait(job, self._after_outage(job), down)
        except Exception as error:  # noqa: BLE001 - the worker's one error place; the log has the traceback.
            await self._failed(job, error)
        finally:
            self._running.pop(job.id, None)
            self._context.db.finished_jobs.discard(job.id)
            self._wake.set()

    async def _run(self, job: Job) -> None:
        try:
            todo = read_job(job)
            await self._handlers[type(todo)].run(self._context, todo, job)
        except UnusableJob as unusable:
            # Another try would fail too, so the person who waits is told at once.
            log.error("job_unusable", reason=str(unusable))
            answer = answer_to_waiting(job.payload, refusal(outdated_control()))
            async with self._context.db.begin() as tx:
                await leases.park(tx, job, str(unusable))
                if answer is not None:
                    await jobs.enqueue(tx, new_job(answer))
            self._count(job, "parked")
        else:
            if job.id not in self._context.db.finished_jobs:
                self._ended.append(Done(job))
            self._count(job, "done")

    def _wait(self, job: Job, at: float, reason: Exception, **how: bool) -> None:
        self._ended.append(Retry(job, at, str(reason), counts=False, **how))
        self._count(job, "later")

    def _after_outage(self, job: Job) -> float:
        """When to try again while a server is down: the older the job, the longer the wait."""
        now = self._context.clock.now()
        return now + min(LONGEST_WAIT, max(SHORTEST_OUTAGE, (now - job.created_at) / 4))

    async def _failed(self, job: Job, error: Exception) -> None:
        """Schedule the next try, or park the job and tell the person who waits."""
        incident = secrets.token_hex(4)
        reason = f"{type(error).__name__} ({incident})"
        log.error("job_failed", incident=incident, attempt=job.attempts, exc_info=error)
        kind = KINDS.get(job.kind, JobKind)
        if job.attempts < kind.attempts:
            wait = min(LONGEST_WAIT, 2.0**job.attempts)
            self._ended.append(Retry(job, self._context.clock.now() + wait, reason))
            self._count(job, "retried")
            return
        self._ended.append(Parked(job, reason))
        self._count(job, "parked")
        handler = self._handlers.get(kind)
        if handler is not None and handler.gave_up is not None:
            try:
                await handler.gave_up(self._context, read_job(job), job, internal_error(incident))
            except Exception as second:
                # The job stays parked even if the person could not be told.
                log.error("not_told", incident=incident, exc_info=second)

    def _count(self, job: Job, outcome: str) -> None:
        self._context.metrics.jobs_finished.labels(job.kind, outcome).inc()
