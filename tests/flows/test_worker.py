"""The worker: how many jobs it runs at once, and when it holds back."""

import asyncio
import inspect
import re
from collections import Counter
from dataclasses import replace

import sqlalchemy as sa

from bot import job_kinds
from bot.app import AT_START
from bot.context import Context
from bot.flows.alerts.sync import request_sync
from bot.job_kind import JobKind
from bot.job_kinds import (
    KINDS,
    AnswerCommand,
    HandleDelivery,
    PublishMessage,
    RedrawCards,
    SyncInstallation,
)
from bot.job_rows import new_job
from bot.jobs.handlers import HANDLERS
from bot.jobs.housekeeping import DAY, run_housekeeping_once
from bot.jobs.worker import (
    LEASE,
    LONGEST_WAIT,
    RENEW_EVERY,
    Handler,
    Worker,
)
from bot.requests import CommandRequest
from integrations.github.errors import GitHubRateLimited
from storage import jobs, saved_values
from storage.clock import Clock
from storage.db import Database, StorageUnavailable
from storage.priorities import PRIORITIES
from storage.records import ChannelId, InstallationId, Job, JobState, MessageKey, SlackTeamId, SlackUserId
from storage.tables import job as job_table
from tests.flows.stage import ADMIN, CHANNEL, Stage

COMMAND = AnswerCommand(
    CommandRequest(
        user=SlackUserId("U1"), team=SlackTeamId("T1"), channel=ChannelId("C1"), text="list", at=0.0
    )
)


async def test_a_click_does_not_wait_for_syncs_and_deliveries(stage: Stage) -> None:
    started: asyncio.Queue[str] = asyncio.Queue()
    gate = asyncio.Event()

    async def hold(context: Context, todo: JobKind, job: Job) -> None:
        started.put_nowait(job.kind)
        await gate.wait()

    others = (SyncInstallation(InstallationId(1)), HandleDelivery("guid"), PublishMessage(MessageKey("key")))
    async with stage.context.db.begin() as tx:
        for other in others:
            await jobs.enqueue(tx, *(replace(new_job(other), key=None) for _ in range(60)))
        delivery = HandleDelivery("guid")
        for new in (new_job(delivery, urgent=True), new_job(delivery, in_flood=True)):
            await jobs.enqueue(tx, *(replace(new, key=None) for _ in range(60)))
    kinds = [type(other) for other in (*others, COMMAND)]
    worker = Worker(stage.context, {kind: Handler(kind, hold) for kind in kinds})
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        first = [await started.get() for _ in range(22)]
        assert first[:4] == ["delivery"] * 4, "urgent deliveries come first"
        assert first[4:8] == ["message"] * 4, "messages come before other deliveries"
        assert Counter(first) == {"message": 4, "delivery": 4 + 8 + 4, "sweep_installation": 2}
        async with stage.context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(COMMAND))
        assert await started.get() == "command", "while the other kinds use all their places"
        gate.set()
        worker.stop()
        await working


def test_every_kind_of_job_has_a_handler_and_a_priority() -> None:
    defined = {
        member
        for _, member in inspect.getmembers(job_kinds, inspect.isclass)
        if issubclass(member, JobKind) and member is not JobKind
    }
    assert HANDLERS.keys() == set(KINDS.values()) == defined
    assert PRIORITIES.keys() == KINDS.keys()
    assert {kind.kind: word for word, kind in KINDS.items()} == {word: word for word in KINDS}


async def test_leases_are_renewed_after_the_clock_was_set_back(stage: Stage) -> None:
    """Leases end by the clock of the PostgreSQL server, which was not set back."""
    started, gate = asyncio.Event(), asyncio.Event()

    async def hold(context: Context, todo: JobKind, job: Job) -> None:
        started.set()
        await gate.wait()

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(COMMAND))
    worker = Worker(stage.context, {AnswerCommand: Handler(AnswerCommand, hold)})
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        await started.wait()
        stage.clock.set_back(3600)
        for _ in range(4):
            stage.clock.advance(RENEW_EVERY + 0.1)
            await wake_twice(stage.context.db.job_wake)
        async with stage.context.db.read() as tx:
            lease_until = await tx.conn.scalar(
                sa.select(job_table.c.lease_until).where(job_table.c.kind == "command")
            )
        now = stage.clock.now() + (3600 if stage.context.db.dialect == "postgresql" else 0)
        assert lease_until is not None
        assert now < lease_until <= now + LEASE
        gate.set()
        worker.stop()
        await working


async def test_a_changed_table_costs_a_job_no_attempt(stage: Stage) -> None:
    """As during a migration: PostgreSQL refuses statements that were prepared before it."""
    runs: list[int] = []

    async def look(context: Context, todo: JobKind, job: Job) -> None:
        runs.append(job.attempts)
        async with context.db.read() as tx:
            await saved_values.load(tx, "anything")

    worker = Worker(stage.context, {RedrawCards: Handler(RedrawCards, look)})

    async def work_once() -> None:
        async with stage.context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(RedrawCards()))
        await worker.run_due()

    await work_once()
    if stage.context.db.dialect == "postgresql":
        await change_type(stage.settings.database_url, "mark", "value", "jsonb")
    await work_once()
    assert runs == ([1, 1, 1] if stage.context.db.dialect == "postgresql" else [1, 1])
    async with stage.context.db.read() as tx:
        assert (await jobs.count(tx))[JobState.PARKED] == 0


async def change_type(url: str, table: str, column: str, kind: str) -> None:
    """Change a column's type, as a migration of another process may do."""
    other = Database(url, clock=Clock())
    async with other.begin() as tx:
        await tx.conn.execute(sa.text(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}"))
    await other.close()


async def test_a_delivery_is_stored_after_a_table_changed(stage: Stage) -> None:
    await stage.leak(secret_type="stripe_api_key")
    if stage.context.db.dialect == "postgresql":
        await change_type(stage.settings.database_url, "delivery", "guid", "varchar(200)")
        await change_type(stage.settings.database_url, "job", "dedup", "varchar(200)")
    stage.github.leak(stage.repository, secret_type="stripe_api_key", path="b.py")
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == 2


async def test_housekeeping_goes_on_when_one_part_fails(stage: Stage) -> None:
    context = replace(stage.context, sync_interval=900)
    stage.clock.advance(900)
    async with context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(RedrawCards()))
        await tx.conn.execute(sa.text("ALTER TABLE message RENAME TO gone"))
        await tx.conn.execute(sa.update(job_table).values(state="done", finished_at=tx.now - 30 * DAY))
    await run_housekeeping_once(context)
    async with context.db.read() as tx:
        kinds = list(await tx.conn.scalars(sa.select(job_table.c.kind)))
    assert kinds == ["sweep"], (
        "a sync is requested and old jobs are deleted although the blocked messages could not be read"
    )


async def test_a_sync_at_the_start_counts_for_the_interval(stage: Stage) -> None:
    """Two at the same time would make more calls in a minute than GitHub allows."""
    context = replace(stage.context, sync_interval=900)

    async def requested() -> int:
        async with context.db.read() as tx:
            kinds = list(await tx.conn.scalars(sa.select(job_table.c.kind)))
        return kinds.count("sweep")

    stage.clock.advance(900)
    before = await requested()
    await request_sync(context, every=AT_START)
    await run_housekeeping_once(context)
    assert await requested() == before + 1
    for _ in range(9):
        stage.clock.advance(100)
        await run_housekeeping_once(context)
    assert await requested() == before + 2


async def wake_twice(wake: asyncio.Event) -> None:
    """Wake the worker twice: when it starts its second round, the first one is over."""
    for _ in range(2):
        wake.set()
        while wake.is_set():  # noqa: ASYNC110 - the worker clears it.
            await asyncio.sleep(0.01)


async def test_a_job_in_whose_middle_the_database_fails_uses_up_no_attempt(stage: Stage) -> None:
    async def fail(context: Context, todo: JobKind, job: Job) -> None:
        raise StorageUnavailable("The database failed: database or disk is full.")

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(COMMAND))
    worker = Worker(stage.context, {AnswerCommand: Handler(AnswerCommand, fail)})
    for _ in range(AnswerCommand.attempts + 1):
        assert await worker.run_due() == 1
        stage.clock.advance(DAY)
    async with stage.context.db.read() as tx:
        [left] = await jobs.list_jobs(tx, states=[JobState.READY])
    assert (left.attempts, left.error) == (0, "The database failed: database or disk is full.")


async def test_what_fails_at_each_attempt_is_parked_and_its_person_told(stage: Stage) -> None:
    async def fail(context: Context, todo: JobKind, job: Job) -> None:
        raise ZeroDivisionError("what only the log has")

    asked = replace(COMMAND.request, user=SlackUserId(ADMIN))
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(AnswerCommand(asked)))
    worker = Worker(
        stage.context, {AnswerCommand: Handler(AnswerCommand, fail, HANDLERS[AnswerCommand].gave_up)}
    )
    for _ in range(AnswerCommand.attempts):
        assert stage.slack.private_messages(ADMIN) == []
        assert await worker.run_due() == 1
        stage.clock.advance(LONGEST_WAIT)
    async with stage.context.db.read() as tx:
        [parked] = await jobs.list_jobs(tx, states=[JobState.PARKED])
    named = re.fullmatch(r"ZeroDivisionError \((\w{8})\)", parked.error or "")
    assert named is not None
    answer = stage.answer_to(ADMIN)
    assert "Something went wrong in Stanch." in answer
    assert named[1] in answer, "so that an operator finds it in the log"


async def test_what_fails_is_parked_though_its_person_can_t_be_told(stage: Stage) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(COMMAND))
    worker = Worker(stage.context, {AnswerCommand: Handler(AnswerCommand, fail, fail)})
    for _ in range(AnswerCommand.attempts):
        await worker.run_due()
        stage.clock.advance(LONGEST_WAIT)
    async with stage.context.db.read() as tx:
        assert (await jobs.count(tx))[JobState.PARKED] == 1


async def test_a_job_that_waits_for_githubs_limit_uses_up_no_attempt(stage: Stage) -> None:
    async def wait(context: Context, todo: JobKind, job: Job) -> None:
        raise GitHubRateLimited("GET /user", retry_at=context.clock.now() + 600)

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(COMMAND))
    worker = Worker(stage.context, {AnswerCommand: Handler(AnswerCommand, wait)})
    assert await worker.run_due() == 1
    stage.clock.advance(599)
    assert await worker.run_due() == 0
    stage.clock.advance(1)
    assert await worker.run_due() == 1
    async with stage.context.db.read() as tx:
        [left] = await jobs.list_jobs(tx, states=[JobState.READY])
    assert left.attempts == 0
