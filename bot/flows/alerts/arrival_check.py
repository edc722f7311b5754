"""Checks whether a new token works without a click, where the operator allows it; writes nothing to GitHub."""

import structlog

from bot.actions.probe import ProbeResult, fetch_and_probe
from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows import repository_access
from bot.flows.alerts.store_alert import plan_consequences
from bot.rules.arrival_check import ArrivalPace, has_own_card, is_check_wanted
from integrations.github.errors import (
    Forbidden,
    GitHubRateLimited,
    InstallationGone,
    Invalid,
    NotFound,
    Unavailable,
    Unreachable,
)
from storage import alerts, leases, messages, repositories, saved_values
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    AlertKey,
    Event,
    EventKind,
    Job,
    MessagePurpose,
    Repository,
    StoredJson,
    UnixTime,
)

log = structlog.get_logger(__name__)
PACE = "arrival_checks"
"""The name of the saved value that holds the pace of all processes."""
DETAILS_WAIT = 15.0
"""Seconds until the next try while the alert's details are missing; they say whether the secret is Base64."""


async def check_on_arrival(context: Context, key: AlertKey, job: Job) -> None:
    """Probe a new alert's token once. Raises RetryLater until it is this check's turn, and while GitHub is down."""
    # 1. Whether it is still wanted, and may be made now.
    async with context.db.read() as tx:
        alert = await alerts.load(tx, key)
        repository = await repositories.load_repository(tx, key.repository_id)
        cards = await messages.of_alert(tx, key, MessagePurpose.CARD)
        pace = ArrivalPace.from_json(await saved_values.load(tx, PACE))
    now = context.clock.now()
    if alert is None or repository is None or not has_own_card(cards):
        return
    if not is_check_wanted(alert, context.options.validity, now):
        return
    if not alert.detailed:
        raise RetryLater(now + DETAILS_WAIT, "the alert's details are missing", holds=False)
    _wait_for(pace, now)
    # 2. The probe, of members' tokens alone where the option says so.
    try:
        repository, access = await repository_access.reach(context, repository)
        everybody = context.options.validity.check_on_arrival == "all"
        if not everybody and not await _is_member(context, repository, alert.token.owner):
            return
        result = await fetch_and_probe(
            context, access, alert, repository, by=None, with_owner=True, reserve=_reserve
        )
    except (Refused, Forbidden, NotFound, Invalid, InstallationGone) as error:
        log.warning("not_checked_on_arrival", alert=str(key), reason=str(error))
        return
    except (GitHubRateLimited, Unavailable, Unreachable) as error:
        at = error.retry_at if isinstance(error, GitHubRateLimited) else now + DETAILS_WAIT
        raise RetryLater(at, str(error), holds=False) from None
    # 3. The result.
    await _record(context, key, repository, result, job)


def _wait_for(pace: ArrivalPace, now: UnixTime) -> None:
    free_at = pace.free_at(now)
    if free_at > now:
        raise RetryLater(free_at, "the pace of checks on arrival")


async def _reserve(tx: Tx, at: UnixTime) -> None:
    """Take the next place in the pace, in the transaction that lets the probe go; raises RetryLater without one."""
    pace = ArrivalPace.from_json(await saved_values.lock(tx, PACE))
    _wait_for(pace, tx.now)
    await saved_values.save(tx, PACE, pace.after_start(at).to_json())


async def _is_member(context: Context, repository: Repository, owner: Account | None) -> bool:
    """Whether the token's owner belongs to the repository's organization, or owns a user's repository.

    The ids are compared: a login that was renamed may belong to somebody else now.
    """
    if owner is None or repository.installation_id is None:
        return False
    if repository.owner_type != "Organization":
        return owner.id == repository.owner.id
    installation = context.github.of(repository.installation_id)
    membership = await installation.membership(repository.owner.login, owner.login)
    return membership is not None and membership.state == "active" and membership.user_id == owner.id


async def _record(
    context: Context, key: AlertKey, repository: Repository, result: ProbeResult, job: Job
) -> None:
    async with context.db.begin() as tx:
        await leases.finish(tx, job)
        pace = ArrivalPace.from_json(await saved_values.lock(tx, PACE))
        await saved_values.save(tx, PACE, pace.after_verdict(result.probe.verdict, result.probe.at).to_json())
        before = await alerts.load_for_update(tx, key)
        if before is None:
            return
        after = result.apply_to(before)
        await alerts.save(tx, after)
        stored = await alerts.add_events(tx, (_event(context, after, result),))
        await plan_consequences(tx, context, after, repository, stored)


def _event(context: Context, alert: Alert, result: ProbeResult) -> Event:
    details: dict[str, StoredJson] = {
        "verdict": result.probe.verdict,
        "reason": result.probe.reason,
        "ever_active": result.probe.ever_active,
        "user_agent": context.user_agent,
        "on_arrival": True,
    }
    return Event(alert.key, EventKind.PROBED, result.probe.at, details=details, once="arrival_check")
