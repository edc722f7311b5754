"""Two web and three worker processes on one PostgreSQL under a short load; prints all failures."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from integrations.sandbox.github import generate_private_key
from integrations.sandbox.slack import SlackMessage
from storage import subscriptions
from storage.records import ChannelId, Subscription
from tests.chaos.checks import find_failures
from tests.chaos.databases import fresh_databases
from tests.chaos.parts import run_part
from tests.chaos.random_events import SITE_CHANNEL, Notes, Submitted
from tests.chaos.runner import say
from tests.processes.bot import Bot
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, OWNER, Scene, alert_of, open_scene
from tests.processes.waiting import until

WEBS = 2
WORKERS = 3
LEAKS_OF_EACH = 25
"""New alerts of each of two channels at once; more would become a summary."""
CLOSES = 10
ALREADY = "It was closed as revoked already."
DONE_WITHIN = 120.0
"""Seconds; a channel gets one message a second."""


def run_and_report() -> int:
    """Run it and print what happened; returns the exit status."""
    return run_part(f"{WEBS} web and {WORKERS} worker processes", _run)


async def _run(directory: Path) -> list[str]:
    with fresh_databases("postgresql") as fresh:
        return await run(fresh(0), directory)


async def run(url: str, directory: Path) -> list[str]:
    """Run on one database; returns the failures, a sentence each."""
    notes = Notes()
    async with open_scene(url, directory, generate_private_key(), channels=(CHANNEL, SITE_CHANNEL)) as scene:
        site = scene.github.add_repository(scene.github.app_owner, "site")
        scene.github.add_collaborator(site, scene.people[ADMIN], "admin")
        async with scene.db.begin() as tx:
            subscription = Subscription(ChannelId(SITE_CHANNEL), "repo:octo/site", created_at=tx.now)
            await subscriptions.add(tx, subscription)
        webs = [await scene.start("web") for _ in range(WEBS)]
        workers = [await scene.start("worker") for _ in range(WORKERS)]
        began = time.monotonic()
        for number in range(LEAKS_OF_EACH):
            for repository in (scene.repository, site):
                scene.point_at(webs[number % WEBS])
                scene.github.leak(repository, token=scene.live_token(), path=f"src/{number}.py")
                await scene.github.settle()
                # The same delivery comes to the other process too.
                scene.point_at(webs[(number + 1) % WEBS])
                await scene.github.send(scene.github.deliveries[-1])
        await until(lambda: len(scene.slack.cards(CHANNEL)) >= CLOSES, "ten cards", within=DONE_WITHIN)
        for card in scene.slack.cards(CHANNEL)[:CLOSES]:
            await _close_together(scene, card, webs, notes)
        try:
            await until(lambda: _is_done(scene), "all cards are there", within=DONE_WITHIN)
            await scene.idle()
        except AssertionError as unfinished:
            return [str(unfinished), *await find_failures(scene, notes)]
        say(f"  {_numbers(scene)}, done after {time.monotonic() - began:.0f} s")
        for worker in workers:
            say(f"  a worker process wrote {_rows(worker)} rows of the audit log")
        return [*await find_failures(scene, notes), *await _about_closes(scene)]


async def _close_together(scene: Scene, card: SlackMessage, webs: Sequence[Bot], notes: Notes) -> None:
    """Two people submit a closure at the same time, each to another web process; Slack sends each submit twice."""
    repository_id, number = alert_of(card)
    views = {}
    for user in (OWNER, ADMIN):
        await scene.slack.select(user, CHANNEL, card.ts, "close_as", "revoked")
        views[user] = await scene.filled(user, "resolution")
    for user, web, other in ((OWNER, webs[0], webs[1]), (ADMIN, webs[1], webs[0])):
        scene.point_at(web)
        submitted = await scene.submit(user, views[user], {})
        notes.submitted.append(Submitted(user, "close_alert", repository_id, number))
        assert submitted.request is not None
        repeated = replace(submitted.request, url=f"{other.address}/slack/events")
        assert (await scene.slack.resend(repeated)).status == 200


def _is_done(scene: Scene) -> bool:
    cards = scene.slack.cards(CHANNEL) + scene.slack.cards(SITE_CHANNEL)
    return len(cards) >= 2 * LEAKS_OF_EACH


def _numbers(scene: Scene) -> str:
    cards = len(scene.slack.cards(CHANNEL)) + len(scene.slack.cards(SITE_CHANNEL))
    closes = len(scene.github.calls("PATCH", ANY_ALERT))
    return f"{len(scene.github.alerts)} leaks, {cards} cards, {closes} closes"


def _rows(worker: Bot) -> int:
    return sum(line["event"] == "audited" for line in worker.log_lines())


async def _about_closes(scene: Scene) -> list[str]:
    """Each alert that two people closed was closed by one call, and who came second was told so."""
    found = []
    for path, number in Counter(call.path for call in scene.github.calls("PATCH", ANY_ALERT)).items():
        if number > 1:
            found.append(f"{path} was closed {number} times")
    outcomes = Counter(str(outcome) for _, _, outcome in await scene.audited("close_alert"))
    if outcomes != {"intended": 2 * CLOSES, "done": 2 * CLOSES}:
        found.append(f"{2 * CLOSES} submits are recorded as {dict(outcomes)}")
    told = sum(ALREADY in answer for user in (OWNER, ADMIN) for answer in scene.answers_to(user))
    if told != CLOSES:
        found.append(f"{CLOSES} people came second, and {told} were told so")
    return found
