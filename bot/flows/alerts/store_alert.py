"""Stores an alert's facts from GitHub, its timeline and what follows, in the caller's transaction."""

from bot.context import Context
from bot.errors import RetryLater
from bot.flows.alerts.after_change import plan_consequences
from bot.flows.messages.plan import unfold_created
from bot.job_kinds import FetchDetails
from bot.job_rows import new_job
from bot.rules.alert_merge import merge_facts
from bot.rules.assignment import follow_assignment
from bot.rules.timeline import events_between
from integrations.github.accounts import GitHubAccount
from integrations.github.facts import AlertFacts, RepositoryFacts
from storage import alerts, identities, jobs
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    GitHubId,
    InstallationId,
    NewJob,
    Person,
    Repository,
    RepositoryId,
    SlackTeamId,
    UnixTime,
)

DETAILS_WAIT = 5.0
"""Seconds for which a new card waits for the details; GitHub's read side may lag behind its webhook."""
DETAILS_TRIES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds before each try to fetch them."""


async def store_alert(
    tx: Tx,
    context: Context,
    repository: Repository,
    delivered: AlertFacts | None,
    fetched: AlertFacts | None,
    *,
    sender: GitHubAccount | None,
    received_at: UnixTime,
    summary: str | None = None,
    is_created: bool = False,
) -> Alert:
    """Insert or update an alert from a delivery's facts, the fetched ones, or both; then plan what follows.

    `sender` is who caused the delivery, `received_at` when it came in. With `summary`, a new card is folded into the
    summary of that subject. With `is_created`, GitHub has just created the alert: it gets a card of its own though a
    sync found it first. Returns the stored alert; raises RetryLater where another process stores the same one now.
    """
    facts = fetched or delivered
    assert facts is not None
    key = AlertKey(repository.id, AlertNumber(facts.number))
    before = await alerts.load_for_update(tx, key)
    after = before
    if delivered is not None:
        after = merge_facts(after, delivered, repository.id, tx.now, fetched=False)
    if fetched is not None:
        after = merge_facts(after, fetched, repository.id, tx.now, fetched=True)
    assert after is not None
    after = follow_assignment(before, after, await find_person(tx, context, after.assigned_to))
    if before is None and not await alerts.insert(tx, after):
        # Another process was faster by a moment; what it stored is merged with at the next try.
        raise RetryLater(tx.now, "another delivery of the same alert came first")
    if before is not None and after != before:
        await alerts.save(tx, after)
    by = _person(sender) if before is not None and after.state is not before.state else None
    stored = await alerts.add_events(tx, events_between(before, after, tx.now, by=by))
    lacks_details = fetched is None and not after.detailed
    if before != after:
        late = fetched is None and before is None
        delay = max(0.0, DETAILS_WAIT - (tx.now - received_at)) if late else 0.0
        details = (details_job(key, 0),) if lacks_details else ()
        await plan_consequences(
            tx, context, after, repository, stored, delay=delay, summary=summary, more_jobs=details
        )
    elif lacks_details:
        await jobs.enqueue(tx, details_job(key, 0))
    if is_created and before is not None:
        await unfold_created(tx, after, repository)
    return after


async def find_person(tx: Tx, context: Context, account: Account | None) -> Person | None:
    """The person behind a GitHub account, with the Slack user where one is linked."""
    if account is None:
        return None
    home = context.platforms.home
    identity = await identities.of_github(tx, SlackTeamId(home.team_id), account.id) if home else None
    return Person(identity.slack_team, identity.slack_user, account) if identity else Person(github=account)


def details_job(key: AlertKey, attempt: int) -> NewJob:
    """The job that fetches the details later."""
    return new_job(FetchDetails(key, attempt), delay=DETAILS_TRIES[attempt])


def new_repository(facts: RepositoryFacts, installation_id: InstallationId) -> Repository:
    """A repository that is not stored yet, from GitHub's facts."""
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
