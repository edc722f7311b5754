"""Opens the database of the settings, and names the saved value of the workspace."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.audit_stream import AuditStream
from bot.errors import StartRefused
from bot.settings import StorageSettings
from storage import move
from storage.clock import Clock
from storage.db import Database
from storage.engines import Engines
from storage.records import AuditRow

log = structlog.get_logger(__name__)
SLACK_TEAM = "slack_team"
"""The saved value in which `serve` keeps the workspace, for commands that don't ask Slack."""
SET_UP_AT = "set_up_at"
"""The saved value with the time at which `stanch setup` linked the first person."""


def build_database(settings: StorageSettings, clock: Clock, engines: Engines | None = None) -> Database:
    """The database of the settings, not opened yet. `engines` are used instead of new ones."""
    key = settings.stanch_audit_key
    audit_key = key.get_secret_value().encode() if key else None
    stream = AuditStream(settings.stanch_audit_stream) if settings.stanch_audit_stream else None

    def on_audit(rows: Sequence[AuditRow]) -> None:
        # With the head, `stanch audit verify --head` finds out whether rows at the end were removed.
        log.info("audited", seq=rows[-1].seq, head=rows[-1].hash)
        if stream is not None:
            stream.write(rows)

    return Database(
        settings.database_url, clock=clock, audit_key=audit_key, on_audit=on_audit, engines=engines
    )


async def refuse_unfinished_move(db: Database) -> None:
    """Raise StartRefused if a move into this database has begun and not ended: it lacks the rows of the other one."""
    async with db.read() as tx:
        source = await move.unfinished(tx)
    if source is not None:
        raise StartRefused(
            f"The move from {source} to the database at {db.name} has not ended: run stanch migrate --to-new again, "
            "or set DATABASE_URL to another database."
        )


@asynccontextmanager
async def open_database(settings: StorageSettings) -> AsyncIterator[Database]:
    """The migrated database of the settings; raises StorageUnavailable, StartRefused."""
    db = build_database(settings, Clock())
    try:
        await db.migrate()
        await refuse_unfinished_move(db)
        yield db
    finally:
        await db.close()
