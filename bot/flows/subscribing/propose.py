"""Prepares the subscription that a person asks for: checks their rights, then counts what it would bring."""

import hashlib
import json
from dataclasses import dataclass, replace

from bot.context import Context
from bot.errors import RetryLater
from bot.flows.people import identify
from bot.flows.subscribing.audience import read_audience
from bot.flows.subscribing.person_rights import FilterRights, PersonRights
from bot.requests import CommandRequest
from bot.rules.coverage import coverage
from bot.rules.filters import BadFilter
from bot.rules.source_rights import Deed
from bot.rules.subscription_words import (
    NOBODY,
    SubscriptionWords,
    parse_subscription_words,
    write_words,
)
from bot.views import subscription_refusals as refusals
from bot.views.subscriptions import RATE_WEEKS, Preview
from integrations.slack.errors import SlackError, SlackRateLimited
from storage import search, subscriptions
from storage.filter import Filter, Qualifier, Term
from storage.records import (
    Audience,
    ChannelId,
    Identity,
    Person,
    Subscription,
    ThreadLevel,
)
from storage.search import Scope, Search

MOST_NAMES = 20
"""Repositories in one filter that GitHub is asked about; each takes several calls."""
SUGGESTED_FOR = 3
"""For how many unknown names similar ones are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A subscription that one person may make, and the facts that were checked for it."""

    identity: Identity
    rights: FilterRights
    audience: Audience
    before: Subscription | None
    after: Subscription
    group: str | None = None
    """The handle of the user group that is mentioned, if Slack gave it."""
    similar: tuple[str, ...] = ()
    """Repositories with names like those of `rights.unseen`, which the person may view."""

    @property
    def author(self) -> Person:
        return author_of(self.identity)

    @property
    def keeps_filter(self) -> bool:
        """Whether the channel has this filter already, for the same repositories."""
        before, after = self.before, self.after
        return before is not None and (before.filter, before.pinned) == (after.filter, after.pinned)

    @property
    def is_stored(self) -> bool:
        """Whether the channel has this subscription already, by this person."""
        before = self.before
        options = (self.after.thread, self.after.mention)
        return (
            before is not None
            and self.keeps_filter
            and (before.thread, before.mention) == options
            and (before.author, before.lost_at, before.paused_at) == (self.author, None, None)
        )

    @property
    def stamp(self) -> str:
        """A hash of what the preview shows of the channel, to tell whether it has changed since."""
        return stamp(self.before, self.audience)


async def propose(
    context: Context, request: CommandRequest, channel: ChannelId, words: SubscriptionWords
) -> Proposal:
    """Check everything that a subscription needs, as of now. Raises Refused, GitHubError and RetryLater."""
    # 1. Who it is, and who reads the channel.
    identity = await identify.identify(context, request.user, channel, fresh=True, deed=Deed.ACT)
    audience = await read_audience(context, channel)
    # 2. The right on all that the new filter covers.
    person = PersonRights(context, identity.github, fresh=True)
    if len(coverage(words.alert_filter).repositories or ()) > MOST_NAMES:
        raise refusals.too_many_names(MOST_NAMES)
    rights = await person.on_filter(words.alert_filter, {})
    if not rights.may_view and not rights.unseen:
        raise refusals.needs_reviewer()
    near = [await person.near(name) for name in rights.unseen[:SUGGESTED_FOR]]
    similar = tuple(name for name in near if name)
    if not rights.may_view:
        raise refusals.names_not_visible(rights.unseen, similar)
    if audience.is_open and not rights.reviews_all:
        raise refusals.needs_reviewer_here(audience)
    # 3. The right on all that the former one covers.
    async with context.db.read() as tx:
        before = await subscriptions.of_channel(tx, channel)
        now = tx.now
    if before is not None and not (await person.on_subscription(before)).may_view:
        raise refusals.former_not_yours()
    # 4. The subscription itself.
    group, handle = await _find_group(context, words.mention)
    thread = words.thread or (before.thread if before else ThreadLevel.ACTIONS)
    mention = before.mention if before and words.mention is None else group
    after = Subscription(
        channel,
        str(words.alert_filter),
        thread,
        created_at=now,
        mention=mention,
        pinned=rights.pinned,
        author=author_of(identity),
        changed_at=now,
        audience=audience,
    )
    proposal = Proposal(
        identity=identity,
        rights=rights,
        audience=audience,
        before=before,
        after=after,
        group=handle,
        similar=similar,
    )
    if proposal.keeps_filter and before is not None and before.paused_at is None:
        # Its alerts are in the channel already.
        return replace(proposal, after=replace(after, created_at=before.created_at))
    return proposal


async def preview(context: Context, proposal: Proposal, *, is_changed: bool = False) -> Preview:
    """What the subscription would bring, counted in the store over what the person may view."""
    rights, after = proposal.rights, proposal.after
    alert_filter = parse_words(after.filter).alert_filter
    scope = Scope(
        proposal.identity.github.id,
        owners=list(rights.reviewed),
        seen=[repository.id for repository in rights.repositories],
    )
    is_open = Term(Qualifier.IS, ("open",))
    async with context.db.read() as tx:
        reach = await search.reach(tx, scope)
        open_alerts = await search.count(tx, Search(_with(alert_filter, is_open), reach))
        older = Term(Qualifier.OLDER, (f"{RATE_WEEKS * 7}d",), negated=True)
        recent = await search.count(tx, Search(_with(alert_filter, older), reach))
    return Preview(
        after=after,
        before=proposal.before,
        audience=proposal.audience,
        open_alerts=open_alerts,
        recent=recent,
        group=proposal.group,
        missing=rights.unseen,
        similar=proposal.similar,
        value=f"{after.channel} {proposal.stamp} {write_words(after)}",
        is_changed=is_changed,
    )


def parse_words(text: str) -> SubscriptionWords:
    """The filter and the options that a person typed, or that a button carries; raises Refused."""
    try:
        return parse_subscription_words(text)
    except BadFilter as error:
        raise refusals.bad_words(error) from None


def author_of(identity: Identity) -> Person:
    """The person who answers for a subscription."""
    return Person(identity.slack_team, identity.slack_user, identity.github)


def stamp(before: Subscription | None, audience: Audience | None) -> str:
    """A hash of a channel's subscription and of who reads the channel."""
    known: list[object] = [None]
    if before is not None:
        known = [before.filter, before.created_at, before.changed_at, before.lost_at, before.paused_at]
    who = [audience.is_public, audience.guests] if audience else None
    return hashlib.sha256(json.dumps([*known, who]).encode()).hexdigest()[:12]


async def _find_group(context: Context, mention: str | None) -> tuple[str | None, str | None]:
    """The id and the handle of the user group in `mention=`; raises Refused for an unknown one."""
    if mention is None or mention == NOBODY:
        return None, None
    try:
        groups = await context.slack.user_groups()
    except SlackRateLimited as error:
        raise RetryLater(context.clock.now() + error.retry_after, str(error)) from None
    except SlackError as error:
        if error.code != "missing_scope":
            raise refusals.slack_silent("the user group") from error
        if mention.startswith("@"):
            raise refusals.handles_not_readable() from None
        return mention, None
    for group in groups:
        if mention in (group.id, f"@{group.handle.lower()}"):
            return group.id, group.handle
    raise refusals.no_user_group(mention)


def _with(alert_filter: Filter, term: Term) -> Filter:
    return replace(alert_filter, terms=(*alert_filter.terms, term))
