"""Works the deliveries of a flood together: many alerts by one list of GitHub's and one transaction."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from bot.context import Context
from bot.flows import repository_access
from bot.flows.alerts.commit_author import may_read_commits
from bot.flows.alerts.fetch_alert import REPOSITORY_LASTS, differs
from bot.flows.alerts.store_alert import arrival_check_job, details_job
from bot.flows.messages.message_jobs import publish_job, summary_job
from bot.flows.messages.plan_many import plan_many
from bot.job_kinds import HandleDelivery
from bot.rules.alert_merge import is_known_location, merge_facts
from bot.rules.arrival_check import has_own_card, is_check_due
from bot.rules.commit_author import lacks_author
from bot.rules.timeline import events_between
from bot.rules.validity import is_probeable
from integrations.github.errors import BadDelivery, GitHubError
from integrations.github.facts import AlertFacts
from integrations.github.repository import PAGE
from integrations.github.webhook_events import AlertEvent, LocationEvent, parse_event
from storage import alerts, deliveries, flood_jobs, jobs, leases
from storage.db import StatementRefused, StorageUnavailable, Tx
from storage.leases import LeaseLost
from storage.records import TRACE, Alert, AlertKey, AlertNumber, Delivery, Job, Message, NewJob, Repository

log = structlog.get_logger(__name__)
MOST = 50
"""Deliveries worked together. On SQLite a click waits until they are stored."""
LEAST = 10
"""Deliveries from which on one list takes the place of a call for each."""
PAGES = 3
"""The most pages of the list that are read for one batch."""
PAUSE = 10.0
"""Seconds in which a repository's deliveries are worked one by one after they could not be worked together."""
About: TypeAlias = AlertEvent | LocationEvent


@dataclass(frozen=True, slots=True)
class _FloodDelivery:
    """A delivery of the flood, with its job."""

    job: Job
    delivery: Delivery
    event: About

    @property
    def number(self) -> AlertNumber:
        return AlertNumber(self.event.alert.number)

    @property
    def is_new(self) -> bool:
        """Whether it says that GitHub has created the alert."""
        return isinstance(self.event, AlertEvent) and self.event.action == "created"


@dataclass(frozen=True, slots=True)
class _Change:
    """A delivery, and its alert before and after it."""

    waiting: _FloodDelivery
    before: Alert | None
    after: Alert
    lacks_details: bool
    """The list of GitHub's leaves out something that an own call for the alert shows."""


async def work_together(
    context: Context, repository: Repository, job: Job, delivery: Delivery, event: About
) -> bool:
    """Work this delivery with others of its repository that are due; True if it was worked, and its job has ended.

    Only what is simple is worked so: alerts that are new, and deliveries that change nothing. All others wait for
    jobs of their own, and so do all if this fails anywhere: their jobs are not claimed, but taken in the transaction
    that stores what follows from them.
    """
    if not _may_be_worked(context, repository, event):
        return False
    async with context.flood_locks.setdefault(repository.id, asyncio.Lock()):
        if context.clock.monotonic() < context.flood_pauses.get(repository.id, 0.0):
            return False
        context.flood_pauses.pop(repository.id, None)
        leader = _FloodDelivery(job, delivery, event)
        others = await _find_others(context, repository)
        if len(others) < LEAST:
            return False
        try:
            changes = await _find_changes(context, repository, [leader, *others])
            if len(changes) >= LEAST:
                async with context.flood_storing:
                    return await _store(context, repository, leader, changes)
            log.info("flood_not_listed", repository_id=repository.id)
        except GitHubError as error:
            log.warning("github_not_asked", repository_id=repository.id, reason=str(error))
        except Exception as error:
            # One alert that can't be stored must not hold up the others: all are worked one by one then.
            is_down = isinstance(error, StorageUnavailable) and not isinstance(error, StatementRefused)
            if is_down or isinstance(error, LeaseLost):
                raise
            log.warning("flood_not_stored", repository_id=repository.id, exc_info=error)
        context.flood_pauses[repository.id] = context.clock.monotonic() + PAUSE
        return False


def _may_be_worked(context: Context, repository: Repository, event: About) -> bool:
    """Whether the stored facts of the repository are still true, as far as this delivery and process know."""
    ours = event.installation_id == repository.installation_id and event.repository.id == repository.id
    known = repository_access.was_read_within(context, repository, REPOSITORY_LASTS)
    return ours and known and not differs(repository, event.repository)


async def _find_others(context: Context, repository: Repository) -> list[_FloodDelivery]:
    async with context.db.read() as tx:
        found = await flood_jobs.due(tx, HandleDelivery.kind, f"alert:{repository.id}/", MOST - 1)
    others = []
    for job, delivery in found:
        try:
            event = parse_event(delivery.event, delivery.body)
        except BadDelivery:
            # Its own job fails by it.
            continue
        if isinstance(event, About) and _may_be_worked(context, repository, event):
            others.append(_FloodDelivery(job, delivery, event))
        await context.clock.sleep(0)
    return others


async def _find_changes(
    context: Context, repository: Repository, batch: Sequence[_FloodDelivery]
) -> list[_Change]:
    """What each delivery changes, in the order of the alerts' numbers, without those that need a job of their own.

    Raises GitHubError.
    """
    assert repository.installation_id is not None
    listed = await _list(context, repository, batch)
    reads_commits = await may_read_commits(context, repository.installation_id)
    batch = sorted((one for one in batch if one.number in listed), key=lambda one: one.number)
    async with context.db.read() as tx:
        known = await alerts.load_all(tx, [AlertKey(repository.id, one.number) for one in batch])
        now = tx.now
    changes = []
    for one in batch:
        before = known.get(AlertKey(repository.id, one.number))
        merged = merge_facts(before, one.event.alert, repository.id, now, fetched=False)
        after = merge_facts(merged, listed[one.number], repository.id, now, fetched=True)
        lacks = after.place is None or (reads_commits and lacks_author(after))
        lacks = lacks or (is_probeable(after) and one.event.alert.metadata is None)
        change = _Change(one, before, after, lacks)
        if _is_simple(change):
            changes.append(change)
        # Clicks must not wait for a hundred of these.
        await context.clock.sleep(0)
    return changes


async def _list(
    context: Context, repository: Repository, batch: Sequence[_FloodDelivery]
) -> Mapping[AlertNumber, AlertFacts]:
    """GitHub's facts about the alerts, from the pages on which most of them are unless the list leaves others out."""
    assert repository.installation_id is not None
    access = context.github.of(repository.installation_id).only(repository.id)
    address = f"{repository.html_url}/".lower()
    pages = Counter(1 + (one.number - 1) // PAGE for one in batch).most_common(PAGES)
    return {
        AlertNumber(facts.number): facts
        for page, _ in pages
        for facts in await access.page_of_alerts(repository.full_name, page)
        if facts.html_url.lower().startswith(address)
    }


def _is_simple(change: _Change) -> bool:
    """Whether the delivery is about a new alert that nobody is assigned to, or changes nothing."""
    event, before, after = change.waiting.event, change.before, change.after
    if before is None:
        return change.waiting.is_new and after.assigned_to is None
    if change.waiting.is_new or change.lacks_details or after != before:
        return False
    return isinstance(event, AlertEvent) or is_known_location(before, event.location)


async def _store(
    context: Context, repository: Repository, leader: _FloodDelivery, changes: Sequence[_Change]
) -> bool:
    """Store the new alerts and end the jobs in one transaction; True if the leader's is among them.

    Locks are taken in one order: the leader's job, others' jobs without waiting, alerts by their numbers, channels.
    """
    async with context.db.begin() as tx:
        await leases.keep(tx, leader.job)
        ours = await flood_jobs.lock(tx, [change.waiting.job.id for change in changes]) | {leader.job.id}
        taken = [change for change in changes if change.waiting.job.id in ours]
        new = {change.after.key: change for change in taken if change.before is None}
        stored = await alerts.insert_all(tx, [change.after for change in new.values()]) if new else set()
        new = {key: change for key, change in new.items() if key in stored}
        if new:
            await _plan(tx, context, repository, new)
        ended = [one.waiting for one in taken if one.before is not None or one.after.key in stored]
        others = [(one.job, one.delivery) for one in ended if one is not leader]
        await flood_jobs.end(tx, others, "stored")
        if leader in ended:
            await leases.finish(tx, leader.job)
            await deliveries.finish(tx, leader.delivery.guid, "stored")
    context.metrics.deliveries.labels("stored").inc(len(others))
    context.metrics.jobs_finished.labels(HandleDelivery.kind, "done").inc(len(others))
    return leader in ended


async def _plan(tx: Tx, context: Context, repository: Repository, new: Mapping[AlertKey, _Change]) -> None:
    """Add the alerts to their timelines, and plan their messages and what else follows."""
    found = [one for change in new.values() for one in events_between(None, change.after, tx.now)]
    await alerts.add_first_events(tx, found)
    cards = await plan_many(tx, context, repository, [change.after for change in new.values()])
    following: list[NewJob] = []
    for key, change in new.items():
        trace = TRACE.set(change.waiting.delivery.guid)
        following += _jobs(tx, context, change, cards[key])
        TRACE.reset(trace)
    # One job for a summary, although each of its alerts asks for it.
    once = {job.dedup or str(number): job for number, job in enumerate(following)}
    await jobs.enqueue(tx, *once.values())


def _jobs(tx: Tx, context: Context, change: _Change, cards: Sequence[Message]) -> Iterator[NewJob]:
    """What follows from a new alert, as `store_alert` has it."""
    alert = change.after
    for card in cards:
        yield publish_job(card) if card.folded_into is None else summary_job(card.folded_into, tx)
    if change.lacks_details:
        yield replace(details_job(alert.key, 0), in_flood=True)
    if is_check_due(None, alert, context.options.validity, tx.now) and has_own_card(cards):
        yield arrival_check_job(alert)
