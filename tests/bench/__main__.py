"""`make bench`: the product beside its baselines, in one run and one table.

`python -m tests.bench clicks cards` measures some of it: start, webhooks, clicks, cards, floods, idle, workers,
ten-thousand, large-sync, budgets, messages, lookups.
Everything runs on this machine: the servers, the stand-ins and the load share its processors.
"""

import asyncio
import logging
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.bench.budgets import measure_budgets
from tests.bench.cards import measure_cards
from tests.bench.clicks import measure_clicks
from tests.bench.clients import Clients
from tests.bench.figures import table
from tests.bench.floods import measure_floods
from tests.bench.idle import measure_idle
from tests.bench.large_sync import measure_large_sync
from tests.bench.lookups import measure_lookups
from tests.bench.messages import measure_messages
from tests.bench.scene import open_scene
from tests.bench.start import measure_start
from tests.bench.ten_thousand import measure_ten_thousand
from tests.bench.webhooks import measure_webhooks
from tests.bench.workers import measure_workers


async def run(directory: Path) -> None:
    """Measure one after the other, and print the table."""
    began = time.monotonic()
    async with open_scene(directory) as scene, Clients(directory) as clients:
        rows = []
        for name, measuring in (
            ("start", lambda: measure_start(scene)),
            ("webhooks", lambda: measure_webhooks(scene, clients)),
            ("clicks", lambda: measure_clicks(scene, clients)),
            ("cards", lambda: measure_cards(scene)),
            ("floods", lambda: measure_floods(scene, clients)),
            ("idle", lambda: measure_idle(scene)),
            ("workers", lambda: measure_workers(scene)),
            ("ten-thousand", lambda: measure_ten_thousand(scene, clients)),
            ("large-sync", lambda: measure_large_sync(directory)),
            ("budgets", lambda: measure_budgets(directory)),
            ("messages", lambda: measure_messages(directory)),
            ("lookups", lambda: measure_lookups(directory)),
        ):
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            sys.stderr.write(f"Measuring {name} …\n")
            found = await measuring()
            rows += found if isinstance(found, list) else [found]
    sys.stdout.write(
        f"{table(rows)}\n\n"
        f"Median (least-greatest). Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"load {os.getloadavg()[0]:.1f}, SQLite with synchronous=FULL on both sides, "
        f"{time.monotonic() - began:.0f} s in all.\n"
    )


def main() -> None:
    """Run in a temporary directory."""
    # The budgets are measured in this process, whose log would stand between the rows.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as directory:
        asyncio.run(run(Path(directory)))


if __name__ == "__main__":
    main()
