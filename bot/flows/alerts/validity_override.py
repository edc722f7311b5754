"""Corrects the `validity` that Stanch wrote to GitHub, when a later probe contradicts it."""

from dataclasses import replace

import structlog

from bot.actions.write_back import WriteBack, write_back
from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows import repository_access
from bot.flows.alerts.alert_lists import REFUSALS
from bot.flows.alerts.store_alert import plan_consequences
from bot.flows.build_case import load_alert
from bot.rules.alert_merge import merge_facts
from bot.rules.timeline import events_between
from bot.rules.validity import is_override_untrue, override_for
from integrations.github.errors import GitHubError, GitHubRateLimited
from integrations.github.facts import AlertFacts
from storage import alerts, leases
from storage.records import Alert, AlertKey, Claim, Job, Repository

log = structlog.get_logger(__name__)
CLAIMED_AS = "keep_validity"
ASK_AGAIN = 60.0
"""Seconds until the next try while GitHub does not answer."""


async def correct_override(context: Context, key: AlertKey, job: Job) -> None:
    """Clear or correct Stanch's override of an alert's validity on GitHub.

    The alert is claimed during a try, so that no sync takes the change for GitHub's own, and free between tries.
    Raises RetryLater while GitHub does not answer. Where it refuses, the override stays until the next probe.
    """
    # 1. Whether there is still something to correct; the claim.
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None or not is_override_untrue(alert):
        return
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        claim = await alerts.claim(tx, key, CLAIMED_AS, job.id)
    if claim is Claim.TAKEN:
        raise RetryLater(context.clock.now() + 1.0, "an action on this alert is under way", holds=False)
    # 2. GitHub's validity, and the correction.
    try:
        repository, access = await repository_access.reach(context, repository)
        facts = await access.alert(repository.full_name, key.number)
        written = _lost_before(alert, facts) if claim is Claim.RESUMED else None
        if written is None:
            seen = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
            may_write = context.options.validity.write_back
            written = await write_back(access, repository.full_name, seen, may_write=may_write)
    except (Refused, *REFUSALS) as refused:
        reason = refused.reason if isinstance(refused, Refused) else str(refused)
        log.warning("validity_not_corrected", alert=str(key), reason=reason)
        await _release(context, key, job)
        return
    except GitHubError as error:
        await _release(context, key, job)
        at = error.retry_at if isinstance(error, GitHubRateLimited) else context.clock.now() + ASK_AGAIN
        raise RetryLater(at, str(error), holds=False) from None
    # 3. Record it.
    await _record(context, repository, alert, facts, written, job)


def _lost_before(alert: Alert, facts: AlertFacts) -> WriteBack | None:
    """What an interrupted run of this job has written; None if it has written nothing."""
    if facts.validity == alert.validity:
        return None
    override = override_for(alert.probe)
    if facts.validity == override:
        return WriteBack(facts, override)
    return WriteBack(facts, None) if facts.validity == "unknown" else None


async def _release(context: Context, key: AlertKey, job: Job) -> None:
    """End the claim, unless another worker has the job by now: the claim is that worker's then."""
    async with context.db.begin() as tx:
        await leases.keep(tx, job)
        await alerts.release(tx, key, job.id)


async def _record(
    context: Context,
    repository: Repository,
    known: Alert,
    facts: AlertFacts,
    written: WriteBack | None,
    job: Job,
) -> None:
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        await alerts.release(tx, known.key, job.id)
        before = await alerts.load_for_update(tx, known.key)
        if before is None:
            return
        after = merge_facts(before, facts, repository.id, tx.now, fetched=True)
        if written is None:
            happened = events_between(before, after, tx.now)
        else:
            after = merge_facts(after, written.facts, repository.id, tx.now, fetched=True)
            # What Stanch wrote itself gives no timeline entry, and does not make its own probe outdated.
            happened = events_between(before, replace(after, validity=before.validity), tx.now)
            after = replace(after, probe=before.probe, validity_written=written.value is not None)
        if after != before:
            await alerts.save(tx, after)
            await plan_consequences(tx, context, after, repository, await alerts.add_events(tx, happened))
