"""Measures the CPU time of a process that has nothing to do, on both databases."""

import asyncio

from tests.bench.figures import Row, Series
from tests.bench.scene import Scene
from tests.bench.servers import product
from tests.conftest import PostgreSQL, start_postgresql

AFTER = 75.0
"""Seconds from the start, in which it syncs, and checks the hundred subscriptions, as it does once an hour."""
SECONDS = 60.0
TARGET = 1.0


async def measure_idle(scene: Scene) -> list[Row]:
    """The role `all` with a hundred repositories and channels: a minute with one housekeeping round and no sync."""
    rows = [await _row(scene, "SQLite", await scene.environment("idle"))]
    postgresql = start_postgresql(scene.directory / "postgresql-idle")
    try:
        server = PostgreSQL(postgresql, "idle")
        url = server.url(server.create())
        rows.append(await _row(scene, "PostgreSQL", await scene.environment("idle", url)))
    finally:
        postgresql.cleanup()
    return rows


async def _row(scene: Scene, name: str, environment: dict[str, str]) -> Row:
    async with product(environment, scene.directory, role="all") as server:
        await asyncio.sleep(AFTER)
        await scene.idle_at(environment["DATABASE_URL"])
        before = server.cpu_seconds()
        await asyncio.sleep(SECONDS)
        percent = 100 * (server.cpu_seconds() - before) / SECONDS
    what = f"CPU of a process with nothing to do, {name}"
    return Row(what=what, unit="% of a core", product=Series((percent,)), target=TARGET, digits=2)
