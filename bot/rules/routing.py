"""Which channels an alert goes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.filters import BadFilter, parse_filter
from bot.rules.matching import matches
from storage.records import Alert, ChannelId, Repository, Subscription


@dataclass(frozen=True, slots=True)
class Route:
    """A channel, and why the alert goes there."""

    channel: ChannelId
    because: str


def route(
    alert: Alert, repository: Repository, subscriptions: Sequence[Subscription], default: ChannelId | None
) -> list[Route]:
    """Every subscription that wants the alert as it is when first seen; the default channel where none does.

    A stored filter that can no longer be read takes everything: an alert too many beats an alert nobody sees.
    """
    routes = [
        Route(subscription.channel, subscription.filter or "every alert")
        for subscription in subscriptions
        if wants(subscription, alert, repository)
    ]
    if not routes and default is not None:
        return [Route(default, "default channel")]
    return routes


def wants(subscription: Subscription, alert: Alert, repository: Repository) -> bool:
    """Whether a subscription wants an alert as it was when it was first seen."""
    try:
        return matches(parse_filter(subscription.filter), alert, repository, alert.first_seen_at)
    except BadFilter:
        return True
