"""Loads an alert, and builds its case: the facts that drawings and decisions look at."""

from collections.abc import Mapping

from bot.context import Context
from bot.rules.case import Case
from bot.rules.checklist import Tick, done_count, has_checklist, steps_for, ticks
from bot.rules.commit_author import shown_author
from storage import alerts, approvals, identities, messages, repositories
from storage.db import Tx
from storage.records import Alert, AlertKey, Approval, EventKind, MessagePurpose, Repository, SlackTeamId


def build_case(
    context: Context,
    alert: Alert,
    repository: Repository,
    done: Mapping[str, Tick] | None = None,
    *,
    committer_name: str | None = None,
    approval: Approval | None = None,
) -> Case:
    """The case as of now; `done` has who did which step of the checklist, None while there is no checklist.

    `committer_name` is what `load_committer_name` returns, `approval` what `load_open_request` returns.
    """
    has_steps = done is not None and has_checklist(alert)
    steps = steps_for(alert.secret_type, context.options) if has_steps else ()
    return Case(
        alert=alert,
        repository=repository,
        now=context.clock.now(),
        server=context.platforms.server,
        options=context.options,
        steps_done=done_count(steps, done or {}),
        steps_total=len(steps),
        committer_name=committer_name,
        approval=approval,
    )


async def load_alert(context: Context, key: AlertKey) -> tuple[Alert | None, Repository | None]:
    """What is stored of an alert and of its repository."""
    async with context.db.read() as tx:
        return await alerts.load(tx, key), await repositories.load_repository(tx, key.repository_id)


async def load_case(tx: Tx, context: Context, alert: Alert, repository: Repository) -> Case:
    """The case as of now, with the checklist's state loaded from the store."""
    done = None
    if has_checklist(alert) and await messages.of_alert(tx, alert.key, MessagePurpose.CHECKLIST):
        done = await load_ticks(tx, alert)
    name = await load_committer_name(tx, context, alert)
    approval = await load_open_request(tx, context, alert)
    return build_case(context, alert, repository, done, committer_name=name, approval=approval)


async def load_committer_name(tx: Tx, context: Context, alert: Alert) -> str | None:
    """The Slack name of the person who made the leaking commit, if that is proved and the account is linked."""
    author, workspace = shown_author(alert), context.platforms.workspace
    if workspace is None or author is None or author.account is None or not author.is_proved:
        return None
    identity = await identities.of_github(tx, SlackTeamId(workspace.team_id), author.account.id)
    return identity.slack_name if identity else None


async def load_open_request(tx: Tx, context: Context, alert: Alert) -> Approval | None:
    """The alert's open request for approval of a report; None while no second person is needed."""
    if not alert.is_open or not context.options.report.needs_approval:
        return None
    return await approvals.open_request(tx, alert.key, tx.now)


async def load_ticks(tx: Tx, alert: Alert) -> Mapping[str, Tick]:
    """Who has done which step of an alert's checklist."""
    return ticks(await alerts.events_of_kind(tx, alert.key, EventKind.STEPS_CHANGED))
