"""Checks at the end of the run that no fault has left a trace."""

from collections import Counter
from collections.abc import Iterator

from bot.cli.audit import export_audit
from integrations.sandbox.github import GitHubAlert
from integrations.sandbox.slack import SlackMessage
from storage import alerts, jobs
from storage.records import AlertKey, AlertNumber, Job, JobState, RepositoryId
from tests.chaos.random_events import SITE_CHANNEL, Notes, Submitted
from tests.processes.bot import run_command
from tests.processes.scene import CHANNEL, Scene, alert_of
from tests.processes.waiting import until

LATER = {"follow_up", "revoked_look"}
"""Kinds of jobs that wait for minutes or a day, without any fault."""
WORDS = {
    "revoked": "Closed as revoked",
    "false_positive": "Closed as false positive",
    "used_in_tests": "Closed as used in tests",
    "wont_fix": "Closed as won't fix",
}


async def converge(scene: Scene, within: float) -> None:
    """End all faults and wait until all jobs are done, then sync and wait again."""
    scene.calm()
    if not scene.bot.runs:
        await scene.bot.start()
        scene.point_at(scene.bot)
    await scene.github.settle()
    await until(lambda: _is_idle(scene), "all accepted work is done", within=within)
    synced = await run_command(scene.environment, scene.directory, "sync", within=60)
    assert synced.status == 0, synced.errors
    await until(lambda: _is_idle(scene), "the work that the sync found is done", within=within)


async def _is_idle(scene: Scene) -> bool:
    await scene.github.settle()
    left = [job for job in await _jobs(scene) if job.kind not in LATER and job.state is not JobState.PARKED]
    assert not left, [(job.kind, job.state, job.attempts, job.error) for job in left]
    return True


async def _jobs(scene: Scene) -> list[Job]:
    async with scene.db.read() as tx:
        states = (JobState.READY, JobState.RUNNING, JobState.PARKED)
        return await jobs.list_jobs(tx, states=states, limit=10_000)


async def find_failures(scene: Scene, notes: Notes) -> list[str]:
    """All failures, a sentence each."""
    found = [
        *_about_cards(scene),
        *_about_threads(scene),
        *_about_effects(scene, notes),
        *await _about_the_store(scene),
        *await _about_answers(scene, notes),
    ]
    parked = [job for job in await _jobs(scene) if job.state is JobState.PARKED]
    found += [f"job {job.id} ({job.kind}) is parked: {job.error}" for job in parked]
    verified = await run_command(scene.environment, scene.directory, "audit", "verify")
    if verified.status != 0:
        found.append(verified.errors.strip())
    found += [f"Slack would refuse: {reason}" for reason in scene.slack.complaints]
    found += [f"GitHub would refuse: {reason}" for reason in scene.github.complaints]
    return found


def _about_cards(scene: Scene) -> Iterator[str]:
    cards: dict[tuple[int, int], list[SlackMessage]] = {}
    for channel in (CHANNEL, SITE_CHANNEL):
        for card in scene.slack.cards(channel):
            cards.setdefault(alert_of(card), []).append(card)
    for key, alert in scene.github.alerts.items():
        mine, name = cards.get(key, []), f"{alert.repository.name}#{alert.number}"
        channel = SITE_CHANNEL if alert.repository.name == "site" else CHANNEL
        if len(mine) > 1:
            yield f"{name} has {len(mine)} cards"
        elif not mine and alert.state == "open":
            yield f"{name} is open and has no card"
        elif mine and mine[0].channel != channel:
            yield f"{name} has its card in {mine[0].channel}"
        elif mine and (fault := _fault_of(mine[0], alert)):
            yield f"{name}: {fault}"


def _fault_of(card: SlackMessage, alert: GitHubAlert) -> str | None:
    if alert.state == "open":
        return None if "close_as" in card.action_ids else f"open on GitHub, but: {card.text}"
    words = WORDS[str(alert.resolution)]
    is_right = "reopen" in card.action_ids and words in card.shown_text
    return None if is_right else f"{words} on GitHub, but: {card.text}"


def _about_threads(scene: Scene) -> Iterator[str]:
    for channel in (CHANNEL, SITE_CHANNEL):
        for card in scene.slack.cards(channel):
            replies = [str(reply.metadata) for reply in scene.slack.thread(channel, card.ts)]
            for metadata, number in Counter(replies).items():
                if number > 1:
                    yield f"a reply was posted {number} times: {metadata}"


def _about_effects(scene: Scene, notes: Notes) -> Iterator[str]:
    for closing, number in Counter(notes.closed_by_bot).items():
        if number > 1:
            yield f"one submit closed an alert {number} times: {closing}"
    for call in scene.github.calls("POST", "/credentials/revoke"):
        assert isinstance(call.body, dict)
        [literal] = call.body["credentials"]
        died_at = scene.github.live_tokens[literal].revoked_at
        if died_at is not None and call.at > died_at:
            yield "an inactive token was reported again"


async def _about_the_store(scene: Scene) -> list[str]:
    found = []
    async with scene.db.read() as tx:
        for (repository_id, number), alert in scene.github.alerts.items():
            key = AlertKey(RepositoryId(repository_id), AlertNumber(number))
            stored = await alerts.load(tx, key)
            if stored is None:
                found.append(f"alert {key} is not stored")
            elif (stored.state, stored.resolution) != (alert.state, alert.resolution):
                found.append(f"alert {key} is stored as {stored.state}, {stored.resolution}")
    return found


async def _about_answers(scene: Scene, notes: Notes) -> list[str]:
    """Each accepted click and submit must have an outcome in the audit log."""
    ended: Counter[Submitted] = Counter()
    async for row in export_audit(scene.db, None):
        if row["outcome"] != "intended" and isinstance(row["alert_number"], int):
            user, action = str(row["slack_user"]), str(row["action"])
            repository_id = row["repository_id"]
            assert isinstance(repository_id, int)
            ended[Submitted(user, action, repository_id, row["alert_number"])] += 1
    accepted = Counter(notes.submitted)
    return [
        f"{submitted} was accepted {n} times and ended {ended[submitted]} times"
        for submitted, n in accepted.items()
        if ended[submitted] < n
    ]
