"""The disk of the database is full, and has room again later: a small file system in memory, filled by a file."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.chaos import trouble
from tests.chaos.databases import CannotStart, start_server
from tests.chaos.parts import run_part
from tests.conftest import PostgreSQL, migrate

SQLITE_SIZE = "8m"
POSTGRESQL_SIZE = "128m"
BLOCK = 65536


def run_and_report() -> int:
    """Run it on both databases and print what happened; returns the exit status."""
    return max(
        run_part("a full disk, SQLite", _run_sqlite),
        run_part("a full disk, PostgreSQL", _run_postgresql),
    )


async def _run_sqlite(directory: Path) -> list[str]:
    with small_disk(SQLITE_SIZE) as disk:
        url = f"sqlite+aiosqlite:///{disk / 'stanch.db'}"
        migrate(url)
        return await trouble.run(url, directory, lambda: _full(disk))


async def _run_postgresql(directory: Path) -> list[str]:
    with small_disk(POSTGRESQL_SIZE) as disk:
        server = start_server(disk / "data")
        try:
            postgresql = PostgreSQL(server, "disk")
            url = postgresql.url(postgresql.create())
            migrate(url)
            return await trouble.run(url, directory, lambda: _full(disk))
        finally:
            server.cleanup()


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system of that size in memory; raises CannotStart where it can't be mounted."""
    place = Path(tempfile.mkdtemp(prefix="stanch-disk-"))
    words = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    mounted = subprocess.run(words, capture_output=True, check=False)
    if mounted.returncode:
        raise CannotStart(
            f"a small file system needs root's rights to mount: {mounted.stderr.decode().strip()}"
        )
    try:
        yield place
    finally:
        subprocess.run(("umount", str(place)), check=True)
        place.rmdir()


@asynccontextmanager
async def _full(disk: Path) -> AsyncIterator[None]:
    """Fill the disk with one file, to the last byte, and remove it at the end."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (BLOCK, 1):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue
    yield
    ballast.unlink()
