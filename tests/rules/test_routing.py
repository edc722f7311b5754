"""Which channels an alert goes to; with a default channel it always goes to one."""

import pytest

from bot.rules.filter_match import route
from storage.records import Alert, ChannelId, Subscription
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
