"""Finds the subscriptions whose alerts one person may view."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.people import identify
from bot.flows.subscribing.person_rights import PersonRights
from bot.requests import CommandRequest
from bot.rules.coverage import pin, with_current_names
from bot.rules.filters import BadFilter, parse_filter
from bot.views.subscriptions import draw_subscriptions
from integrations.github.errors import GitHubError
from integrations.slack.blocks import Content
from storage import repositories, subscriptions
from storage.db import Tx
from storage.filter import Qualifier, fold
from storage.records import RepositoryId, Subscription

log = structlog.get_logger(__name__)


async def list_subscriptions(context: Context, request: CommandRequest) -> Content:
    """All subscriptions of which the person may view every alert."""
    identity = await identify.identify(context, request.user, request.channel)
    async with context.db.read() as tx:
        stored = await subscriptions.all_subscriptions(tx)
    person, is_complete, visible = PersonRights(context, identity.github, fresh=False), True, []
    for subscription in stored:
        try:
            rights = await person.on_subscription(subscription)
        except GitHubError as error:
            log.warning("github_not_asked", channel=subscription.channel, reason=str(error))
            is_complete = False
            continue
        if rights.may_view:
            visible.append(subscription)
    async with context.db.read() as tx:
        visible = [await _with_current_names(tx, subscription) for subscription in visible]
    return draw_subscriptions(visible, is_complete=is_complete)


async def _with_current_names(tx: Tx, subscription: Subscription) -> Subscription:
    """The subscription with the present names of the repositories in its filter, for showing it."""
    prefix = pin(Qualifier.REPO, "")
    ids = {key: RepositoryId(id_) for key, id_ in subscription.pinned.items() if key.startswith(prefix)}
    known = await repositories.load_all(tx, set(ids.values()))
    names = {key: fold(known[id_].full_name) for key, id_ in ids.items() if id_ in known}
    try:
        shown = with_current_names(parse_filter(subscription.filter), names)
    except BadFilter:
        return subscription
    return replace(subscription, filter=str(shown))
