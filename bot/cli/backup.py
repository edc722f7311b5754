"""`stanch backup FILE`: copies the database into a file while the server runs."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import say
from bot.database import build_database
from bot.errors import StartRefused
from bot.settings import StorageSettings, load_settings
from storage.backup import BackupFailed, back_up, dump_command
from storage.clock import Clock


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file; it must not exist.")],
) -> None:
    """Copy the database into a new file, also while the server runs."""
    settings, clock = load_settings(StorageSettings), Clock()
    # Not migrated: a backup before an upgrade has to stay usable by the version before.
    db = build_database(settings, clock)
    if db.path is None:
        command = dump_command(settings.database_url, file)
        raise StartRefused(f"PostgreSQL makes its own backups, restored by pg_restore: {command}")
    if not db.path.is_file():
        raise StartRefused(f"There is no database at {db.name} yet.")
    try:
        back_up(db.path, file, clock.now())
    except BackupFailed as error:
        raise StartRefused(str(error)) from None
    say(f"The database at {db.name} is backed up to {file}.")
