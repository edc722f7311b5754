"""The story of a webhook: whose it is, what GitHub says of the alert, and what is stored and shown."""

from dataclasses import replace

import structlog

from bot.errors import Refused, RetryLater
from bot.flows import authorize
from bot.flows.consequences import follow
from bot.flows.events import store_events
from bot.flows.installations import find_installation, hear_installation, hear_membership, hear_repository
from bot.rules.lifecycle import events_between, follow_assignment, merge, place_of
from bot.rules.masking import mask
from bot.tools import Tools
from integrations.github.errors import GitHubError, NotFound
from integrations.github.json_values import GitHubAccount
from integrations.github.models import AlertFacts, RepositoryFacts
from integrations.github.webhook import (
    AlertEvent,
    Ignored,
    InstallationEvent,
    LocationEvent,
    MembershipEvent,
    Parsed,
    RepositoryEvent,
    parse,
)
from storage import alerts, audit, deliveries, identities, jobs, repositories
from storage.db import Tx
from storage.records import (
    Account,
    AlertKey,
    AlertNumber,
    AuditEntry,
    AuditOutcome,
    Event,
    EventKind,
    GitHubId,
    Installation,
    InstallationId,
    JsonValue,
    NewJob,
    Person,
    Repository,
    RepositoryId,
    SlackTeamId,
    UnixTime,
)

log = structlog.get_logger(__name__)
DETAILS_WAIT = 5.0
"""Seconds for which a new card waits for the details; GitHub's read side may lag behind its webhook."""
DETAILS_TRIES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between the tries to fetch them."""


async def receive(tools: Tools, guid: str) -> None:
    """Work one stored delivery to its end."""
    # 1. What it says.
    async with tools.db.read() as tx:
        delivery = await deliveries.load(tx, guid)
    if delivery is None:
        return
    said = parse(delivery.event, delivery.body)
    # 2. Whose it is, and what follows from it.
    outcome = await _follow(tools, said, delivery.received_at)
    # 3. Done.
    tools.metrics.deliveries.labels(outcome).inc()
    async with tools.db.begin() as tx:
        await deliveries.finish(tx, guid, outcome)


async def _follow(tools: Tools, said: Parsed, received_at: UnixTime) -> str:
    match said:
        case Ignored(reason):
            return reason
        case InstallationEvent():
            return await hear_installation(tools, said)
        case MembershipEvent():
            return await hear_membership(tools, said)
        case RepositoryEvent():
            return await hear_repository(tools, said)
        case AlertEvent() | LocationEvent():
            return await _hear_alert(tools, said, received_at)


async def _hear_alert(tools: Tools, said: AlertEvent | LocationEvent, received_at: UnixTime) -> str:
    """An alert was made or changed, or its secret found at one more place."""
    # 1. The installation it belongs to, and whether that one is ours to serve.
    installation = await find_installation(tools, said.installation_id, said.repository.full_name)
    if installation is None:
        return "no_installation"
    if not await tools.around.counts(GitHubAccount(installation.account.id, installation.account.login)):
        await _audit_foreign(tools, said.repository, said.alert, installation)
        return "foreign"
    repository = await _known(tools, said.repository, installation.id)
    # 2. The rest, from GitHub: the webhook is a hint, and carries no details.
    repository, fetched = await _fetch(tools, repository, said.alert.number)
    # 3. The alert, its timeline and its cards, in one transaction.
    sender = said.sender if isinstance(said, AlertEvent) else None
    await store(tools, repository, said.alert, fetched, sender=sender, received_at=received_at)
    if isinstance(said, LocationEvent):
        await _add_place(tools, repository, said)
    return "stored"


async def complete(tools: Tools, key: AlertKey, attempt: int) -> None:
    """Fetch the details that were missing when the alert was first heard of."""
    async with tools.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
    if alert is None or repository is None:
        return
    repository, fetched = await _fetch(tools, repository, key.number)
    if fetched is not None:
        await store(tools, repository, None, fetched, sender=None, received_at=alert.first_seen_at)
    elif attempt + 1 < len(DETAILS_TRIES):
        async with tools.db.begin() as tx:
            await jobs.enqueue(tx, _completing(key, attempt + 1))
    else:
        log.warning("details_missing", alert=str(key), hint="GitHub does not show this alert to Stanch")


async def store(
    tools: Tools,
    repository: Repository,
    heard: AlertFacts | None,
    fetched: AlertFacts | None,
    *,
    sender: GitHubAccount | None,
    received_at: UnixTime,
) -> None:
    """Insert or update an alert from what a webhook said and what GitHub answered; then plan its messages."""
    facts = fetched or heard
    assert facts is not None
    key = AlertKey(repository.id, AlertNumber(facts.number))
    async with tools.db.begin() as tx:
        await repositories.save_repository(tx, repository)
        before = await alerts.load_for_update(tx, key)
        after = before
        if heard is not None:
            after = merge(after, heard, repository.id, tx.now, fetched=False)
        if fetched is not None:
            after = merge(after, fetched, repository.id, tx.now, fetched=True)
        assert after is not None
        after = follow_assignment(before, after, await find_person(tx, tools, after.assigned_to))
        if before is None and not await alerts.insert(tx, after):
            # Another process was faster by a moment; what it stored is merged with at the next try.
            raise RetryLater(tx.now, "another delivery of the same alert came first")
        if before is not None and after != before:
            await alerts.save(tx, after)
        by = _person(sender) if before is not None and after.state is not before.state else None
        stored = await store_events(tx, events_between(before, after, tx.now, by=by))
        late = fetched is None and before is None
        waited = max(0.0, DETAILS_WAIT - (tx.now - received_at)) if late else 0.0
        if before != after:
            await follow(tx, tools, after, repository, stored, delay=waited)
        if fetched is None and not after.detailed:
            await jobs.enqueue(tx, _completing(key, 0))


async def find_person(tx: Tx, tools: Tools, account: Account | None) -> Person | None:
    """Who a GitHub account is here: with the Slack user where one is linked."""
    if account is None:
        return None
    home = tools.around.home
    identity = await identities.of_github(tx, SlackTeamId(home.team_id), account.id) if home else None
    return Person(identity.slack_team, identity.slack_user, account) if identity else Person(github=account)


async def _fetch(tools: Tools, repository: Repository, number: int) -> tuple[Repository, AlertFacts | None]:
    """The repository and the alert as GitHub shows them now; no facts where it does not (yet)."""
    try:
        repository, _, access = await authorize.reach(tools, repository)
        return repository, await access.alert(repository.full_name, AlertNumber(number))
    except (NotFound, Refused):
        return repository, None
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=number, reason=str(error))
        return repository, None


def _completing(key: AlertKey, attempt: int) -> NewJob:
    payload: dict[str, JsonValue] = {"alert": str(key), "attempt": attempt}
    return NewJob("details", payload, key=f"alert:{key}", delay=DETAILS_TRIES[attempt])


async def _add_place(tools: Tools, repository: Repository, said: LocationEvent) -> None:
    key = AlertKey(repository.id, AlertNumber(said.alert.number))
    place = place_of(said.location)
    where = f"{place.kind}:{place.path}:{place.line}:{place.commit_sha or place.url}"
    async with tools.db.begin() as tx:
        before = await alerts.load_for_update(tx, key)
        if before is None:
            return
        known = before.place is not None and replace(before.place, url=None) == replace(place, url=None)
        if known:
            return
        event = Event(key, EventKind.PLACE_ADDED, tx.now, details={"path": place.path}, once=f"place:{where}")
        stored = await store_events(tx, (event,))
        if stored:
            after = replace(before, place=before.place or place, has_more_places=before.place is not None)
            await alerts.save(tx, after)
            await follow(tx, tools, after, repository, stored)


async def _audit_foreign(
    tools: Tools, repository: RepositoryFacts, alert: AlertFacts, installation: Installation
) -> None:
    """A delivery of an account that the operator did not name: dropped, and written down."""
    async with tools.db.begin() as tx:
        row = await audit.append(
            tx,
            AuditEntry(
                action="delivery",
                outcome=AuditOutcome.REFUSED,
                github_login=installation.account.login,
                github_id=installation.account.id,
                repository_id=RepositoryId(repository.id),
                repository=mask(repository.full_name),
                alert_number=AlertNumber(alert.number),
                reason="foreign_account",
            ),
        )
    log.warning("foreign_delivery", installation_id=installation.id, seq=row.seq, head=row.hash)


async def _known(tools: Tools, facts: RepositoryFacts, installation_id: InstallationId) -> Repository:
    """The repository as it is remembered: a webhook's own words about it are old, or a hint at most."""
    async with tools.db.read() as tx:
        known = await repositories.load_repository(tx, RepositoryId(facts.id))
    return replace(known, installation_id=installation_id) if known else _repository(facts, installation_id)


def _repository(facts: RepositoryFacts, installation_id: InstallationId) -> Repository:
    return Repository(
        id=RepositoryId(facts.id),
        full_name=facts.full_name,
        owner=Account(GitHubId(facts.owner.id), facts.owner.login),
        owner_type=facts.owner_type,
        visibility=facts.visibility,
        html_url=facts.html_url,
        installation_id=installation_id,
        delegated_dismissal=facts.delegated_dismissal,
    )


def _person(account: GitHubAccount | None) -> Person | None:
    return Person(github=Account(GitHubId(account.id), account.login)) if account else None
