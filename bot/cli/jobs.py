"""`stanch jobs`: durable work, and what was given up."""

from bot.errors import StartRefused
from storage import jobs
from storage.db import Database
from storage.records import Job, JobId, JobState


async def list_jobs(db: Database) -> list[Job]:
    """What waits, runs or is parked; done jobs are left out."""
    async with db.read() as tx:
        return await jobs.list_jobs(tx, states=(JobState.PARKED, JobState.RUNNING, JobState.READY))


async def retry_job(db: Database, job_id: int) -> None:
    async with db.begin() as tx:
        if not await jobs.retry(tx, JobId(job_id)):
            raise StartRefused(f"No parked job has the id {job_id}; stanch jobs list shows them.")


async def retry_all_jobs(db: Database) -> int:
    async with db.begin() as tx:
        return await jobs.retry_all(tx)
