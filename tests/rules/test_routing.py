"""Which channels an alert goes to; with a default channel it always goes to one."""

import pytest

from bot.rules.filter_match import route
from storage.records import Alert, ChannelId, RepositoryId, Subscription
from tests.views.cases import repository, stripe, token

DEFAULT, PAYMENTS, STRIPE, BROKEN = (
    ChannelId(name) for name in ("C0DEFAULT", "C0PAYMENTS", "C0STRIPE", "C0BROKEN")
)
SUBSCRIPTIONS = (
    Subscription(PAYMENTS, "repo:octo/payments"),
    Subscription(STRIPE, "secret-type:stripe_api_key"),
)


@pytest.mark.parametrize(
    ("alert", "name", "subscriptions", "default", "channels"),
    [
        (token(), "octo/payments", SUBSCRIPTIONS, DEFAULT, [PAYMENTS]),
        (stripe(), "octo/payments", SUBSCRIPTIONS, DEFAULT, [PAYMENTS, STRIPE]),
        (stripe(), "octo/web", SUBSCRIPTIONS, DEFAULT, [STRIPE]),
        (token(), "octo/web", SUBSCRIPTIONS, DEFAULT, [DEFAULT]),
        (token(), "octo/web", SUBSCRIPTIONS, None, []),
        (token(), "octo/web", (), DEFAULT, [DEFAULT]),
        (token(), "Octo/Payments", SUBSCRIPTIONS, DEFAULT, [PAYMENTS]),
        (token(), "octo/web", (Subscription(PAYMENTS, ""),), DEFAULT, [PAYMENTS]),
    ],
)
def test_an_alert_goes_to_matching_channels_or_to_the_default_channel(
    alert: Alert, name: str, subscriptions: tuple[Subscription, ...], default: ChannelId, channels: list[str]
) -> None:
    assert route(alert, repository(full_name=name), subscriptions, default) == channels


def test_a_stored_filter_that_can_not_be_parsed_matches_every_alert() -> None:
    """Better one alert too many than one that nobody sees."""
    broken = (Subscription(BROKEN, "repo:octo/payments nonsense:yes"),)
    assert route(token(), repository(full_name="octo/web"), broken, DEFAULT) == [BROKEN]


def test_a_paused_subscription_takes_nothing() -> None:
    paused = (Subscription(PAYMENTS, "", paused_at=5.0),)
    assert route(token(), repository(), paused, DEFAULT) == [DEFAULT]


@pytest.mark.parametrize(
    ("written", "pinned", "name", "number", "takes"),
    [
        ("repo:octo/payments", {}, "octo/payments", 90001, True),
        ("repo:octo/payments", {"repo:octo/payments": 90001}, "octo/payments", 90001, True),
        ("repo:octo/payments", {"repo:octo/payments": 90001}, "octo/billing", 90001, True),
        ("repo:octo/payments", {"repo:octo/payments": 90001}, "octo/payments", 90002, False),
        ("-repo:octo/payments", {"repo:octo/payments": 90001}, "octo/billing", 90001, False),
        ("-repo:octo/payments", {"repo:octo/payments": 90001}, "octo/payments", 90002, True),
        ("org:octo", {"org:octo": 100}, "renamed/payments", 90001, True),
        ("org:octo", {"org:octo": 99}, "octo/payments", 90001, False),
    ],
)
def test_a_known_id_counts_and_not_the_name(
    written: str, pinned: dict[str, int], name: str, number: int, takes: bool
) -> None:
    subscribed = (Subscription(PAYMENTS, written, pinned=pinned),)
    shown = repository(full_name=name, id=RepositoryId(number))
    assert (route(token(), shown, subscribed, None) == [PAYMENTS]) is takes
