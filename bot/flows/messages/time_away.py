"""Recognises a restored database at the start, so that cards that it does not know are looked for before a post.

A backup by `stanch backup` says so itself. Any other one is recognised by its age: a worker stores every minute that
it runs. A server that was only stopped for a while looks the same, and then looks for cards that nobody has posted.
"""

from dataclasses import asdict

import structlog

from bot.context import Context, TimeAway
from bot.job_kinds import SyncAll
from bot.job_rows import new_job
from storage import audit, jobs, saved_values
from storage.backup import BACKED_UP
from storage.db import Tx
from storage.records import Alert, Message, MessagePurpose, UnixTime

log = structlog.get_logger(__name__)
RUNNING_AT = "running_at"
"""The saved value with the time at which a worker last noted that it runs."""
TIMES_AWAY = "times_away"
"""The saved value with the last times in which another copy of the database may have been in use."""
LONGEST_SILENCE = 150.0
"""Seconds between two such notes in normal operation, which come every minute."""
KEPT = 20
"""How many times away are kept, for `stanch audit verify`."""
USED_FOR = 3 * 86400.0
"""Seconds for which cards are looked for: the syncs of that time bring what is missing."""
LEEWAY = 60.0
"""Seconds by which the clocks of GitHub and Stanch may differ."""


async def note_start(context: Context) -> None:
    """Store that a worker starts, and since when this database was not in use; then request a sync."""
    async with context.db.begin() as tx:
        known = await times_away(tx)
        since, is_backup = await _out_of_use_since(tx)
        if since is not None:
            new = TimeAway(since, tx.now, await audit.last_number(tx), is_backup)
            known = [*known, new][-KEPT:]
            await saved_values.save(tx, TIMES_AWAY, [asdict(one) for one in known])
            await saved_values.drop(tx, BACKED_UP)
            # The start's own request of a sync is left out if this copy already holds one of that moment.
            await jobs.enqueue(tx, new_job(SyncAll()))
            log.warning("database_was_away", since=since, until=tx.now, is_backup=is_backup)
        await _save_running(tx)
    context.times_away[:] = known


async def note_running(context: Context) -> None:
    """Store that a worker runs."""
    async with context.db.begin() as tx:
        await _save_running(tx)


async def times_away(tx: Tx) -> list[TimeAway]:
    """The last times in which another copy of this database may have been in use, oldest first."""
    stored = await saved_values.load(tx, TIMES_AWAY)
    return [TimeAway(**one) for one in stored if isinstance(one, dict)] if isinstance(stored, list) else []


def may_be_posted(context: Context, message: Message, alert: Alert | None) -> TimeAway | None:
    """The time away in which another copy may have posted this message; None if it can't have been posted.

    That is possible for all messages that were planned before its end, and for all cards of alerts from before it.
    """
    now = context.clock.now()
    times = [away for away in context.times_away if now - away.until < USED_FOR]
    if message.ts is not None or not times:
        return None
    whole = TimeAway(times[0].since, times[-1].until, times[0].rows, times[0].is_backup)
    if message.slot_at is not None and message.slot_at >= whole.until:
        return None  # It was looked for before it got its slot.
    is_older = message.created_at < whole.until
    if message.purpose is MessagePurpose.CARD and alert is not None:
        is_older = is_older or alert.created_at < whole.until + LEEWAY
    return whole if is_older else None


async def _out_of_use_since(tx: Tx) -> tuple[UnixTime | None, bool]:
    backed_up = await saved_values.load(tx, BACKED_UP)
    if isinstance(backed_up, int | float):
        return float(backed_up), True
    running = await saved_values.load(tx, RUNNING_AT)
    is_old = isinstance(running, int | float) and tx.now - running > LONGEST_SILENCE
    return (float(running), False) if is_old and isinstance(running, int | float) else (None, False)


async def _save_running(tx: Tx) -> None:
    await saved_values.save(tx, RUNNING_AT, tx.now)
