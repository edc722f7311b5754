"""A rolling upgrade from 0.1.0 on one PostgreSQL: its processes run, this version's join them, the old ones end."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.github import generate_private_key
from integrations.sandbox.slack import SlackMessage
from tests.chaos import gestures
from tests.chaos.checks import find_failures
from tests.chaos.databases import CannotStart, start_server
from tests.chaos.parts import run_part
from tests.chaos.random_events import Notes
from tests.chaos.runner import say
from tests.conftest import PostgreSQL
from tests.processes.bot import Bot, run_command
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, OWNER, PEOPLE, RECOVERED, Scene, open_scene
from tests.processes.waiting import until
from tests.version_0_1_0 import check_out

OLD = "0.1.0"
LEAKS_BEFORE = 3
LEAKS_MEANWHILE = 9
RETRIED_WITHIN = 90.0
"""Seconds; once a minute this version does what the old one could not read."""
CLOSED = "Closed as revoked"


@dataclass(frozen=True, slots=True)
class Versions:
    """The processes of both versions."""

    old_web: Bot
    old_worker: Bot
    new_web: Bot

    @property
    def webs(self) -> tuple[Bot, Bot]:
        return self.old_web, self.new_web


def run_and_report() -> int:
    """Run it and print what happened; returns the exit status."""
    return run_part(f"{OLD} beside this version", _run)


async def _run(directory: Path) -> list[str]:
    old = check_out(directory)
    if old is None:
        raise CannotStart(f"git or the history of {OLD} is missing")
    server = start_server(Path(tempfile.mkdtemp(prefix="stanch-pg-")))
    try:
        postgresql = PostgreSQL(server, "versions")
        return await run(postgresql.url(postgresql.create()), directory, old)
    finally:
        server.cleanup()


async def run(url: str, directory: Path, old: Path) -> list[str]:
    """Run on an empty database; returns the failures, a sentence each."""
    notes = Notes()
    async with open_scene(url, directory, generate_private_key(), links_people=False) as scene:
        versions = await _join(scene, old)
        cards = await _leak_to_both(scene, versions)
        await _act_over_both(scene, notes, versions, cards)
        for bot in (versions.old_web, versions.old_worker):
            assert await bot.stop() == 0, f"{OLD} did not stop well"
        scene.point_at(versions.new_web)
        await scene.leak(path="after.env")
        await gestures.close(scene, notes, ADMIN, scene.slack.cards(CHANNEL)[-1])
        await until(scene.is_idle, "nothing is left to do", within=RETRIED_WITHIN)
        say(f"  {await _numbers(scene)}")
        return [*await find_failures(scene, notes), *gestures.repeated_calls(scene), *_unclosed(scene)]


async def _join(scene: Scene, old: Path) -> Versions:
    """Start the old version alone with some alerts, then this one beside it."""
    earlier = {"PYTHONPATH": str(old)}
    old_web, old_worker = await scene.start("web", **earlier), scene.new_bot("worker", **earlier)
    await old_worker.start()
    for bot in (old_web, old_worker):
        assert bot.version == OLD, f"{bot.version} runs in place of {OLD}"
    for user, login in PEOPLE.items():
        linked = await run_command(
            {**scene.environment, **earlier}, scene.directory, "identities", "add", user, login
        )
        assert linked.status == 0, linked.errors
    for number in range(LEAKS_BEFORE):
        _leak(scene, f"before{number}.env")
    await until(lambda: len(scene.slack.cards(CHANNEL)) == LEAKS_BEFORE, f"cards by {OLD}", within=RECOVERED)
    worker = scene.new_bot("worker")
    await worker.start()
    new_web = await scene.start("web")
    assert new_web.version == worker.version != OLD
    return Versions(old_web, old_worker, new_web)


def _leak(scene: Scene, path: str) -> None:
    scene.github.leak(scene.repository, token=scene.live_token(), path=path, validity="active")


async def _leak_to_both(scene: Scene, versions: Versions) -> list[SlackMessage]:
    """Each delivery comes to the web processes of both versions; returns all cards."""
    for number in range(LEAKS_MEANWHILE):
        first, second = versions.webs[number % 2], versions.webs[(number + 1) % 2]
        scene.point_at(first)
        _leak(scene, f"both{number}.env")
        await scene.github.settle()
        scene.point_at(second)
        assert await scene.github.send(scene.github.deliveries[-1]) == 202
    leaks = LEAKS_BEFORE + LEAKS_MEANWHILE
    await until(lambda: len(scene.slack.cards(CHANNEL)) >= leaks, "cards of both", within=RECOVERED)
    return scene.slack.cards(CHANNEL)


async def _act_over_both(scene: Scene, notes: Notes, versions: Versions, cards: list[SlackMessage]) -> None:
    """Reports and closes over each version, and forms that one opens and the other one gets."""
    for number, card in enumerate(cards[:8]):
        scene.point_at(versions.webs[number % 2])
        act = gestures.close if number % 4 < 2 else gestures.report
        await act(scene, notes, (OWNER, ADMIN)[number // 2 % 2], card)
    for number, card in enumerate(cards[8:10]):
        scene.point_at(versions.webs[number])
        view = await gestures.open_close_form(scene, ADMIN, card)
        scene.point_at(versions.webs[1 - number])
        result = await gestures.submit(scene, notes, ADMIN, card, "close_alert", view, {})
        assert result.status == 200, "a form of the other version is not acknowledged"
    for number, card in enumerate(cards[10:12]):
        scene.point_at(versions.webs[number])
        taken = await scene.slack.click(OWNER, CHANNEL, card.ts, "take")
        assert taken.status == 200, "a click is not acknowledged"
    await until(scene.is_idle, "nothing is left to do", within=RETRIED_WITHIN)


def _unclosed(scene: Scene) -> list[str]:
    cards = scene.slack.cards(CHANNEL)
    submitted = 4 + 2 + 1
    closed = sum(CLOSED in card.shown_text for card in cards)
    return [] if closed == submitted else [f"{submitted} alerts were closed, {closed} cards say so"]


async def _numbers(scene: Scene) -> str:
    changes = scene.github.calls("PATCH", ANY_ALERT)
    closes = [call for call in changes if gestures.closes_alert(call.body)]
    reports = scene.github.calls("POST", gestures.REVOKE)
    retried = sum(line["event"] == "job_retried" for bot in scene.bots for line in bot.log_lines())
    cards = len(scene.slack.cards(CHANNEL))
    return (
        f"{len(scene.github.alerts)} alerts, {cards} cards, {len(closes)} closes, {len(reports)} reports, "
        f"{retried} jobs done after the old version could not read them"
    )
