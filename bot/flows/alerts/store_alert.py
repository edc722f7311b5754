"""Stores an alert, its timeline, and the messages and rechecks that follow, in the caller's transaction."""

from collections.abc import Iterator, Sequence

from bot.context import Context
from bot.errors import RetryLater
from bot.flows.alerts.commit_author import NOT_ASKED, CommitAnswer
from bot.flows.messages import blocked_messages
from bot.flows.messages.owner_messages import owner_message_jobs
from bot.flows.messages.plan import plan_messages, unfold_created
from bot.job_kinds import CheckOnArrival, CorrectValidity, FetchDetails, RecheckRevoked
from bot.job_rows import new_job
from bot.rules.alert_merge import merge_facts
from bot.rules.arrival_check import has_own_card, is_check_due
from bot.rules.assignment import follow_assignment
from bot.rules.timeline import events_between
from bot.rules.validity import RECHECK_AFTER, is_override_untrue, is_probeable, is_probed
from integrations.github.accounts import GitHubAccount
from integrations.github.facts import AlertFacts
from storage import alerts, identities, jobs
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    Event,
    EventKind,
    GitHubId,
    NewJob,
    Person,
    Repository,
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
    commit: CommitAnswer = NOT_ASKED,
) -> Alert:
    """Insert or update an alert from a delivery's facts, the fetched ones, or both; then plan what follows.

    `sender` is who caused the delivery, `received_at` when it came in. With `summary`, a new card is folded into the
    summary of that subject. With `is_created`, GitHub has just created the alert: it gets a card of its own though a
    sync found it first. `commit` is what GitHub answered about its commit.
    Returns the stored alert; raises RetryLater where another process stores the same one now.
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
    after = commit.apply_to(after)
    after = follow_assignment(before, after, await find_person(tx, context, after.assigned_to))
    if before is None and not await alerts.insert(tx, after):
        # Another process was faster by a moment; what it stored is merged with at the next try.
        raise RetryLater(tx.now, "another delivery of the same alert came first")
    if before is not None and after != before:
        await alerts.save(tx, after)
    by = None
    if sender is not None and before is not None and after.state is not before.state:
        by = Person(github=Account(GitHubId(sender.id), sender.login))
    stored = await alerts.add_events(tx, events_between(before, after, tx.now, by=by))
    lacks_details = (fetched is None and not after.detailed) or commit.is_late
    checks: tuple[NewJob, ...] = ()
    if summary is None and is_check_due(
        None if is_created else before, after, context.options.validity, tx.now
    ):
        checks = (arrival_check_job(after),)
    if before != after:
        late = fetched is None and before is None
        delay = max(0.0, DETAILS_WAIT - (tx.now - received_at)) if late else 0.0
        details = (details_job(key, 0),) if lacks_details else ()
        await plan_consequences(
            tx,
            context,
            after,
            repository,
            stored,
            delay=delay,
            summary=summary,
            more_jobs=details,
            jobs_of_cards=checks,
        )
    elif lacks_details:
        await jobs.enqueue(tx, details_job(key, 0))
    if is_created and before is not None:
        await unfold_created(tx, after, repository)
        await jobs.enqueue(tx, *checks)
    return after


async def plan_consequences(
    tx: Tx,
    context: Context,
    alert: Alert,
    repository: Repository,
    events: Sequence[Event],
    *,
    delay: float = 0.0,
    summary: str | None = None,
    more_jobs: Sequence[NewJob] = (),
    jobs_of_cards: Sequence[NewJob] = (),
) -> None:
    """Plan a changed alert's messages and rechecks, in the transaction of the change.

    `events` are the timeline entries that the change added. `more_jobs` are enqueued too; so are `jobs_of_cards`, if
    the alert has a card of its own. The rest is as for `plan_messages`.
    """
    cards, publishing = await plan_messages(
        tx, context, alert, repository, events, delay=delay, summary=summary
    )
    await blocked_messages.show_blocked(tx, context, alert, cards, events)
    if has_own_card(cards):
        more_jobs = (*more_jobs, *jobs_of_cards)
    to_owner = await owner_message_jobs(tx, alert, events)
    await jobs.enqueue(tx, *more_jobs, *publishing, *to_owner, *_rechecks(context, alert, events))


def _rechecks(context: Context, alert: Alert, events: Sequence[Event]) -> Iterator[NewJob]:
    closed = any(event.kind is EventKind.CLOSED for event in events)
    checked = is_probed(alert, context.options.validity) or not is_probeable(alert)
    if closed and checked and alert.resolution == "revoked" and alert.resolved_at is not None:
        yield new_job(
            RecheckRevoked(alert.key, alert.resolved_at),
            dedup=f"revoked_look:{alert.key}:{alert.resolved_at}",
            delay=RECHECK_AFTER,
        )
    if is_override_untrue(alert) and alert.probe is not None:
        yield new_job(CorrectValidity(alert.key), dedup=f"keep_validity:{alert.key}:{alert.probe.at}")


async def find_person(tx: Tx, context: Context, account: Account | None) -> Person | None:
    """The person behind a GitHub account, with the Slack user where one is linked."""
    if account is None:
        return None
    workspace = context.platforms.workspace
    if workspace is None:
        return Person(github=account)
    identity = await identities.of_github(tx, SlackTeamId(workspace.team_id), account.id)
    return Person(identity.slack_team, identity.slack_user, account) if identity else Person(github=account)


def arrival_check_job(alert: Alert) -> NewJob:
    """The check of a new token, once; and once more if its owner becomes known later."""
    owner = alert.token.owner.id if alert.token.owner else ""
    return new_job(CheckOnArrival(alert.key), dedup=f"arrival_check:{alert.key}:{owner}")


def details_job(key: AlertKey, attempt: int) -> NewJob:
    """The job that fetches the details later."""
    return new_job(FetchDetails(key, attempt), delay=DETAILS_TRIES[attempt])
