"""The sweep: compares GitHub's alerts with ours, and takes over whatever a webhook did not tell."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from bot.flows.installations import (
    ask_about_missing,
    ask_about_moved,
    ask_repository,
    save_installation,
    sweeping,
)
from bot.flows.planning import publishing
from bot.flows.record import new_repository, record
from bot.rules.sweeping import Progress, Seen, is_old, is_unchanged, progress_from, wants_all
from bot.tools import Tools
from integrations.github.errors import FeatureOff, Invalid, NotFound
from integrations.github.models import AlertFacts
from storage import alerts, jobs, marks, messages, repositories, summaries
from storage.db import Tx
from storage.records import (
    AlertKey,
    AlertNumber,
    Installation,
    InstallationId,
    InstallationState,
    NewJob,
    Repository,
    RepositoryId,
    UnixTime,
)

log = structlog.get_logger(__name__)
BATCH = 25
"""Alerts stored in one transaction: on SQLite a webhook waits for it."""
GENERIC_TYPES = (
    "ec_private_key",
    "generic_private_key",
    "http_basic_authentication_header",
    "http_bearer_authentication_header",
    "mongodb_connection_string",
    "mysql_connection_url",
    "openssh_private_key",
    "password",
    "pgp_private_key",
    "postgres_connection_string",
    "rsa_private_key",
)
"""GitHub's docs: its list leaves generic patterns out unless they are named."""


@dataclass(slots=True)
class Counts:
    """What a sweep saw and did."""

    seen: int = 0
    new: int = 0
    changed: int = 0


async def ask_for_sweep(tools: Tools, *, every: float) -> None:
    """Have everything swept, once in each span of `every` seconds however many processes ask."""
    async with tools.db.begin() as tx:
        span = int(tx.now // every)
        await jobs.enqueue(tx, NewJob("sweep", {}, key="sweep", dedup=f"sweep:{every:.0f}:{span}"))


async def sweep_all(tools: Tools) -> None:
    """Have each installation swept that is ours to serve; raises GitHubError."""
    listed = []
    async for installation in our_installations(tools):
        listed.append(installation.id)
        async with tools.db.begin() as tx:
            await jobs.enqueue(tx, sweeping(installation.id))
    await ask_about_missing(tools, listed)


async def our_installations(tools: Tools) -> AsyncIterator[Installation]:
    """The installations that GitHub has now, on the accounts that count, and that work."""
    async for facts in tools.github.installations():
        if await tools.around.counts(facts.account):
            installation = await save_installation(tools, facts)
            if installation.state is InstallationState.ACTIVE:
                yield installation


async def sweep_installation(
    tools: Tools,
    installation_id: InstallationId,
    *,
    everything: bool = False,
    repository: str | None = None,
    dry_run: bool = False,
) -> Counts:
    """Compare one installation's alerts, or one repository's, with ours; raises GitHubError.

    It may end anywhere and start again: what is stored already changes nothing. The first one of an installation
    stores what is there without a card for each, and posts one summary to a channel.
    """
    # 1. How far the last sweep came.
    started = tools.clock.now()
    async with tools.db.read() as tx:
        installation = await repositories.load_installation(tx, installation_id)
        last = progress_from(await marks.load(tx, _mark(installation_id)))
    counts = Counts()
    if installation is None or installation.state is not InstallationState.ACTIVE:
        return counts
    everything = everything or repository is not None or wants_all(last, started)
    # 2. GitHub's alerts, the latest change first, and those of ours that differ.
    batch: list[Seen] = []
    async for seen in _listed(tools, installation, repository, None if everything else last):
        counts.seen += 1
        batch.append(seen)
        if len(batch) == BATCH:
            await _take_over(tools, installation, batch, last, started, counts, dry_run=dry_run)
            batch = []
    await _take_over(tools, installation, batch, last, started, counts, dry_run=dry_run)
    if dry_run:
        return counts
    if repository is None:
        await ask_about_moved(tools, installation_id)
    # 3. Done: note it, and let the summaries go out.
    async with tools.db.begin() as tx:
        if repository is None:
            progress = Progress(started, started if everything or last is None else last.all_at)
            await marks.save(tx, _mark(installation_id), progress.to_json())
        for key in await summaries.unposted(tx, _summary(installation_id, last)):
            message = await messages.load(tx, key)
            assert message is not None
            await jobs.enqueue(tx, publishing(message))
    tools.metrics.swept.labels("seen").inc(counts.seen)
    tools.metrics.swept.labels("new").inc(counts.new)
    tools.metrics.swept.labels("changed").inc(counts.changed)
    log.info(
        "swept", installation_id=installation_id, seen=counts.seen, new=counts.new, changed=counts.changed
    )
    return counts


async def _listed(
    tools: Tools, installation: Installation, only: str | None, last: Progress | None
) -> AsyncIterator[Seen]:
    """What GitHub lists: default patterns and generic ones, up to what the last sweep has seen already."""
    until = last.until if last is not None else None
    for types in ((), GENERIC_TYPES):
        try:
            async for seen in _pages(tools, installation, only, types, until):
                yield seen
        except Invalid:
            # An older server knows fewer generic types, and refuses those it does not know.
            log.info("generic_types_not_listed", installation_id=installation.id)


async def _pages(
    tools: Tools,
    installation: Installation,
    only: str | None,
    types: tuple[str, ...],
    until: UnixTime | None,
) -> AsyncIterator[Seen]:
    access = tools.github.of(installation.id)
    if installation.account_type == "Organization" and only is None:
        found = access.organization_alerts(installation.account.login, secret_types=types)
        async for repository, facts in found:
            if _is_before(facts, until):
                break
            yield Seen(repository, facts)
        return
    # A user's account has no list of its own, and each repository's begins with what changed last in it.
    async for repository in access.repositories():
        if only is not None and repository.full_name.lower() != only.lower():
            continue
        try:
            async for facts in access.repository_alerts(repository.full_name, secret_types=types):
                if _is_before(facts, until):
                    break
                yield Seen(repository, facts)
        except (FeatureOff, NotFound):
            # GitHub's docs: 404 where secret scanning is off in the repository.
            continue


def _is_before(facts: AlertFacts, until: UnixTime | None) -> bool:
    return until is not None and facts.updated_at is not None and facts.updated_at < until


async def _take_over(
    tools: Tools,
    installation: Installation,
    batch: list[Seen],
    last: Progress | None,
    started: UnixTime,
    counts: Counts,
    *,
    dry_run: bool,
) -> None:
    """Store what is new or differs, in one transaction."""
    moved: list[Repository] = []
    async with tools.db.begin() as tx:
        known = await alerts.versions(tx, [_key(seen) for seen in batch])
        for seen in batch:
            version = known.get(_key(seen))
            if version is not None and is_unchanged(seen.alert, version):
                continue
            counts.new += version is None
            counts.changed += version is not None
            if not dry_run:
                moved += await _store(tx, tools, installation, seen, last, started)
    for repository in moved:
        await ask_repository(tools, repository)


async def _store(
    tx: Tx, tools: Tools, installation: Installation, seen: Seen, last: Progress | None, started: UnixTime
) -> list[Repository]:
    """Store one alert; returns its repository if that has another name now, to be asked about."""
    if await alerts.is_claimed(tx, _key(seen)):
        # Somebody's close or report is under way: what it changes is recorded under their name, not as GitHub's.
        return []
    known = await repositories.load_repository(tx, RepositoryId(seen.repository.id))
    repository = known or new_repository(seen.repository, installation.id)
    if known is None:
        await repositories.save_repository(tx, repository)
    old = is_old(seen.alert, last)
    summary = _summary(installation.id, last) if old else None
    await record(tx, tools, repository, None, seen.alert, sender=None, received_at=started, summary=summary)
    renamed = known is not None and known.full_name != seen.repository.full_name
    return [repository] if renamed else []


def _key(seen: Seen) -> AlertKey:
    return AlertKey(RepositoryId(seen.repository.id), AlertNumber(seen.alert.number))


def _mark(installation_id: InstallationId) -> str:
    return f"sweep:{installation_id}"


def _summary(installation_id: InstallationId, last: Progress | None) -> str:
    """One for what the first sweep finds, and one for each later time that old alerts come into view."""
    return f"first:{installation_id}" if last is None else f"first:{installation_id}:{int(last.finished_at)}"
