"""`stanch jobs`: lists stored jobs and retries parked ones."""

from typing import Annotated

import typer

from bot.cli.console import change, read, remark, say
from bot.errors import StartRefused
from bot.views.formatting import counted
from storage import jobs
from storage.db import Tx
from storage.records import Job, JobId, JobState

group = typer.Typer(no_args_is_help=True, help="Stored jobs: waiting, running and parked ones.")
LARGEST_ID = 2**63 - 1


@group.command("list")
def print_jobs() -> None:
    """List parked, running and waiting jobs: id, state, kind, attempts, reason."""
    found = read(list_jobs)
    for job in found:
        say(f"{job.id}\t{job.state}\t{job.kind}\t{job.attempts}\t{job.error or ''}")
    if not found:
        remark("No job waits, runs or is parked.")


@group.command("retry")
def retry_jobs(
    job_id: Annotated[int | None, typer.Argument(metavar="ID", min=1, max=LARGEST_ID)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every parked job.")] = False,
) -> None:
    """Run a parked job again, or all of them."""
    if every == (job_id is not None):
        raise typer.BadParameter("give one job's ID or --all")
    if job_id is None:
        number = change(jobs.retry_all)
        say(f"{counted(number, 'job')} {'runs' if number == 1 else 'run'} again.")
    elif change(lambda tx: jobs.retry(tx, JobId(job_id))):
        say(f"Job {job_id} runs again.")
    else:
        raise StartRefused(f"No parked job has the id {job_id}; stanch jobs list shows them.")


async def list_jobs(tx: Tx) -> list[Job]:
    """The jobs that wait, run or are parked, without the finished ones."""
    return await jobs.list_jobs(tx, states=(JobState.PARKED, JobState.RUNNING, JobState.READY))
