"""Measures the time from the start of the process to its first ready answer."""

from tests.bench.figures import Row, Series
from tests.bench.scene import Scene
from tests.bench.servers import baseline, product

STARTS = 5
TARGET = 3.0


async def measure_start(scene: Scene) -> Row:
    """Five starts on an existing database, beside the baseline."""
    environment = await scene.environment("start")
    ours, theirs = [], []
    for _ in range(STARTS):
        async with product(environment, scene.directory, role="all") as server:
            ours.append(server.start_time)
        async with baseline(scene.directory) as server:
            theirs.append(server.start_time)
    return Row(
        what="start to ready",
        unit="s",
        product=Series(tuple(ours)),
        baseline=Series(tuple(theirs)),
        target=TARGET,
        digits=2,
    )
