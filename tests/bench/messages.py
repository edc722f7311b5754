"""How many messages one alert makes from the leak to its close, over HTTP and by Socket Mode."""

from dataclasses import asdict
from pathlib import Path

from integrations.sandbox.github import generate_private_key
from storage.clock import Clock
from storage.db import Database
from tests.bench.figures import Row, Series
from tests.flows.stage import open_stage
from tests.flows.whole_path import MOST, count_sent, work_to_the_end

UNITS = {
    "channel": "messages in the channel",
    "replies": "replies in the thread",
    "direct": "direct messages to the owner",
    "private": "private answers",
}


async def measure_messages(directory: Path) -> list[Row]:
    """The rows for both ways by which Slack's requests come."""
    rows = []
    for way, socket_mode in (("signed requests", False), ("Socket Mode", True)):
        url = f"sqlite+aiosqlite:///{directory}/messages-{socket_mode}.db"
        db = Database(url, clock=Clock())
        await db.migrate()
        await db.close()
        async with open_stage(url, Clock(), generate_private_key(), socket_mode=socket_mode) as stage:
            await work_to_the_end(stage)
            sent = asdict(count_sent(stage))
        most = asdict(MOST)
        what = f"an alert from leak to close, {way}"
        rows += [
            Row(what=what, unit=unit, product=Series((float(sent[name]),)), target=most[name])
            for name, unit in UNITS.items()
        ]
    return rows
