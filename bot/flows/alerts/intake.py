"""The story of a webhook: whose it is, what GitHub says of the alert, and what is stored and shown."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.alerts.after_change import follow
from bot.flows.alerts.installations import (
    find_installation,
    hear_installation,
    hear_membership,
    hear_repository,
)
from bot.flows.alerts.store_alert import DETAILS_TRIES, completing, new_repository, record
from bot.flows.audit import build_entry
from bot.flows.messages.plan import tell_of_new
from bot.rules.alert_merge import location_from_facts
from bot.rules.masking import mask
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import GitHubError, GitHubRateLimited, NotFound, Unavailable, Unreachable
from integrations.github.facts import AlertFacts, RepositoryFacts
from integrations.github.webhook_events import (
    AlertEvent,
    Ignored,
    InstallationEvent,
    LocationEvent,
    MembershipEvent,
    Parsed,
    RepositoryEvent,
    parse_event,
)
from storage import alerts, audit, deliveries, jobs, repositories
from storage.records import (
    Account,
    AlertKey,
    AlertNumber,
    AuditOutcome,
    Event,
    EventKind,
    GitHubId,
    InstallationId,
    Person,
    Repository,
    RepositoryId,
    UnixTime,
)

log = structlog.get_logger(__name__)
DETAILS_IN_OUTAGE = 5
"""The last of the tries to fetch details that an outage uses up: from then on it is tried every five minutes."""


async def receive(context: Context, guid: str) -> None:
    """Work one stored delivery to its end."""
    # 1. What it says.
    async with context.db.read() as tx:
        delivery = await deliveries.load(tx, guid)
    if delivery is None:
        return
    said = parse_event(delivery.event, delivery.body)
    # 2. Whose it is, and what follows from it.
    outcome = await _follow(context, said, delivery.received_at)
    # 3. Done.
    context.metrics.deliveries.labels(outcome).inc()
    async with context.db.begin() as tx:
        await deliveries.finish(tx, guid, outcome)


async def _follow(context: Context, said: Parsed, received_at: UnixTime) -> str:
    match said:
        case Ignored(reason):
            return reason
        case InstallationEvent():
            if not await context.platforms.counts(said.installation.account):
                await _audit_foreign(context, said.installation.account)
                return "foreign"
            return await hear_installation(context, said)
        case MembershipEvent():
            if not await context.platforms.counts(said.owner):
                await _audit_foreign(context, said.owner)
                return "foreign"
            return await hear_membership(context, said)
        case RepositoryEvent():
            return await hear_repository(context, said)
        case AlertEvent() | LocationEvent():
            return await _hear_alert(context, said, received_at)


async def _hear_alert(context: Context, said: AlertEvent | LocationEvent, received_at: UnixTime) -> str:
    """An alert was made or changed, or its secret found at one more place."""
    # 1. The installation it belongs to, and whether that one is ours to serve.
    installation = await find_installation(context, said.installation_id, said.repository.full_name)
    if installation is None:
        return "no_installation"
    account = GitHubAccount(installation.account.id, installation.account.login)
    if not await context.platforms.counts(account):
        await _audit_foreign(context, account, said)
        return "foreign"
    repository = await _known(context, said.repository, installation.id)
    # 2. The rest, from GitHub: the webhook is a hint, and carries no details.
    repository, fetched = await _fetch(context, repository, said.alert.number)
    # 3. The alert, its timeline and its cards, in one transaction.
    sender = said.sender if isinstance(said, AlertEvent) else None
    async with context.db.begin() as tx:
        await repositories.save_repository(tx, repository)
        await record(tx, context, repository, said.alert, fetched, sender=sender, received_at=received_at)
        if isinstance(said, AlertEvent) and said.action == "created":
            stored = await alerts.load(tx, AlertKey(repository.id, AlertNumber(said.alert.number)))
            if stored is not None:
                await tell_of_new(tx, stored, repository)
    if isinstance(said, LocationEvent):
        await _add_place(context, repository, said)
    return "stored"


async def complete(context: Context, key: AlertKey, attempt: int) -> None:
    """Fetch the details that were missing when the alert was first heard of."""
    async with context.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
    if alert is None or repository is None:
        return
    is_down, fetched = False, None
    try:
        repository, fetched = await _ask(context, repository, key.number)
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=key.number, reason=str(error))
        is_down = isinstance(error, GitHubRateLimited | Unavailable | Unreachable)
    if fetched is not None:
        async with context.db.begin() as tx:
            await record(tx, context, repository, None, fetched, sender=None, received_at=alert.first_seen_at)
    elif is_down or attempt + 1 < len(DETAILS_TRIES):
        # An outage says nothing about the alert, however long it is.
        following = min(attempt + 1, DETAILS_IN_OUTAGE) if is_down else attempt + 1
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, completing(key, following))
    else:
        log.warning("details_missing", alert=str(key), hint="GitHub does not show this alert to Stanch")


async def _fetch(
    context: Context, repository: Repository, number: int
) -> tuple[Repository, AlertFacts | None]:
    """The repository and the alert as GitHub shows them now; no facts where it does not (yet), or can't be asked."""
    try:
        return await _ask(context, repository, number)
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=number, reason=str(error))
        return repository, None


async def _ask(context: Context, repository: Repository, number: int) -> tuple[Repository, AlertFacts | None]:
    """As `_fetch`; raises GitHubError where GitHub can't be asked."""
    try:
        repository, _, access = await repository_access.reach(context, repository)
        return repository, await access.alert_with_location(repository.full_name, AlertNumber(number))
    except (NotFound, Refused):
        return repository, None


async def _add_place(context: Context, repository: Repository, said: LocationEvent) -> None:
    key = AlertKey(repository.id, AlertNumber(said.alert.number))
    place = location_from_facts(said.location)
    where = f"{place.kind}:{place.path}:{place.line}:{place.commit_sha or place.url}"
    async with context.db.begin() as tx:
        before = await alerts.load_for_update(tx, key)
        if before is None:
            return
        known = before.place is not None and replace(before.place, url=None) == replace(place, url=None)
        if known:
            return
        event = Event(key, EventKind.PLACE_ADDED, tx.now, details={"path": place.path}, once=f"place:{where}")
        stored = await alerts.add_events(tx, (event,))
        if stored:
            after = replace(before, place=before.place or place, has_more_places=before.place is not None)
            await alerts.save(tx, after)
            await follow(tx, context, after, repository, stored)


async def _audit_foreign(
    context: Context, account: GitHubAccount, about: AlertEvent | LocationEvent | None = None
) -> None:
    """A delivery of an account that the operator did not name: dropped, and written down."""
    entry = build_entry(
        "delivery",
        AuditOutcome.REFUSED,
        Person(github=Account(GitHubId(account.id), account.login)),
        alert=AlertKey(RepositoryId(about.repository.id), AlertNumber(about.alert.number)) if about else None,
        repository=mask(about.repository.full_name) if about else None,
        reason="foreign_account",
    )
    async with context.db.begin() as tx:
        await audit.append(tx, entry)
    log.warning("foreign_delivery", account_id=account.id)


async def _known(context: Context, facts: RepositoryFacts, installation_id: InstallationId) -> Repository:
    """The repository as it is remembered: a webhook's own words about it are old, or a hint at most."""
    async with context.db.read() as tx:
        known = await repositories.load_repository(tx, RepositoryId(facts.id))
    return (
        replace(known, installation_id=installation_id) if known else new_repository(facts, installation_id)
    )
