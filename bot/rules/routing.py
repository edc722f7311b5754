"""Which channels an alert goes to."""

from collections.abc import Sequence

from bot.rules.filter_match import matches
from bot.rules.filters import BadFilter, parse_filter
from storage.records import Alert, ChannelId, Repository, Subscription


def route(
    alert: Alert, repository: Repository, subscriptions: Sequence[Subscription], default: ChannelId | None
) -> list[ChannelId]:
    """The channel of every subscription that wants the alert as it is when first seen; the default where none does.

    A stored filter that can no longer be read takes everything: an alert too many beats an alert nobody sees.
    """
    channels = [one.channel for one in subscriptions if takes_alert(one, alert, repository)]
    return channels or ([] if default is None else [default])


def takes_alert(subscription: Subscription, alert: Alert, repository: Repository) -> bool:
    """Whether a subscription wants an alert as it was when it was first seen."""
    try:
        return matches(parse_filter(subscription.filter), alert, repository, alert.first_seen_at)
    except BadFilter:
        return True
