"""A stage for every flow test, on both databases."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import AT_START
from integrations.sandbox.github import generate_private_key
from storage.clock import Clock
from storage.records import UnixTime
from tests.conftest import run_in_thread
from tests.flows.signed_in import sign_in
from tests.flows.stage import ADMIN, Stage, open_stage


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stage left behind that stopped after its first sync."""

    database: Path
    at: UnixTime

    def restore(self, database_url: str, clock: Clock) -> None:
        """Make the next stage with this database and clock a restart of that one."""
        shutil.copy(self.database, database_url.removeprefix("sqlite+aiosqlite:///"))
        clock.set_back(clock.now() - self.at)


@pytest.fixture(scope="session")
def stopped(sqlite_template: Path, private_key: str) -> Stopped:
    """A SQLite file after the first sync, which takes half of the time of a stage's start."""
    database = sqlite_template.with_name("stopped.db")
    shutil.copy(sqlite_template, database)
    clock = Clock()
    # At the beginning of the span in which a restart requests no second sync.
    clock.advance(AT_START - clock.now() % AT_START)

    async def start_and_stop() -> UnixTime:
        async with open_stage(f"sqlite+aiosqlite:///{database}", clock, private_key):
            return clock.now()

    return Stopped(database, run_in_thread(start_and_stop()))


@pytest.fixture
def is_restart(request: pytest.FixtureRequest, database_url: str, clock: Clock) -> bool:
    """On SQLite a stage is a restart, on PostgreSQL it is the first start with its database."""
    if not database_url.startswith("sqlite"):
        return False
    found: Stopped = request.getfixturevalue("stopped")
    found.restore(database_url, clock)
    return True


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str, is_restart: bool) -> AsyncIterator[Stage]:
    """The product between the stand-ins; at the end nothing may have been sent that the real ones refuse."""
    async with open_stage(database_url, clock, private_key, is_restart=is_restart) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def signed_in(
    database_url: str, clock: Clock, private_key: str, is_restart: bool
) -> AsyncIterator[Stage]:
    """A stage on which the repository's admin has signed in."""
    opened = open_stage(database_url, clock, private_key, sign_in=True, is_restart=is_restart)
    async with opened as stage:
        await sign_in(stage, ADMIN)
        yield stage
        stage.check()
