"""Matches an alert against a filter, as `storage.search` does in SQL, and chooses the channels that get it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from bot.rules.coverage import pin
from bot.rules.filters import BadFilter, parse_filter
from storage.filter import ME, NOBODY, Filter, Qualifier, fold, hyphened, seconds
from storage.records import Alert, ChannelId, GitHubId, Repository, Subscription, UnixTime

_parse_stored = lru_cache(maxsize=1000)(parse_filter)
"""Each new alert is compared with the filters of all subscriptions; parsing one takes a third of a millisecond."""


def route(
    alert: Alert, repository: Repository, subscriptions: Sequence[Subscription], default: ChannelId | None
) -> list[ChannelId]:
    """The channels of all subscriptions whose filter matches the alert; `default`, if set, when none does.

    Paused subscriptions take none.
    """
    channels = [
        one.channel for one in subscriptions if one.paused_at is None and takes_alert(one, alert, repository)
    ]
    return channels or ([] if default is None else [default])


def takes_alert(subscription: Subscription, alert: Alert, repository: Repository) -> bool:
    """Whether a subscription's filter matches the alert at the time it was first seen.

    A stored filter that can no longer be parsed matches every alert: better one alert too many than one unseen.
    """
    try:
        alert_filter = _parse_stored(subscription.filter)
        return matches(alert_filter, alert, repository, alert.first_seen_at, pinned=subscription.pinned)
    except BadFilter:
        return True


def matches(
    alert_filter: Filter,
    alert: Alert,
    repository: Repository,
    now: UnixTime,
    me: GitHubId | None = None,
    *,
    pinned: Mapping[str, int] | None = None,
) -> bool:
    """Whether every term holds for the alert; `me` is the GitHub id of the person who asks, for `assignee:@me`.

    A repository or an account with an id in `pinned` is compared by that id. So a rename changes nothing, and another
    repository under the former name does not match.
    """
    ids = pinned or {}

    def holds(word: Qualifier, value: str) -> bool:
        known = ids.get(pin(word, value)) if word in (Qualifier.REPO, Qualifier.ORG) else None
        if known is None:
            return _holds(word, value, alert, repository, now, me)
        return known == (repository.id if word is Qualifier.REPO else repository.owner.id)

    return all(
        any(holds(term.qualifier, value) for value in term.values) is not term.negated
        for term in alert_filter.terms
    )


def _holds(
    word: Qualifier, value: str, alert: Alert, repository: Repository, now: UnixTime, me: GitHubId | None
) -> bool:
    match word:
        case Qualifier.IS:
            return _is(value, alert)
        case Qualifier.VALIDITY:
            return fold(alert.validity) == value
        case Qualifier.SECRET_TYPE:
            return value in (fold(alert.secret_type), fold(alert.secret_type_name))
        case Qualifier.PROVIDER:
            return hyphened(alert.provider or "") == value
        case Qualifier.RESOLUTION:
            return hyphened(alert.resolution or "") == value
        case Qualifier.BYPASSED:
            return alert.bypassed is (value == "true")
        case Qualifier.REPO:
            return fold(repository.full_name) == value
        case Qualifier.ORG:
            return fold(repository.owner.login) == value
        case Qualifier.ASSIGNEE:
            return _on_it(value, alert, me)
        case Qualifier.OLDER:
            return alert.created_at <= now - seconds(value)
        case Qualifier.TEXT:
            path = alert.place.path if alert.place else None
            texts = (alert.secret_type_name, repository.full_name, path or "")
            return any(value in fold(text) for text in texts)


def _is(value: str, alert: Alert) -> bool:
    return {
        "open": alert.is_open,
        "closed": not alert.is_open,
        "publicly-leaked": alert.publicly_leaked,
        "multi-repository": alert.multi_repo,
    }[value]


def _on_it(value: str, alert: Alert, me: GitHubId | None) -> bool:
    """Whether GitHub's assignee or the person who took the alert is `value`: a login, `@me` or `none`."""
    taken = alert.taken_by.github if alert.taken_by else None
    accounts = [found for found in (alert.assigned_to, taken) if found is not None]
    if value == NOBODY:
        return alert.assigned_to is None and alert.taken_by is None
    if value == ME:
        return any(account.id == me for account in accounts)
    return any(fold(account.login) == value for account in accounts)
