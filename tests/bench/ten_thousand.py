"""Measures ten thousand alerts at once in the repositories of one channel, while other channels get alerts too."""

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.github import GitHubRepository
from integrations.sandbox.slack import RecordedCall
from tests.bench.cards import Key, card_times, is_card
from tests.bench.clients import Clients
from tests.bench.figures import Row, Series, percentile
from tests.bench.floods import held_deliveries
from tests.bench.scene import Scene
from tests.bench.servers import product
from tests.version_0_1_0 import check_out

ALERTS, COMPARED = 10_000, 1_000
"""In the flood of this version, and in those of both versions that are compared."""
REPOSITORIES = 10
URGENT_IN = 100
"""Of so many alerts one is urgent."""
CROWD = 64
OTHERS = range(50)
"""Positions of the channels that get an alert now and then."""
OTHER_EVERY = 1.0
"""Seconds between two of these alerts."""
FIRST_TARGET, OTHER_TARGET, TIMES_AS_FAST = 3.0, 2.0, 3.0
ORDINARY_CARDS, URGENT_CARDS = 25, 10
"""What a channel gets at most: at the beginning, and in each minute."""
WITHIN = 600.0
LEFT = """
    SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind IN ('delivery', 'details', 'message')
"""
WAITING = "SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind = 'delivery'"


@dataclass(frozen=True, slots=True)
class Flood:
    """What one version made of a flood; times in seconds from the first delivery on."""

    stored: int
    worked: float
    """When all deliveries were worked; what is left are messages that wait for the pace of their channel."""
    settled: float
    posts: Sequence[RecordedCall]
    """What the channel got."""
    urgent: frozenset[Key]
    """The cards about urgent alerts."""
    others: tuple[float, ...]
    """From each alert of another channel to its card."""
    began: float

    @property
    def first(self) -> float:
        return min(post.at for post in self.posts) - self.began

    @property
    def ordinary_cards(self) -> int:
        """The cards of alerts that are not urgent."""
        return sum(is_card(post) and not self._is_urgent(post) for post in self.posts)

    @property
    def urgent_cards(self) -> int:
        """The most cards of urgent alerts within a minute."""
        return _most_in_a_minute([post.at for post in self.posts if is_card(post) and self._is_urgent(post)])

    @property
    def announcements(self) -> int:
        """The most replies about urgent alerts in the summary within a minute of the clock."""
        minutes = [int(post.at // 60) for post in self.posts if post.arguments.get("reply_broadcast")]
        return max(map(minutes.count, minutes), default=0)

    @property
    def summaries(self) -> int:
        """The messages in the channel that are no cards."""
        return sum(not is_card(post) and "thread_ts" not in post.arguments for post in self.posts)

    def _is_urgent(self, post: RecordedCall) -> bool:
        about = post.arguments["metadata"]["event_payload"]
        return (about["repository_id"], about["alert_number"]) in self.urgent


async def measure_ten_thousand(scene: Scene, clients: Clients) -> list[Row]:
    """A flood through this version, and smaller ones through it and 0.1.0 where the history has that."""
    large = await _play(scene, clients, "flood-large", ALERTS, first=60)
    rows = _rows(large)
    code = check_out(scene.directory)
    if code is None:
        sys.stderr.write("The history of this clone lacks 0.1.0, so nothing is compared with it.\n")
        return rows
    ours = await _play(scene, clients, "flood-this-version", COMPARED, first=70)
    theirs = await _play(scene, clients, "flood-0-1-0", COMPARED, first=80, code=code)
    rates = [Series((COMPARED / flood.worked,)) for flood in (ours, theirs)]
    what = f"{COMPARED:,} alerts at once"
    return [
        *rows,
        Row(
            what=f"{what}: deliveries worked, beside 0.1.0",
            unit="1/s",
            product=rates[0],
            baseline=rates[1],
            target=TIMES_AS_FAST,
            kind="share",
        ),
        # The cards of a channel come a second apart in both versions.
        Row(
            what=f"{what}: settled, beside 0.1.0",
            unit="s",
            product=Series((ours.settled,)),
            baseline=Series((theirs.settled,)),
            kind="for comparison",
        ),
    ]


def _rows(flood: Flood) -> list[Row]:
    def row(name: str, unit: str, value: float, target: float | None = None, digits: int = 0) -> Row:
        what = f"{ALERTS:,} alerts at once: {name}"
        return Row(what=what, unit=unit, product=Series((value,)), target=target, digits=digits)

    return [
        row("first message", "s", flood.first, FIRST_TARGET, 1),
        row("not stored", "alerts", ALERTS - flood.stored, 0),
        row("cards of alerts that are not urgent", "cards", flood.ordinary_cards, ORDINARY_CARDS),
        row("cards of urgent alerts in a minute", "cards", flood.urgent_cards, URGENT_CARDS),
        row("summaries", "messages", flood.summaries, 1),
        row("announcements in a minute", "replies", flood.announcements, 1),
        row("another channel's card meanwhile, p95", "s", percentile(flood.others, 0.95), OTHER_TARGET, 1),
        row("all deliveries worked", "s", flood.worked),
        row("settled", "s", flood.settled),
    ]


async def _play(
    scene: Scene, clients: Clients, name: str, alerts: int, *, first: int, code: Path | None = None
) -> Flood:
    """A flood in the repositories from position `first` on; `code` is the folder of another version."""
    path = scene.directory / f"{name}.db"
    repositories = scene.repositories[first : first + REPOSITORIES]
    environment = await scene.environment(name)
    if code is not None:
        path.unlink()
        environment |= {"PYTHONPATH": str(code)}
        _migrate(environment, scene.directory)
    _subscribe(path, scene, scene.channels[first], repositories)
    async with product(environment, scene.directory, role="all") as server:
        await scene.idle(name)
        leaks = [
            (repositories[number % REPOSITORIES], number % URGENT_IN == URGENT_IN // 2)
            for number in range(alerts)
        ]
        leaked, requests = held_deliveries(scene, leaks)
        scene.slack.requests.clear()
        scene.github.webhook_url = f"http://127.0.0.1:{server.port}/github/webhooks"
        elsewhere: dict[Key, float] = {}
        began = time.time()
        others = asyncio.create_task(_leak_elsewhere(scene, elsewhere))
        load = await clients.send(server.port, requests, clients=CROWD)
        assert set(load.statuses) == {"202"}, load.statuses
        with closing(sqlite3.connect(path)) as conn:
            worked = await _wait(conn, WAITING, most=1)
            others.cancel()
            settled = await _wait(conn, LEFT, most=0)
            [stored] = conn.execute("SELECT count(*) FROM alert").fetchone()
    scene.github.webhook_url = None
    # The next process would find them in its first sync.
    for alert in leaked:
        scene.github.remove_alert(alert)
    posted = card_times(scene)
    return Flood(
        stored - len(elsewhere),
        worked - began,
        settled - began,
        tuple(
            post
            for post in scene.slack.calls("chat.postMessage")
            if post.arguments["channel"] == scene.channels[first]
        ),
        frozenset((alert.repository.id, alert.number) for alert in leaked if alert.publicly_leaked),
        tuple(posted[key] - at for key, at in elsewhere.items()),
        began,
    )


def _migrate(environment: Mapping[str, str], directory: Path) -> None:
    words = [sys.executable, "-m", "bot", "migrate"]
    subprocess.run(words, env=environment, cwd=directory, check=True, stdout=subprocess.DEVNULL)


def _subscribe(path: Path, scene: Scene, channel: str, repositories: Sequence[GitHubRepository]) -> None:
    """Subscribe one channel to these repositories, and the others to one each, in the schema of either version."""
    filters = {scene.channels[other]: f"repo:{scene.repositories[other].full_name}" for other in OTHERS}
    filters[channel] = f"repo:{','.join(one.full_name for one in repositories)}"
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("DELETE FROM subscription")
        conn.executemany(
            "INSERT INTO subscription (channel, filter, thread, created_at) VALUES (?, ?, 'actions', ?)",
            [(channel, filtered, time.time()) for channel, filtered in filters.items()],
        )


async def _leak_elsewhere(scene: Scene, leaked: dict[Key, float]) -> None:
    """One alert after the other in other channels, until it is cancelled."""
    for position in itertools.cycle(OTHERS):
        alert = scene.github.leak(scene.repositories[position])
        leaked[alert.repository.id, alert.number] = time.time()
        await asyncio.sleep(OTHER_EVERY)


async def _wait(conn: sqlite3.Connection, query: str, *, most: int) -> float:
    """When no more than `most` of such jobs were left."""
    async with asyncio.timeout(WITHIN):
        while conn.execute(query).fetchone()[0] > most:  # noqa: ASYNC110 - another process works.
            await asyncio.sleep(0.1)
    return time.time()


def _most_in_a_minute(times: Sequence[float]) -> int:
    return max((sum(at <= other < at + 60 for other in times) for at in times), default=0)
