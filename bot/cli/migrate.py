"""`stanch migrate`: brings the database to this version's schema, or moves everything into another database."""

import asyncio
from typing import Annotated

import typer

from bot.cli.console import remark, say
from bot.database import build_database, open_database
from bot.errors import StartRefused
from bot.settings import StorageSettings, load_settings
from storage.clock import Clock
from storage.db import Database
from storage.migrations import HEAD, VERSIONS
from storage.move import MoveRefused, MoveResult, move
from storage.server_lock import only_server


def migrate(
    to_new: Annotated[
        bool, typer.Option("--to-new", help="Move everything into the empty database of DATABASE_URL_NEW.")
    ] = False,
) -> None:
    """Bring the database to this version's schema, and say from which version."""
    settings = load_settings(StorageSettings)
    if to_new:
        asyncio.run(_move(settings))
    else:
        say(asyncio.run(_migrate(build_database(settings, Clock()))))


async def _migrate(db: Database) -> str:
    try:
        before = await db.migrate()
    finally:
        await db.close()
    if before == HEAD:
        return f"The database at {db.name} is up to date, with the schema of version {VERSIONS[HEAD]}."
    former = "nothing" if before is None else f"the schema of version {VERSIONS.get(before, before)}"
    return f"The database at {db.name} was migrated from {former} to the schema of version {VERSIONS[HEAD]}."


async def _move(settings: StorageSettings) -> None:
    if settings.database_url_new is None:
        raise StartRefused("DATABASE_URL_NEW is not set: set it to the address of a new, empty database.")
    target = build_database(settings.model_copy(update={"database_url": settings.database_url_new}), Clock())
    old = build_database(settings, Clock())
    if await old.revision() is None:
        raise StartRefused(f"There is nothing to move: the database at {old.name} has no tables.")
    await old.close()
    try:
        async with open_database(settings) as source, only_server(source, wait=0, otherwise="stop it first"):
            moved = await move(source, target)
    except MoveRefused as error:
        raise StartRefused(str(error)) from None
    finally:
        await target.close()
    _report(moved, source.name, target.name)


def _report(moved: MoveResult, source: str, target: str) -> None:
    for table, rows in moved.rows.items():
        say(f"{table}\t{rows}")
    if moved.audit.ok:
        say(f"The audit log verifies there: {moved.audit.rows} rows; the head is {moved.audit.head}.")
    else:
        remark(f"The audit log does not verify, there as here: {moved.audit.problem}")
    say(
        f"Everything from {source} is now in {target}. Set DATABASE_URL to the value of DATABASE_URL_NEW, remove "
        "DATABASE_URL_NEW, and start. The former database is left as it is: nothing may use it any more."
    )
