"""Limits what one person may do within an hour: audits each intent, and tells the default channel of a refusal."""

from typing import Any

from bot.actions.action import Action
from bot.context import Context
from bot.errors import LimitReached
from bot.flows.audit import build_action_entry, requester
from bot.flows.messages.notices import plan_notice
from bot.requests import ActionRequest
from bot.rules.case import Actor
from bot.views.refusals import limit_reached
from storage import audit
from storage.db import Tx
from storage.records import AuditOutcome, Identity, Repository, StoredJson

HOUR = 3600.0
WAITED = "waited"
"""The reason of an intent whose request had to wait, after its first one."""
APPROVED = "approved"
"""The reason of an intent that a second person has approved; it was counted when the first asked."""


async def check_limit(context: Context, action: Action[Any], identity: Identity) -> None:
    """Raise LimitReached before a person fills in a form; `audit_intent` decides once more when it is submitted."""
    most = action.most_per_hour(context.options.limits)
    if most is None:
        return
    async with context.db.read() as tx:
        until = await audit.full_until(tx, identity.github.id, action.audited_as, most=most, seconds=HOUR)
    if until is not None:
        raise limit_reached(action.audited_as, most, until)


async def audit_intent(
    tx: Tx,
    context: Context,
    action: Action[Any],
    request: ActionRequest,
    actor: Actor,
    repository: Repository,
) -> None:
    """Audit that a person is about to act; raises LimitReached if they have done so too often within an hour.

    A request that had waited, or was approved, was counted when it was made, and is not refused for the limit. On
    PostgreSQL other writers of the audit log wait until the transaction ends.
    """
    most = None if request.is_promised else action.most_per_hour(context.options.limits)
    reason = WAITED if request.waited else APPROVED if request.approval else None
    entry = build_action_entry(action, request, AuditOutcome.INTENDED, reason, actor.person, repository)
    if most is None:
        await audit.append(tx, entry)
        return
    until = await audit.append_within(tx, entry, most=most, seconds=HOUR)
    if until is not None:
        raise limit_reached(action.audited_as, most, until)


async def tell_of_limit(
    tx: Tx, context: Context, action: Action[Any], request: ActionRequest, refused: LimitReached
) -> None:
    """Tell the default channel who has reached which limit, at most once in an hour."""
    if context.default_channel is None:
        return
    person = await requester(tx, context, request.team, request.user)
    facts: dict[str, StoredJson] = {
        "kind": "limit_reached",
        "action": action.audited_as,
        "by": person.github.login if person.github else None,
        "user": request.user,
        "most": refused.most,
        "until": refused.until,
    }
    subject = f"limit:{action.audited_as}:{request.team}:{request.user}:{int(tx.now // HOUR)}"
    await plan_notice(tx, context.default_channel, subject, facts)
