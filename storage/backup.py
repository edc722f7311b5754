"""Copies a SQLite database into a file while it is in use, and names PostgreSQL's own command for that."""

import json
import os
import secrets
import shlex
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from storage.database_url import LIBPQ

BACKED_UP = "backed_up_at"
"""The saved value of a backup with the time when it was made; the database itself never has it."""
_SECRET = frozenset({"sslpassword"})


class BackupFailed(Exception):
    """There is no backup; `str()` is one sentence that says why."""


def back_up(source: Path, target: Path, now: float) -> None:
    """Copy a SQLite file in the state of one moment. Raises BackupFailed.

    The copy is readable by its owner alone, and appears under its name when it is complete. An existing file is
    never overwritten.
    """
    if target.exists() or target.is_symlink():
        raise BackupFailed(f"{target} exists already, and a backup overwrites nothing: name another file.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(source, partial, now)
            _publish(partial, target)
        finally:
            with suppress(OSError):
                partial.unlink()
    except FileExistsError:
        raise BackupFailed(f"{target} was made by somebody else meanwhile: name another file.") from None
    except OSError as error:
        raise BackupFailed(f"{target} can't be written: {error.strerror or error}.") from None
    except sqlite3.Error as error:
        raise BackupFailed(f"The database at {source} can't be copied: {error}.") from None


def _copy(source: Path, partial: Path, now: float) -> None:
    # `mode=rw` makes no new database where there is none.
    with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as connection:
        # SQLite's docs, "VACUUM": INTO takes an empty file, and copies what one read transaction sees.
        connection.execute("VACUUM INTO ?", (str(partial),))
    with closing(sqlite3.connect(partial)) as copy, copy:
        copy.execute("INSERT OR REPLACE INTO mark (key, value) VALUES (?, ?)", (BACKED_UP, json.dumps(now)))
        [(result,)] = copy.execute("PRAGMA quick_check(1)").fetchall()
    if result != "ok":
        raise BackupFailed(f"The database at {source} is damaged: {result}.")


def _publish(partial: Path, target: Path) -> None:
    """Give the file its name, unless the name is taken."""
    _sync(partial)
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:
        # The file system has no hard links.
        if target.exists():
            raise FileExistsError from None
        partial.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def dump_command(url: str, target: Path) -> str:
    """The command of PostgreSQL that backs up the database of this URL. It has no password: pg_dump asks for it."""
    given = sa.make_url(url)
    query = {"sslmode" if name == "ssl" else name: value for name, value in given.query.items()}
    allowed = {name: value for name, value in query.items() if name in {*LIBPQ, "host", "port"} - _SECRET}
    # Not `set`, which leaves the password as it is for None.
    address = sa.URL.create(
        "postgresql", given.username, None, given.host, given.port, given.database, allowed
    )
    shown = address.render_as_string(hide_password=False)
    return shlex.join(["pg_dump", "--format=custom", f"--file={target}", shown])
