"""How a secret is checked, and when it counts as active or inactive."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.validity import confirmed_inactive, effective_validity, is_probeable, was_ever_active
from tests.views.cases import DEAD, NOT_HERE, WORKS, probe, token

UNCLEAR = probe("unknown", "timeout")


@pytest.mark.parametrize(
    ("secret_type", "probeable"),
    [
        ("github_personal_access_token", True),
        ("github_oauth_access_token", True),
        ("github_app_installation_access_token", True),
        ("github_refresh_token", False),
        ("github_ssh_private_key", False),
        ("stripe_api_key", False),
        ("", False),
    ],
)
def test_only_tokens_with_a_harmless_request_are_probed(secret_type: str, probeable: bool) -> None:
    assert is_probeable(token(secret_type=secret_type)) is probeable


@pytest.mark.parametrize(
    ("known", "validity", "confirmed", "ever_active"),
    [
        ({}, "unknown", False, False),
        ({"validity": "active"}, "active", False, True),
        ({"validity": "inactive"}, "inactive", True, False),
        ({"validity": "a new word"}, "a new word", False, False),
        ({"probe": WORKS}, "active", False, True),
        ({"probe": DEAD}, "inactive", True, True),
        ({"probe": NOT_HERE}, "inactive", False, False),
        ({"probe": UNCLEAR}, "unknown", False, False),
        ({"probe": UNCLEAR, "validity": "active"}, "active", False, True),
        ({"probe": WORKS, "validity": "inactive"}, "active", False, True),
        ({"probe": replace(WORKS, superseded=True), "validity": "inactive"}, "inactive", True, True),
        ({"probe": replace(DEAD, superseded=True), "validity": "active"}, "active", False, True),
        # A validity that Stanch wrote itself proves nothing new.
        ({"validity": "inactive", "validity_written": True, "probe": NOT_HERE}, "inactive", False, False),
        ({"validity": "inactive", "validity_written": True, "probe": DEAD}, "inactive", True, True),
    ],
)
def test_validity_and_confirmation(
    known: dict[str, Any], validity: str, confirmed: bool, ever_active: bool
) -> None:
    """A failed probe is not "inactive", and a 401 alone may mean a token of another GitHub."""
    alert = token(**known)
    assert effective_validity(alert) == validity
    assert confirmed_inactive(alert) is confirmed
    assert was_ever_active(alert) is ever_active
