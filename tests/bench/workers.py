"""Measures how many messages a second one and four worker processes update, while Slack answers after 200 ms.

Each process works at four messages at a time, so that one updates twenty a second at most. Posts are not measured,
since a channel gets one a second from however many processes.
"""

import time
from contextlib import AsyncExitStack

from bot.flows.messages.notices import change_notice, find_notice, plan_notice
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, StoredJson
from tests.bench.figures import Row, Series
from tests.bench.scene import Scene
from tests.bench.servers import product
from tests.conftest import PostgreSQL, start_postgresql

WORKERS = 4
ANSWER_TIME = 0.2
"""Seconds."""
ROUNDS = 3
OF_EACH_CHANNEL = 2
"""Messages that each process updates in a round, on average: with four, a round is as long as with one.

At its begin and end not all processes are at work, which would count four times as much in a shorter round.
"""
WARM_UP = 3
"""Rounds with a quick Slack, after which each process knows the channels."""
TARGET = 3


async def measure_workers(scene: Scene) -> Row:
    """Four worker processes on PostgreSQL, beside one of them."""
    postgresql = start_postgresql(scene.directory / "postgresql-workers")
    try:
        server = PostgreSQL(postgresql, "workers")
        url = server.url(server.create())
        environment = await scene.environment("workers", url)
        await _post(scene, environment)
        one = await _rates(scene, environment, 1)
        four = await _rates(scene, environment, WORKERS)
    finally:
        postgresql.cleanup()
    return Row(
        what=f"{WORKERS} worker processes beside 1, Slack answers after {1000 * ANSWER_TIME:.0f} ms, PostgreSQL",
        unit="messages/s",
        product=four,
        baseline=one,
        target=TARGET,
        kind="share",
        digits=1,
    )


async def _post(scene: Scene, environment: dict[str, str]) -> None:
    """Post the messages."""
    db = Database(environment["DATABASE_URL"], clock=Clock())
    async with product(environment, scene.directory, role="worker"):
        async with db.begin() as tx:
            for channel in scene.channels:
                for number in range(OF_EACH_CHANNEL * WORKERS):
                    await plan_notice(tx, ChannelId(channel), f"{number}", _facts(scene, 0))
        await scene.idle_at(environment["DATABASE_URL"], soon=10.0)
    await db.close()


def _facts(scene: Scene, number: int) -> dict[str, StoredJson]:
    """What a message says; it differs by the number."""
    return {"kind": "limit_reached", "action": "close_alert", "user": scene.people[0], "most": number}


async def _rates(scene: Scene, environment: dict[str, str], workers: int) -> Series:
    db = Database(environment["DATABASE_URL"], clock=Clock())
    async with AsyncExitStack() as stack:
        for _ in range(workers):
            await stack.enter_async_context(product(environment, scene.directory, role="worker"))
        for number in range(WARM_UP):
            await _update(scene, db, environment, 100 * workers + number, OF_EACH_CHANNEL)
        slow = scene.slack.faults.add(".*", slow=ANSWER_TIME)
        numbers = range(100 * workers + WARM_UP, 100 * workers + WARM_UP + ROUNDS)
        most = OF_EACH_CHANNEL * workers
        rates = [await _update(scene, db, environment, number, most) for number in numbers]
        scene.slack.faults.remove(slow)
    await db.close()
    return Series(tuple(rates))


async def _update(
    scene: Scene, db: Database, environment: dict[str, str], number: int, of_each_channel: int
) -> float:
    """Change so many messages, and wait until Slack has them; returns how many that were a second."""
    before = len(scene.slack.calls("chat.update"))
    async with db.begin() as tx:
        for channel in scene.channels:
            for one in range(of_each_channel):
                notice = await find_notice(tx, ChannelId(channel), f"{one}")
                assert notice is not None
                await change_notice(tx, notice, _facts(scene, number))
    began = time.monotonic()
    await scene.idle_at(environment["DATABASE_URL"])
    took = time.monotonic() - began
    updated = len(scene.slack.calls("chat.update")) - before
    assert updated == len(scene.channels) * of_each_channel
    return updated / took
