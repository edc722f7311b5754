"""Chooses the channels that an alert is posted in."""

from collections.abc import Sequence

from bot.rules.filter_match import matches
from bot.rules.filters import BadFilter, parse_filter
from storage.records import Alert, ChannelId, Repository, Subscription


def route(
    alert: Alert, repository: Repository, subscriptions: Sequence[Subscription], default: ChannelId | None
) -> list[ChannelId]:
    """The channels of all subscriptions whose filter matches the alert; `default`, if set, when none does."""
    channels = [one.channel for one in subscriptions if takes_alert(one, alert, repository)]
    return channels or ([] if default is None else [default])


def takes_alert(subscription: Subscription, alert: Alert, repository: Repository) -> bool:
    """Whether a subscription's filter matches the alert at the time it was first seen.

    A stored filter that can no longer be parsed matches every alert: better one alert too many than one unseen.
    """
    try:
        return matches(parse_filter(subscription.filter), alert, repository, alert.first_seen_at)
    except BadFilter:
        return True
