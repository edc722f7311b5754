"""Tells the default channel of changed links to GitHub accounts, and the operators of suspended ones."""

from collections.abc import Sequence

import structlog

from bot.context import Context
from bot.flows.messages.notices import change_notice, find_notice, plan_notice
from bot.flows.private_answers import send_direct_message
from bot.job_rows import new_job
from bot.people_job_kinds import AnnounceIdentities, IdentityChange, TellOperators
from bot.views.identity_changes import NamedChange, operators_notice, read_changes, stored_change
from integrations.slack.errors import SlackError
from storage import jobs
from storage.db import Tx
from storage.records import ChannelId, Job, Message, StoredJson

log = structlog.get_logger(__name__)
HOUR = 3600.0
KEPT = 40
"""Changes that a notice keeps; it shows as many as there is room for."""


async def announce_identities(context: Context, todo: AnnounceIdentities, job: Job) -> None:
    """Add the changes to the default channel's notice of this hour, and tell operators what they have to decide."""
    named = [await _with_names(context, change) for change in todo.changes]
    giving_nothing = tuple(one for one in todo.changes if one.kind in ("suspended", "not_linked"))
    more = todo.more if len(giving_nothing) == len(todo.changes) else 0
    for change in todo.changes:
        log.info("identity_changed", change=change.kind, user=change.user, github=change.account)
    async with context.db.begin() as tx:
        if context.default_channel is None:
            log.warning("identities_not_announced", reason="STANCH_DEFAULT_CHANNEL is not set")
        elif not await _announce(tx, context.default_channel, named, todo, job):
            return
        if giving_nothing:
            told = (TellOperators(one, giving_nothing, more) for one in sorted(context.operators))
            await jobs.enqueue(tx, *map(new_job, told))


async def tell_operator(context: Context, todo: TellOperators) -> None:
    """Send an operator the links that give no rights."""
    named = [await _with_names(context, change) for change in todo.changes]
    await send_direct_message(context, todo.operator, operators_notice(named, todo.more))


async def _announce(
    tx: Tx, channel: ChannelId, named: Sequence[NamedChange], todo: AnnounceIdentities, job: Job
) -> bool:
    """Add changes to the hour's notice; False if this job has done so before."""
    subject = f"identities:{int(todo.at // HOUR)}"
    notice = await find_notice(tx, channel, subject)
    before, done, counted = _read(notice)
    if job.id in done:
        return False
    # What came last is shown first.
    changes = [*named, *before]
    more = counted + todo.more + max(0, len(changes) - KEPT)
    facts: dict[str, StoredJson] = {
        "kind": "identities",
        "changes": [stored_change(one) for one in changes[:KEPT]],
        "more": more,
        "jobs": [*done, job.id],
    }
    if notice is None:
        await plan_notice(tx, channel, subject, facts)
    else:
        await change_notice(tx, notice, facts)
    return True


def _read(notice: Message | None) -> tuple[list[NamedChange], list[int], int]:
    """The content of a notice: the changes, the jobs that added them, and how many others there were."""
    facts = (notice.facts if notice else None) or {}
    done, more = facts.get("jobs"), facts.get("more")
    return (
        read_changes(facts.get("changes")),
        [one for one in done if isinstance(one, int)] if isinstance(done, list) else [],
        more if isinstance(more, int) else 0,
    )


async def _with_names(context: Context, change: IdentityChange) -> NamedChange:
    """The change with the names of the first people concerned, as far as Slack answers."""
    names: dict[str, str] = {}
    for user in (change.user, *change.others[:3]):
        try:
            names[user] = (await context.platforms.person(user)).name
        except SlackError as error:
            log.info("name_not_known", user=user, reason=str(error))
    return NamedChange(change, names)
