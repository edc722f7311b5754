"""Another process that reads SQLite's file does not affect the locks of this one."""

import asyncio
import sys
from pathlib import Path

from storage import saved_values
from storage.clock import Clock
from storage.db import Database

READ = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM mark').fetchall(); c.close()"


async def test_another_process_that_ends_does_not_delete_the_write_ahead_log(tmp_path: Path) -> None:
    """If this process lost its locks on the file, the other one would delete the log in use."""
    path = tmp_path / "stanch.db"
    db = Database(f"sqlite+aiosqlite:///{path}", clock=Clock())
    await db.migrate()
    async with db.begin() as tx:
        await saved_values.save(tx, "first", 1)
    async with db.read() as tx, db.read() as _:
        assert await saved_values.load(tx, "first") == 1
    log = (tmp_path / "stanch.db-wal").stat().st_ino
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", READ, str(path))
    assert await child.wait() == 0
    assert (tmp_path / "stanch.db-wal").stat().st_ino == log
    await db.close()
