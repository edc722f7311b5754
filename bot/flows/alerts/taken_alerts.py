"""Checks who has taken an alert: keeps GitHub's assignee in line, and releases alerts of people without access."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows import repository_access
from bot.flows.alerts.store_alert import plan_consequences, store_alert
from bot.flows.audit import build_entry, in_own_name
from bot.flows.build_case import load_alert
from bot.flows.people import roles
from bot.flows.people.own_name import writer
from bot.job_kinds import CheckHolders, SyncAssignee
from bot.job_rows import new_job
from bot.rules.assignment import (
    Assignment,
    assignment_change,
    is_free_to_assign,
    may_be_assigned,
)
from bot.rules.outsiders import outsider_reason
from bot.rules.rights import Rights
from bot.views.refusals import github_reason
from integrations.github.errors import Forbidden, GitHubError, Invalid, NotFound
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from integrations.slack.errors import SlackError
from storage import alerts, audit, identities, jobs, leases, repositories
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AuditOutcome,
    Event,
    EventKind,
    GitHubId,
    Job,
    Person,
    Repository,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
)

log = structlog.get_logger(__name__)
NO_VIEW = "no_view"
"""Why an alert is released: GitHub does not let its holder see it. `outsider_reason` has more reasons."""
NOT_LINKED, SUSPENDED = "not_linked", "suspended"
"""The same, where the holder's link to their GitHub account has ended or gives no rights."""
NOT_ASSIGNED = "not_assigned"
"""The same, where it was handed over to somebody whom GitHub then refused as the assignee."""
HOUR = 3600.0
BUSY = 1.0
"""Seconds until the next try while an action on the alert is under way."""


async def enqueue_holder_checks(
    tx: Tx,
    *,
    person: GitHubId | None = None,
    repository: RepositoryId | None = None,
    owner: GitHubId | None = None,
) -> None:
    """Enqueue a check of all who are on an alert: of one account, one repository, one owner, or of all."""
    found = await alerts.repositories_with_taken(tx, person=person, repository=repository, owner=owner)
    await jobs.enqueue(tx, *(new_job(CheckHolders(one)) for one in found))


async def check_holders(context: Context, repository_id: RepositoryId) -> None:
    """Check whether those who are on a repository's alerts may still be; raises GitHubError.

    GitHub is asked about each person once. A job is enqueued for each alert where something has to change.
    """
    async with context.db.read() as tx:
        repository = await repositories.load_repository(tx, repository_id)
        held = await alerts.taken_or_assigned(tx, repository_id)
    if repository is None or not held:
        return
    try:
        repository, _ = await repository_access.reach(context, repository)
    except Refused:
        return
    checked: dict[GitHubId, tuple[str | None, Rights]] = {}
    for alert in held:
        holder = alert.taken_by or Person(github=alert.assigned_by_us)
        if holder.github is None:
            continue
        if holder.github.id not in checked:
            granted = await roles.rights(context, holder.github, repository, None, fresh=True)
            checked[holder.github.id] = await _ended(context, holder), granted
        ended, granted = checked[holder.github.id]
        if ended or not granted.view or _differs(alert, granted):
            async with context.db.begin() as tx:
                # Once an hour at most: if GitHub refuses, each try is audited.
                once = f"assignment:{alert.key}:{holder.github.id}:{int(tx.now / HOUR)}"
                await jobs.enqueue(tx, new_job(SyncAssignee(alert.key), dedup=once))


def _differs(alert: Alert, granted: Rights) -> bool:
    """Whether Stanch has assigned somebody who is no longer on the alert, or may no longer be assigned."""
    ours, holder = alert.assigned_by_us, alert.taken_by.github if alert.taken_by else None
    if ours is None:
        return False
    may = granted.resolve_by_role or alert.is_granted_to(ours.id)
    return holder is None or ours.id != holder.id or not may


async def sync_assignee(context: Context, key: AlertKey, by: SlackUserId | None, job: Job) -> None:
    """Make the person on an alert GitHub's assignee, and release it where they may no longer see it.

    `by` is whose click it follows: GitHub's assignee is changed in their name. Raises GitHubError where GitHub is
    down.
    """
    # 1. The alert as GitHub shows it now.
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None or not (alert.taken_by or alert.assigned_by_us):
        return
    try:
        repository, access = await repository_access.reach(context, repository)
        facts = await access.alert(repository.full_name, key.number)
    except (Refused, Forbidden, NotFound):
        return
    alert = await _store(context, repository, facts, job)
    # 2. Whether the person on it may still see it; if not, it is released.
    holder = alert.taken_by
    granted = None
    if holder is not None and holder.github is not None:
        granted = await roles.rights(context, holder.github, repository, alert, fresh=True)
    why = await _ended(context, holder) if holder else None
    assigns = context.platforms.server.assigns
    may = why is None and assigns and granted is not None and may_be_assigned(alert, granted)
    if why is None and granted is not None and not granted.view and not (may and is_free_to_assign(alert)):
        why, may = NO_VIEW, False
    if why is not None and holder is not None and alert.is_open:
        alert = await _release(context, repository, alert.key, holder, why, job)
    # 3. GitHub's assignee.
    change = assignment_change(alert, may_be_assigned=may) if assigns else None
    if change is None:
        return
    is_done = await _assign(context, repository, access, alert, change, job, by=by)
    if may and change.account is None:
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(SyncAssignee(key, by)))
    elif may and not is_done and holder is not None and granted is not None and not granted.view:
        # The hand over relied on the assignment: without it they may not see the alert.
        await _release(context, repository, alert.key, holder, NOT_ASSIGNED, job)


async def _ended(context: Context, holder: Person) -> str | None:
    """Why the holding ends by the holder's link or by Slack's facts, as one short word.

    None where it does not end, or Slack does not answer.
    """
    workspace = context.platforms.workspace
    if holder.slack_user is None or holder.github is None or workspace is None:
        return None
    async with context.db.read() as tx:
        team = SlackTeamId(workspace.team_id)
        identity = await identities.of_slack(tx, team, holder.slack_user, suspended=True)
    if identity is None or identity.github.id != holder.github.id:
        return NOT_LINKED
    if identity.suspension is not None:
        return SUSPENDED
    try:
        return outsider_reason(await context.platforms.person(holder.slack_user, fresh=True), workspace)
    except SlackError as error:
        log.warning("person_not_asked", user=holder.slack_user, reason=error.code)
        return None


async def _store(context: Context, repository: Repository, facts: AlertFacts, job: Job) -> Alert:
    key = AlertKey.parse(f"{repository.id}/{facts.number}")
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        if await alerts.is_claimed(tx, key):
            # What somebody's close changes is recorded under their name, not as GitHub's.
            raise RetryLater(tx.now + BUSY, "an action on this alert is under way")
        return await store_alert(tx, context, repository, None, facts, sender=None, received_at=tx.now)


async def _release(
    context: Context, repository: Repository, key: AlertKey, holder: Person, why: str, job: Job
) -> Alert:
    """Take the holder off the alert; a reply in its thread says why."""
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        alert = await alerts.load_for_update(tx, key)
        if alert is None or alert.taken_by != holder:
            raise RetryLater(tx.now, "somebody else is on the alert meanwhile")
        after = replace(alert, taken_by=None, taken_at=None)
        await alerts.save(tx, after)
        released = Event(key, EventKind.RELEASED, tx.now, holder, {"because": why})
        await plan_consequences(tx, context, after, repository, await alerts.add_events(tx, (released,)))
        name = repository.full_name
        entry = build_entry("release", AuditOutcome.DONE, holder, alert=key, repository=name, reason=why)
        await audit.append(tx, entry)
    return after


async def _assign(
    context: Context,
    repository: Repository,
    access: RepositoryAccess,
    alert: Alert,
    change: Assignment,
    job: Job,
    *,
    by: SlackUserId | None,
) -> bool:
    """Change GitHub's assignee, and record the result; False if GitHub refuses it (401, 403, 404, 422)."""
    account = change.account
    if account is not None:
        # GitHub takes a login, and logins change hands: use the one that the account's id has now.
        account = await roles.present_account(context, repository, account)
        if account is None:
            return False
        # Stored before the call: if the answer is lost, the assignment can still be taken back later.
        await _store_assignment(context, alert.key, account, job)
    refused: GitHubError | Refused | None = None
    facts: AlertFacts | None = None
    in_own = False
    try:
        login, name, number = account.login if account else None, repository.full_name, alert.key.number
        write, in_own = await writer(context, by, repository, access)
        facts = await write(lambda calls: calls.assign(name, number, login))
    except (Invalid, Forbidden, NotFound, Refused) as error:
        refused = error
        log.warning("not_assigned", alert=str(alert.key), reason=str(error))
    about = account or alert.assigned_by_us
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        current = await alerts.load_for_update(tx, alert.key)
        if current is None:
            return False
        after = _after(current, account, facts)
        await alerts.save(tx, after)
        await plan_consequences(tx, context, after, repository, ())
        outcome = AuditOutcome.FAILED if refused else AuditOutcome.DONE
        holds = current.taken_by is not None and _same(current.taken_by.github, about)
        reason = _reason(alert, account, holds=holds)
        reason = in_own_name(reason) if in_own else reason
        if refused is not None:
            reason = f"{reason}: {_why(refused)}"
        who = (current.taken_by if holds else None) or Person(github=about)
        action = "assign" if account else "unassign"
        entry = build_entry(action, outcome, who, alert=alert.key, repository=name, reason=reason)
        await audit.append(tx, entry)
    return refused is None


def _why(refused: GitHubError | Refused) -> str:
    if isinstance(refused, Refused):
        return refused.audited
    return github_reason(refused) or type(refused).__name__


def _reason(alert: Alert, account: Account | None, *, holds: bool) -> str:
    """Why GitHub's assignee changes, for the audit log; `holds`: the person to unassign is still on the alert."""
    if account is not None:
        return "granted" if alert.is_granted_to(account.id) else "taken"
    if holds:
        return "role_lost"
    return "stepped_back" if alert.hand_over is None else "handed_over"


async def _store_assignment(context: Context, key: AlertKey, account: Account, job: Job) -> None:
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        current = await alerts.load_for_update(tx, key)
        if current is not None:
            await alerts.save(tx, replace(current, assigned_by_us=account))


def _after(current: Alert, account: Account | None, facts: AlertFacts | None) -> Alert:
    """The alert after the call, with the assignee of GitHub's answer; the rest comes by its webhook."""
    if facts is None:
        # GitHub refused, so an earlier assignment by Stanch is still there.
        still = current.assigned_by_us if _same(current.assigned_by_us, current.assigned_to) else None
        return replace(current, assigned_by_us=still)
    named = facts.assigned_to
    now = Account(GitHubId(named.id), named.login) if named else None
    return replace(current, assigned_to=now, assigned_by_us=account if _same(now, account) else None)


def _same(one: Account | None, other: Account | None) -> bool:
    return one is not None and other is not None and one.id == other.id
