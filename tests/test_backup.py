"""`stanch backup`: a copy of one moment, private and complete, that overwrites nothing."""

import asyncio
import os
import shlex
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from storage import audit
from storage.backup import BACKED_UP, BackupFailed, back_up, dump_command
from storage.clock import Clock
from storage.db import Database
from tests.storage.test_audit import append
from tests.test_cli import Result, _run


@pytest.fixture(autouse=True)
def _settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)


async def stanch(*words: str) -> Result:
    return await asyncio.to_thread(_run, words)


async def done(*words: str) -> str:
    """The one line of a command that must succeed."""
    result = await stanch(*words)
    assert (result.status, result.errors) == (0, "")
    [line] = result.lines
    return line


async def fails(*words: str) -> str:
    """The one sentence of a command that must fail."""
    result = await stanch(*words)
    assert (result.status, result.output) == (1, "")
    [sentence] = result.errors.splitlines()
    return sentence


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
async def test_a_database_in_use_is_copied_with_all_that_is_stored(
    db: Database,
    tmp_path: Path,
) -> None:
    rows = [await append(db) for _ in range(3)]
    before = os.umask(0)
    try:
        async with db.begin() as tx:
            # An open transaction is not in it, and does not wait for it.
            await audit.append(tx, rows[0].entry)
            line = await done("backup", "b.db")
    finally:
        os.umask(before)
    assert line == f"The database at {db.name} is backed up to b.db."
    assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
    assert [name for name in os.listdir(tmp_path) if "b.db" in name] == ["b.db"]
    copy = Database(f"sqlite+aiosqlite:///{tmp_path / 'b.db'}", clock=Clock(), audit_key=b"k" * 32)
    async with copy.read() as tx:
        assert (await audit.verify(tx, rows[-1].hash)).rows == 3
    await copy.close()


@SQLITE
async def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name in ("b.db", "link"):
        assert await fails("backup", name) == (
            f"{name} exists already, and a backup overwrites nothing: name another file."
        )
    assert (tmp_path / "b.db").read_text() == "precious"
    assert not (tmp_path / "nothing").exists()


@SQLITE
async def test_what_can_not_be_written_or_read_is_named(
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await fails("backup", "no/b.db") == "no/b.db can't be written: No such file or directory."
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    assert "There is no database at " in await fails("backup", "b.db")
    (tmp_path / "none.db").write_bytes(b"not a database" * 100)
    assert "can't be copied: file is not a database" in await fails("backup", "b.db")
    assert not any("b.db" in name for name in os.listdir(tmp_path))


@SQLITE
def test_a_database_without_tables_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.db")) as empty:
        empty.execute("CREATE TABLE other (x)")
    with pytest.raises(BackupFailed, match="no such table: mark"):
        back_up(tmp_path / "empty.db", tmp_path / "b.db", 0.0)
    assert not list(tmp_path.glob("*b.db*"))


@SQLITE
async def test_only_the_copy_says_that_it_is_one(db: Database, tmp_path: Path) -> None:
    assert db.path is not None
    back_up(db.path, tmp_path / "b.db", 17.5)
    for path, found in ((db.path, []), (tmp_path / "b.db", [(17.5,)])):
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT value FROM mark WHERE key = ?", (BACKED_UP,)).fetchall()
        assert rows == found


@SQLITE
def test_postgresql_is_backed_up_by_its_own_command_without_the_password() -> None:
    url = "postgresql+asyncpg://stanch:PASS%40word@db.octo.example:5433/alerts"
    url += "?ssl=require&sslpassword=KEYPASS&statement_cache_size=0"
    words = shlex.split(dump_command(url, Path("my backup")))
    assert words == [
        *("pg_dump", "--format=custom", "--file=my backup"),
        "postgresql://stanch@db.octo.example:5433/alerts?sslmode=require",
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_backup_names_the_command_of_postgresql() -> None:
    sentence = await fails("backup", "b.dump")
    assert sentence.startswith("PostgreSQL makes its own backups, restored by pg_restore: pg_dump ")
