"""`stanch jobs`: lists stored jobs and retries parked ones."""

from typing import Annotated

import typer

from bot.cli.console import remark, run, say
from bot.database import open_database
from bot.errors import StartRefused
from bot.settings import StorageSettings, load_settings
from storage import jobs
from storage.db import Database
from storage.records import Job, JobId, JobState

group = typer.Typer(no_args_is_help=True, help="Stored jobs: waiting, running and parked ones.")
LARGEST_ID = 2**63 - 1


@group.command("list")
def print_jobs() -> None:
    """List parked, running and waiting jobs: id, state, kind, attempts, reason."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            found = await list_jobs(db)
        for job in found:
            say(f"{job.id}\t{job.state}\t{job.kind}\t{job.attempts}\t{job.error or ''}")
        if not found:
            remark("No job waits, runs or is parked.")

    run(work(load_settings(StorageSettings)))


@group.command("retry")
def retry_jobs(
    job_id: Annotated[int | None, typer.Argument(metavar="ID", min=1, max=LARGEST_ID)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every parked job.")] = False,
) -> None:
    """Run a parked job again, or all of them."""
    if every == (job_id is not None):
        raise typer.BadParameter("give one job's ID or --all")

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            if job_id is None:
                say(f"{await _retry_all(db)} jobs run again.")
            else:
                await _retry(db, job_id)
                say(f"Job {job_id} runs again.")

    run(work(load_settings(StorageSettings)))


async def list_jobs(db: Database) -> list[Job]:
    """The jobs that wait, run or are parked, without the finished ones."""
    async with db.read() as tx:
        return await jobs.list_jobs(tx, states=(JobState.PARKED, JobState.RUNNING, JobState.READY))


async def _retry(db: Database, job_id: int) -> None:
    async with db.begin() as tx:
        if not await jobs.retry(tx, JobId(job_id)):
            raise StartRefused(f"No parked job has the id {job_id}; stanch jobs list shows them.")


async def _retry_all(db: Database) -> int:
    async with db.begin() as tx:
        return await jobs.retry_all(tx)
