"""What the audit log keeps of a click or a submit."""

from typing import Any

from bot.actions.action import Action, ActionRequest
from bot.context import Context
from storage import audit, identities, repositories
from storage.db import Tx
from storage.records import AuditEntry, AuditOutcome, Identity, Repository


async def note(
    tx: Tx, context: Context, action: Action[Any], request: ActionRequest, outcome: AuditOutcome, reason: str
) -> None:
    """Write down and count what was not done; last in its transaction: all writers of the log wait for it."""
    identity = await identities.of_slack(tx, request.team, request.user)
    repository = await repositories.load_repository(tx, request.alert.repository_id)
    await audit.append(tx, entry(action, request, outcome, reason, identity, repository))
    context.metrics.actions.labels(action.audited_as, outcome).inc()


def entry(
    action: Action[Any],
    request: ActionRequest,
    outcome: AuditOutcome,
    reason: str | None,
    identity: Identity | None,
    repository: Repository | None,
) -> AuditEntry:
    return AuditEntry(
        action=action.audited_as,
        outcome=outcome,
        slack_team=request.team,
        slack_user=request.user,
        github_login=identity.github.login if identity else None,
        github_id=identity.github.id if identity else None,
        repository_id=request.alert.repository_id,
        repository=repository.full_name if repository else None,
        alert_number=request.alert.number,
        reason=reason,
    )
