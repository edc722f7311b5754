"""Previews, stores, adopts and ends a channel's subscription; rights are checked at the preview and the button."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows import repository_access
from bot.flows.audit import build_entry, requester
from bot.flows.messages.notices import ABOUT_AUTHOR, plan_notice, redraw_notices
from bot.flows.people import identify
from bot.flows.subscribing.audience import read_audience
from bot.flows.subscribing.person_rights import PersonRights
from bot.flows.subscribing.propose import Proposal, author_of, parse_words, preview, propose, stamp
from bot.job_kinds import BackfillChannel
from bot.job_rows import new_job
from bot.requests import CommandRequest
from bot.rules.source_rights import Deed
from bot.rules.subscription_words import write_words
from bot.views import subscription_refusals as refusals
from bot.views.refusals import outdated_control
from bot.views.subscriptions import (
    adopted_answer,
    draw_preview,
    draw_removal,
    subscribed_answer,
    unsubscribed_answer,
)
from integrations.github.errors import GitHubError
from integrations.slack.blocks import Content
from storage import audit, jobs, repositories, subscriptions
from storage.db import Tx
from storage.records import (
    AuditEntry,
    AuditOutcome,
    ChannelId,
    Person,
    StoredJson,
    Subscription,
)

AUDITED = frozenset(
    {
        *("no_such_repository", "needs_reviewer", "public_channel", "large_channel", "guests"),
        "former_subscription",
    }
)
"""Reasons for which a refused change is audited: all about the person's rights, none about a mistyped word."""
Changed = TypeVar("Changed")


async def ask_subscription(context: Context, request: CommandRequest) -> Content:
    """The preview of the subscription that was typed."""

    async def ask() -> Content:
        words = parse_words(request.text)
        proposal = await propose(context, request, request.channel, words)
        return draw_preview(await preview(context, proposal))

    return await _checked(context, request, "subscribe", request.channel, ask)


async def subscribe(context: Context, request: CommandRequest) -> Content:
    """Store the subscription that the button of a preview carries; another preview if the channel has changed."""
    channel, seen, typed = _button_value(request)

    async def store() -> Content:
        proposal = await propose(context, request, channel, parse_words(typed))
        if proposal.is_stored:
            # This job has run before, or somebody pressed twice.
            return subscribed_answer(proposal.after)
        if proposal.stamp != seen:
            return draw_preview(await preview(context, proposal, is_changed=True))
        await _store(context, proposal)
        return subscribed_answer(proposal.after)

    return await _checked(context, request, "subscribe", channel, store)


async def ask_removal(context: Context, request: CommandRequest) -> Content:
    """Asks whether the channel's subscription is to end."""

    async def ask() -> Content:
        _, before = await _load_own(context, request, request.channel)
        return draw_removal(before, f"{request.channel} {stamp(before, None)} -")

    return await _checked(context, request, "unsubscribe", request.channel, ask)


async def unsubscribe(context: Context, request: CommandRequest) -> Content:
    """End the channel's subscription."""
    channel, seen, _ = _button_value(request)

    async def end() -> Content:
        person, before = await _load_own(context, request, channel)
        if stamp(before, None) != seen:
            return draw_removal(before, f"{channel} {stamp(before, None)} -")
        async with context.db.begin() as tx:
            if not await subscriptions.remove_unchanged(tx, before):
                raise RetryLater(tx.now, "the subscription was changed meanwhile")
            facts = {"kind": "unsubscribed", "by": _login(person), "filter": before.filter}
            await plan_notice(tx, channel, f"unsubscribed:{int(tx.now * 1000)}", facts)
            await _settle_notices(tx, context, channel)
            await audit.append(tx, _entry("unsubscribe", person, channel, before.filter))
        return unsubscribed_answer(before)

    return await _checked(context, request, "unsubscribe", channel, end)


async def adopt(context: Context, request: CommandRequest) -> Content:
    """Make the person the author of a channel's subscription, and end its pause."""
    channel = ChannelId(request.text)

    async def take() -> Content:
        person, before = await _load_own(context, request, channel, for_adoption=True)
        if before.author == person and before.lost_at is None and before.paused_at is None:
            return adopted_answer(before)
        async with context.db.begin() as tx:
            after = replace(before, author=person, lost_at=None, paused_at=None, changed_at=tx.now)
            if before.paused_at is not None:
                after = replace(after, created_at=tx.now)
            if not await subscriptions.change(tx, before, after):
                raise RetryLater(tx.now, "the subscription was changed meanwhile")
            facts = {"kind": "adopted", "by": _login(person)}
            await plan_notice(tx, channel, f"adopted:{int(tx.now * 1000)}", facts)
            await _settle_notices(tx, context, channel)
            if before.paused_at is not None:
                # The alerts of the pause went to other channels.
                await jobs.enqueue(tx, new_job(BackfillChannel(channel)))
            await audit.append(tx, _entry("adopt_subscription", person, channel, write_words(after)))
        return adopted_answer(after)

    return await _checked(context, request, "adopt_subscription", channel, take)


async def _store(context: Context, proposal: Proposal) -> None:
    before, after, channel = proposal.before, proposal.after, proposal.after.channel
    async with context.db.begin() as tx:
        after = replace(after, changed_at=tx.now)
        if not await subscriptions.change(tx, before, after):
            raise RetryLater(tx.now, "the subscription was changed meanwhile")
        for repository in proposal.rights.repositories:
            # One without alerts is not stored yet; its renames are followed from now on.
            if await repositories.load_repository(tx, repository.id) is None:
                await repositories.save_repository(tx, repository)
        await plan_notice(tx, channel, f"subscribed:{int(tx.now * 1000)}", _told(proposal))
        await _settle_notices(tx, context, channel)
        if not proposal.keeps_filter or (before is not None and before.paused_at is not None):
            await jobs.enqueue(tx, new_job(BackfillChannel(channel)))
        await audit.append(tx, _entry("subscribe", proposal.author, channel, write_words(after)))


def _told(proposal: Proposal) -> Mapping[str, StoredJson]:
    """The facts of the notice about a subscription that is stored."""
    before, after, by = proposal.before, proposal.after, _login(proposal.author)
    if before is not None and proposal.keeps_filter:
        if before.thread == after.thread and before.mention == after.mention:
            return {"kind": "adopted", "by": by}
        return {"kind": "options_changed", "by": by, "thread": after.thread, "mention": after.mention}
    former = {"former": before.filter} if before else {}
    return {"kind": "subscribed", "by": by, "filter": after.filter, **former}


async def _load_own(
    context: Context, request: CommandRequest, channel: ChannelId, *, for_adoption: bool = False
) -> tuple[Person, Subscription]:
    """The person, and the channel's subscription, if they may view all that it covers; raises Refused."""
    who = (context, request.user, channel)
    identity = await identify.identify(
        *who, fresh=True, deed=Deed.ACT, verb_phrase="change this subscription"
    )
    async with context.db.read() as tx:
        before = await subscriptions.of_channel(tx, channel)
    rights = None
    if before is not None:
        rights = await PersonRights(context, identity.github, fresh=True).on_subscription(before)
    if before is None or rights is None:
        # This reveals nothing: only members of the channel can type the command there.
        raise refusals.not_subscribed()
    if not rights.may_view:
        raise refusals.former_not_yours()
    if for_adoption:
        audience = await read_audience(context, channel)
        if audience.is_open and not rights.reviews_all:
            raise refusals.needs_reviewer_here(audience)
    return author_of(identity), before


async def _checked(
    context: Context,
    request: CommandRequest,
    action: str,
    channel: ChannelId,
    change: Callable[[], Awaitable[Changed]],
) -> Changed:
    """Run the change; an error of GitHub's becomes a refusal, and refused rights are audited."""
    try:
        return await change()
    except GitHubError as error:
        raise repository_access.github_failure_refusal(error) from error
    except Refused as refused:
        if refused.reason in AUDITED:
            async with context.db.begin() as tx:
                person = await requester(tx, context, request.team, request.user)
                reason = f"{channel}: {refused.audited}"
                await audit.append(tx, build_entry(action, AuditOutcome.REFUSED, person, reason=reason))
        raise


def _button_value(request: CommandRequest) -> tuple[ChannelId, str, str]:
    """The channel, the stamp of the preview, and the words that a button carries; raises Refused."""
    channel, _, rest = request.text.partition(" ")
    seen, _, words = rest.partition(" ")
    if not channel or not seen:
        raise outdated_control()
    return ChannelId(channel), seen, words


async def _settle_notices(tx: Tx, context: Context, channel: ChannelId) -> None:
    """Draw the notices again that asked somebody to adopt the subscription."""
    places = {channel} if context.default_channel is None else {channel, context.default_channel}
    for place in sorted(places):
        await redraw_notices(tx, place, f"{ABOUT_AUTHOR}{channel}:")


def _entry(action: str, person: Person, channel: ChannelId, words: str) -> AuditEntry:
    return build_entry(action, AuditOutcome.DONE, person, reason=f"{channel} {words}".strip())


def _login(person: Person) -> str | None:
    return person.github.login if person.github else None
