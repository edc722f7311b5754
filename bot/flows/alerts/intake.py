"""Handles stored deliveries: checks whose they are, fetches what they leave out, stores what follows."""

from dataclasses import dataclass, replace

import structlog

from bot.context import Context
from bot.flows import repository_access
from bot.flows.alerts import installations
from bot.flows.alerts.commit_author import NOT_ASKED, fetch_author
from bot.flows.alerts.fetch_alert import fetch_alert
from bot.flows.alerts.flood_intake import work_together
from bot.flows.alerts.store_alert import DETAILS_TRIES, details_job, plan_consequences, store_alert
from bot.flows.audit import build_entry
from bot.flows.build_case import load_alert
from bot.flows.people.tokens import end_revoked
from bot.rules.alert_merge import is_known_location, location_from_facts
from bot.rules.masking import mask
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import GitHubError, GitHubRateLimited, Unavailable, Unreachable
from integrations.github.webhook_events import (
    AlertEvent,
    AuthorizationEvent,
    Ignored,
    InstallationEvent,
    LocationEvent,
    MembershipEvent,
    Parsed,
    RepositoryEvent,
    parse_event,
)
from storage import alerts, audit, deliveries, jobs, leases, repositories
from storage.db import Tx
from storage.priorities import Priority
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    AuditOutcome,
    Delivery,
    Event,
    EventKind,
    GitHubId,
    Installation,
    InstallationId,
    InstallationState,
    Job,
    Person,
    Repository,
    RepositoryId,
)

log = structlog.get_logger(__name__)
DETAILS_IN_OUTAGE = 5
"""During an outage the number of the try stops at this one: then details are fetched every five minutes."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a delivery's job, and what is stored about the delivery's alert."""

    delivery: Delivery
    job: Job
    installation: Installation | None = None
    repository: Repository | None = None

    async def end(self, tx: Tx, outcome: str) -> str:
        """End the job and the delivery with the caller's change. Raises LeaseLost."""
        await leases.finish(tx, self.job)
        await deliveries.finish(tx, self.delivery.guid, outcome)
        return outcome


async def receive(context: Context, guid: str, job: Job) -> None:
    """Handle one stored delivery; its end is recorded with what follows from it."""
    # 1. The delivery, and what is stored about the repository it names.
    async with context.db.read() as tx:
        delivery = await deliveries.load(tx, guid)
        if delivery is None:
            return
        event = parse_event(delivery.event, delivery.body)
        run = _Run(delivery, job)
        if isinstance(event, AlertEvent | LocationEvent) and event.installation_id is not None:
            stored = InstallationId(event.installation_id), RepositoryId(event.repository.id)
            run = _Run(delivery, job, *await repositories.load_with_installation(tx, *stored))
    # 2. What follows from it, if it belongs to an account that Stanch serves.
    outcome = await _handle(context, event, run)
    context.metrics.deliveries.labels(outcome).inc()


async def _handle(context: Context, event: Parsed, run: _Run) -> str:
    """Returns the delivery's outcome, one short word."""
    account = None
    match event:
        case AlertEvent() | LocationEvent():
            return await _handle_alert(context, event, run)
        case InstallationEvent():
            account = event.installation.account
        case MembershipEvent():
            account = event.owner
    if account is not None and not await context.platforms.is_ours(account):
        return await _refuse_foreign(context, account, run)
    match event:
        case Ignored(reason):
            outcome = reason
        case InstallationEvent():
            outcome = await installations.handle_installation(context, event)
        case MembershipEvent():
            outcome = await installations.handle_membership(context, event)
        case RepositoryEvent():
            outcome = await installations.handle_repository(context, event)
        case AuthorizationEvent():
            outcome = await end_revoked(context, GitHubId(event.account.id), run.delivery.received_at)
    async with context.db.begin() as tx:
        return await run.end(tx, outcome)


async def _handle_alert(context: Context, event: AlertEvent | LocationEvent, run: _Run) -> str:
    """An alert was created or changed, or its secret was found at another location."""
    # 1. The installation, and whether Stanch serves its account.
    installation, stored = run.installation, run.repository
    if installation is None or installation.state is not InstallationState.ACTIVE:
        installation = await installations.ask_installation_of(
            context, event.installation_id, event.repository.full_name
        )
        async with context.db.read() as tx:
            stored = await repositories.load_repository(tx, RepositoryId(event.repository.id))
    if installation is None:
        async with context.db.begin() as tx:
            return await run.end(tx, "no_installation")
    account = GitHubAccount(installation.account.id, installation.account.login)
    if not await context.platforms.is_ours(account):
        return await _refuse_foreign(context, account, run, event)
    # 2. The alert as GitHub shows it now: a delivery may be old, and leaves details out.
    repository = repository_access.new_repository(event.repository, installation.id)
    if stored is not None:
        repository = replace(stored, installation_id=installation.id)
    in_flood = run.job.priority == Priority.FLOOD and repository == stored
    if in_flood and await work_together(context, repository, run.job, run.delivery, event):
        return "stored"
    number, fetched = AlertNumber(event.alert.number), None
    try:
        repository, fetched = await fetch_alert(context, repository, number, delivered=event.repository)
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=number, reason=str(error))
    commit = await fetch_author(context, repository, fetched)
    # 3. The alert, its timeline, its planned messages and the delivery's end, in one transaction.
    async with context.db.begin() as tx:
        await run.end(tx, "stored")
        if repository != stored:
            await repositories.save_repository(tx, repository)
        alert = await store_alert(
            tx,
            context,
            repository,
            event.alert,
            fetched,
            sender=event.sender if isinstance(event, AlertEvent) else None,
            received_at=run.delivery.received_at,
            is_created=isinstance(event, AlertEvent) and event.action == "created",
            commit=commit,
        )
        if isinstance(event, LocationEvent):
            await _add_location(tx, context, alert, repository, event)
    return "stored"


async def fetch_details(context: Context, key: AlertKey, attempt: int) -> None:
    """Fetch the details that were missing when the alert was stored; `attempt` counts from 0."""
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None:
        return
    is_down, fetched = False, None
    try:
        repository, fetched = await fetch_alert(context, repository, key.number)
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=key.number, reason=str(error))
        is_down = isinstance(error, GitHubRateLimited | Unavailable | Unreachable)
    commit = await fetch_author(context, repository, fetched)
    if fetched is not None:
        # The job below asks for a late author.
        answered = NOT_ASKED if commit.is_late else commit
        async with context.db.begin() as tx:
            await store_alert(
                tx,
                context,
                repository,
                None,
                fetched,
                sender=None,
                received_at=alert.first_seen_at,
                commit=answered,
            )
    is_down = is_down or commit.is_late
    if is_down or (fetched is None and attempt + 1 < len(DETAILS_TRIES)):
        # An outage says nothing about the alert, however long it lasts.
        following = min(attempt + 1, DETAILS_IN_OUTAGE) if is_down else attempt + 1
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, details_job(key, following))
    elif fetched is None:
        log.warning("details_missing", alert=str(key), hint="GitHub does not show this alert to Stanch")


async def _add_location(
    tx: Tx, context: Context, alert: Alert, repository: Repository, event: LocationEvent
) -> None:
    """Note another location of a secret; the one that the alert names already is no news."""
    if is_known_location(alert, event.location):
        return
    place = location_from_facts(event.location)
    once = f"place:{place.kind}:{place.path}:{place.line}:{place.commit_sha or place.url}"
    added = Event(alert.key, EventKind.PLACE_ADDED, tx.now, details={"path": place.path}, once=once)
    stored = await alerts.add_events(tx, (added,))
    if stored:
        after = replace(alert, place=alert.place or place, has_more_places=alert.place is not None)
        await alerts.save(tx, after)
        await plan_consequences(tx, context, after, repository, stored)


async def _refuse_foreign(
    context: Context, account: GitHubAccount, run: _Run, about: AlertEvent | LocationEvent | None = None
) -> str:
    """Drop and audit a delivery of an account that the operator did not name."""
    alert = AlertKey(RepositoryId(about.repository.id), AlertNumber(about.alert.number)) if about else None
    entry = build_entry(
        "delivery",
        AuditOutcome.REFUSED,
        Person(github=Account(GitHubId(account.id), account.login)),
        alert=alert,
        repository=mask(about.repository.full_name) if about else None,
        reason="foreign_account",
    )
    async with context.db.begin() as tx:
        outcome = await run.end(tx, "foreign")
        await audit.append(tx, entry)
    log.warning("foreign_delivery", account_id=account.id)
    return outcome
