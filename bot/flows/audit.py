"""Builds the entries of the audit log, and writes those of refused and failed requests."""

from typing import Any

from bot.actions.action import Action
from bot.context import Context
from bot.errors import Refused
from bot.requests import ActionRequest
from storage import audit, identities, repositories
from storage.db import Tx
from storage.records import (
    AlertKey,
    AuditEntry,
    AuditOutcome,
    Person,
    Repository,
    SlackTeamId,
    SlackUserId,
)

LOOK_UP_REFUSALS = frozenset(
    {
        *("bot", "deactivated", "guest", "other_organization", "shared_channel"),
        *("not_linked", "suspended", "directory_alone", "sign_in_needed"),
        *("no_role", "unknown_alert"),
    }
)
"""Reasons for which a refused look-up is audited: all about the person or the alert, none about a mistyped filter."""


def build_entry(
    action: str,
    outcome: AuditOutcome,
    person: Person | None = None,
    *,
    alert: AlertKey | None = None,
    repository: str | None = None,
    reason: str | None = None,
) -> AuditEntry:
    """An entry of the audit log; `repository` is the full name of the alert's repository."""
    account = person.github if person else None
    return AuditEntry(
        action=action,
        outcome=outcome,
        slack_team=person.slack_team if person else None,
        slack_user=person.slack_user if person else None,
        github_login=account.login if account else None,
        github_id=account.id if account else None,
        repository_id=alert.repository_id if alert else None,
        repository=repository,
        alert_number=alert.number if alert else None,
        reason=reason,
    )


def build_action_entry(
    action: Action[Any],
    request: ActionRequest,
    outcome: AuditOutcome,
    reason: str | None,
    person: Person,
    repository: Repository | None,
) -> AuditEntry:
    """The entry of a click or submit."""
    return build_entry(
        action.audited_as,
        outcome,
        person,
        alert=request.alert,
        repository=repository.full_name if repository else None,
        reason=reason,
    )


async def requester(tx: Tx, context: Context, team: SlackTeamId, user: SlackUserId) -> Person:
    """Who made a request, with the GitHub account if there is one; a suspended link names it too.

    On Enterprise Grid a request names the person's own workspace. Identities are stored for ours.
    """
    workspace = context.platforms.workspace
    ours = SlackTeamId(workspace.team_id) if workspace else team
    identity = await identities.of_slack(tx, ours, user, suspended=True)
    return Person(team, user) if identity is None else Person(ours, user, identity.github)


def in_own_name(reason: str | None) -> str:
    """The reason of an entry about a change that GitHub shows under the person's own name, not the App's."""
    return f"{reason}, in own name" if reason else "in own name"


async def audit_failure(
    tx: Tx, context: Context, action: Action[Any], request: ActionRequest, outcome: AuditOutcome, reason: str
) -> None:
    """Audit and count a click or submit that was refused or failed.

    Call it last in the transaction: other writers of the audit log wait until the transaction ends.
    """
    person = await requester(tx, context, request.team, request.user)
    repository = await repositories.load_repository(tx, request.alert.repository_id)
    await audit.append(tx, build_action_entry(action, request, outcome, reason, person, repository))
    context.metrics.actions.labels(action.audited_as, outcome).inc()


async def audit_refused_look_up(
    context: Context, team: SlackTeamId, user: SlackUserId, refused: Refused
) -> None:
    """Audit a refused look-up if its reason is one of LOOK_UP_REFUSALS."""
    if refused.reason not in LOOK_UP_REFUSALS:
        return
    async with context.db.begin() as tx:
        person = await requester(tx, context, team, user)
        entry = build_entry("look_up", AuditOutcome.REFUSED, person, reason=refused.reason)
        await audit.append(tx, entry)
