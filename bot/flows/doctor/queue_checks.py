"""Checks the queue of jobs, and the messages that wait for their channels."""

from collections import Counter

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, ok, warning
from storage import job_queue, jobs, messages
from storage.db import StorageUnavailable
from storage.records import JobState

LONG = 300.0
"""Seconds that a job may wait although it could run: with a running worker it is started within a second."""
DAY = 86400.0
MOST_NAMED = 1000


async def check_queue(examined: Examined, stored: StoredFacts) -> list[CheckResult]:
    """Parked jobs, jobs that nobody works, blocked and uncertain messages."""
    db = examined.db
    if db is None or not stored.is_known:
        return []
    try:
        async with db.read() as tx:
            counts = await jobs.count(tx)
            parked = await jobs.list_jobs(tx, states=(JobState.PARKED,), limit=MOST_NAMED)
            blocked = await messages.blocked(tx)
            uncertain = await messages.count_uncertain(tx, tx.now - DAY)
        due = await job_queue.next_due(db)
    except StorageUnavailable:
        return []  # A finding of the database.
    found = []
    if counts[JobState.PARKED]:
        kinds = Counter(job.kind for job in parked)
        listed = [f"{kind} ({number})" for kind, number in kinds.most_common()]
        found.append(warning("queue.parked", names=listed, number=counts[JobState.PARKED]))
    late = 0.0 if due is None else examined.clock.now() - due
    if late > LONG:
        found.append(warning("queue.waiting", number=counts[JobState.READY], minutes=int(late // 60)))
    if blocked:
        channels = sorted({message.channel for message in blocked})
        found.append(warning("queue.blocked", names=channels, number=len(blocked)))
    if uncertain:
        found.append(warning("queue.uncertain", number=uncertain))
    return found or [ok("queue.ok", number=counts[JobState.READY] + counts[JobState.RUNNING])]
