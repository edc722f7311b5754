"""Checks subscriptions on a schedule: whether their author still has the right, and who reads their channel."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.flows.audit import build_entry
from bot.flows.messages.notices import ABOUT_AUTHOR, plan_notice, redraw_notices
from bot.flows.subscribing.audience import read_audience
from bot.flows.subscribing.person_rights import PersonRights
from bot.flows.subscribing.subscription_pins import known_pins
from bot.job_kinds import CheckSubscription
from bot.job_rows import new_job
from bot.rules.masking import mask
from bot.rules.outsiders import outsider_reason
from bot.views.subscriptions import PAUSE_AFTER
from integrations.github.errors import Forbidden
from integrations.slack.errors import PersonUnavailable, SlackError
from storage import audit, identities, jobs, subscriptions
from storage.db import Tx
from storage.records import (
    Audience,
    AuditOutcome,
    ChannelId,
    Person,
    StoredJson,
    Subscription,
)

log = structlog.get_logger(__name__)
EVERY = 3600.0
"""Seconds between two checks of a subscription."""
NOT_KNOWN = "not_known"
"""Instead of a reason: it could not be found out whether the author has the right."""


async def request_checks(context: Context) -> None:
    """Enqueue a check of each subscription, once an hour whichever process requests it.

    Stores the ids of repositories that have become known, too: before a rename, and not an hour later.
    """
    async with context.db.begin() as tx:
        span = int(tx.now // EVERY)
        known = await subscriptions.all_subscriptions(tx)
        for one in known:
            pinned = await known_pins(tx, one)
            if pinned != one.pinned:
                await subscriptions.change(tx, one, replace(one, pinned=pinned, changed_at=tx.now))
        checks = (
            new_job(CheckSubscription(one.channel), dedup=f"subscription:{one.channel}:{span}")
            for one in known
        )
        await jobs.enqueue(tx, *checks)


async def check_subscription(context: Context, channel: ChannelId) -> None:
    """Check one subscription. Raises GitHubError for an outage or a limit, and RetryLater."""
    async with context.db.read() as tx:
        known = await subscriptions.of_channel(tx, channel)
    if known is None:
        return
    audience = await _audience(context, known)
    because = await _lost_because(context, known)
    names = await _new_guests(context, known.audience, audience)
    async with context.db.begin() as tx:
        now = replace(known, audience=audience, lost_at=_lost_at(known, because, tx.now))
        is_due = now.lost_at is not None and tx.now - now.lost_at >= PAUSE_AFTER
        if is_due and now.paused_at is None:
            now = replace(now, paused_at=tx.now)
        if now == known:
            return
        if not await subscriptions.change(tx, known, replace(now, changed_at=tx.now)):
            # Somebody has changed it meanwhile; the next check sees that.
            return
        await _tell_audience(tx, context, known, now, names)
        await _tell_author(tx, context, known, now, because)


def _lost_at(known: Subscription, because: str | None, now: float) -> float | None:
    """Since when the author has no right. If they have it again that time ends, unless the pause has begun."""
    if because == NOT_KNOWN:
        return known.lost_at
    if because is None:
        return known.lost_at if known.paused_at is not None else None
    return known.lost_at or now


async def _lost_because(context: Context, known: Subscription) -> str | None:
    """Why the author has no right to what the subscription covers; None if they have it, or for an operator's.

    NOT_KNOWN where Slack does not say who they are, or GitHub refuses to be asked.
    """
    author, workspace = known.author, context.platforms.workspace
    if author is None:
        return None
    if author.github is None or author.slack_team is None or author.slack_user is None or workspace is None:
        return NOT_KNOWN
    try:
        person = await context.platforms.person(author.slack_user, fresh=True)
    except PersonUnavailable:
        return "deactivated"
    except SlackError as error:
        log.warning("person_not_asked", user=author.slack_user, reason=error.code)
        return NOT_KNOWN
    outside = outsider_reason(person, workspace)
    if outside is not None:
        return outside
    async with context.db.read() as tx:
        identity = await identities.of_slack(tx, author.slack_team, author.slack_user)
    if identity is None or identity.github.id != author.github.id:
        return "not_linked"
    person_rights = PersonRights(context, identity.github, fresh=False, hides_refusals=False)
    try:
        rights = await person_rights.on_subscription(known)
    except Forbidden as error:
        log.warning("github_not_asked", channel=known.channel, reason=str(error))
        return NOT_KNOWN
    if rights.still_may_view:
        return None
    # Without an active installation nobody can be asked about.
    return "no_view" if rights.accounts else NOT_KNOWN


async def _audience(context: Context, known: Subscription) -> Audience | None:
    try:
        return await read_audience(context, known.channel)
    except Refused as refused:
        # For example an archived or shared channel: it gets no cards as long as that lasts.
        log.info("audience_not_read", channel=known.channel, reason=refused.reason)
        return known.audience


async def _new_guests(context: Context, before: Audience | None, now: Audience | None) -> list[str]:
    """Name and id of each guest who was not in the channel before; Slack was asked about them just now."""
    if before is None or now is None or before.guests is None:
        return []
    names = []
    for user in sorted(set(now.guests or ()) - set(before.guests)):
        try:
            names.append(f"{mask((await context.platforms.person(user)).name)} ({user})")
        except SlackError:
            names.append(user)
    return names


async def _tell_audience(
    tx: Tx, context: Context, before: Subscription, now: Subscription, new_guests: Sequence[str]
) -> None:
    """Tell the operator once that more people can read the channel than before."""
    if before.audience is None or now.audience is None:
        return
    if now.audience.is_public and not before.audience.is_public:
        log.warning("channel_opened", channel=now.channel, reason="public")
        await _notify(tx, context, f"public:{now.channel}:{int(tx.now)}", "became_public", now)
    if new_guests:
        log.warning("channel_opened", channel=now.channel, reason="guests", count=len(new_guests))
        subject = f"guests:{now.channel}:{int(tx.now)}"
        await _notify(tx, context, subject, "guests_joined", now, guests=list(new_guests))


async def _tell_author(
    tx: Tx, context: Context, before: Subscription, now: Subscription, because: str | None
) -> None:
    channel, author = now.channel, now.author
    if now.lost_at is None and before.lost_at is not None and context.default_channel is not None:
        await redraw_notices(tx, context.default_channel, f"{ABOUT_AUTHOR}{channel}:")
    if now.lost_at is None or author is None:
        return
    by = author.github.login if author.github else None
    if before.lost_at is None:
        log.warning("subscription_author_lost", channel=channel, reason=because)
        subject, due = f"{ABOUT_AUTHOR}{channel}:{int(now.lost_at)}", now.lost_at + PAUSE_AFTER
        await _notify(tx, context, subject, "author_lost", now, by=by, because=because, pause_at=due)
        await _audit(tx, "subscription_author", AuditOutcome.REFUSED, author, f"{channel}: {because}")
    if now.paused_at is not None and before.paused_at is None:
        log.warning("subscription_paused", channel=channel)
        subject = f"{ABOUT_AUTHOR}{channel}:paused:{int(now.paused_at)}"
        await _notify(tx, context, subject, "paused", now, by=by)
        # In the default channel it is the same notice.
        await plan_notice(tx, channel, subject, {"kind": "paused", "by": by, "channel": channel})
        await _audit(tx, "pause_subscription", AuditOutcome.DONE, author, channel)


async def _notify(
    tx: Tx, context: Context, subject: str, kind: str, about: Subscription, **facts: StoredJson
) -> None:
    """Tell the default channel, if there is one; the log has it in any case."""
    if context.default_channel is not None:
        told = {"kind": kind, "channel": about.channel, **facts}
        await plan_notice(tx, context.default_channel, subject, told)


async def _audit(tx: Tx, action: str, outcome: AuditOutcome, author: Person, reason: str) -> None:
    await audit.append(tx, build_entry(action, outcome, author, reason=reason))
