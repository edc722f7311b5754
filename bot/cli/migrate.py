"""`stanch migrate`: brings the database to this version's schema."""

import asyncio

from bot.cli.console import say
from bot.database import build_database
from bot.settings import StorageSettings, load_settings
from storage.clock import Clock
from storage.db import Database
from storage.migrations import HEAD, VERSIONS


def migrate() -> None:
    """Bring the database to this version's schema, and say from which version."""
    say(asyncio.run(_migrate(build_database(load_settings(StorageSettings), Clock()))))


async def _migrate(db: Database) -> str:
    try:
        before = await db.migrate()
    finally:
        await db.close()
    if before == HEAD:
        return f"The database at {db.name} is up to date, with the schema of version {VERSIONS[HEAD]}."
    former = "nothing" if before is None else f"the schema of version {VERSIONS.get(before, before)}"
    return f"The database at {db.name} was migrated from {former} to the schema of version {VERSIONS[HEAD]}."
