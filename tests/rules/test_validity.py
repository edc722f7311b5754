"""How a secret is checked, and when it counts as active or inactive."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.validity import (
    confirmed_inactive,
    effective_validity,
    is_override_untrue,
    is_probeable,
    override_for,
    was_ever_active,
)
from storage.records import Probe
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


@pytest.mark.parametrize(
    ("probed", "override"),
    [
        (None, None),
        (UNCLEAR, None),
        (WORKS, "active"),
        (DEAD, "inactive"),
        (NOT_HERE, None),
        (replace(WORKS, superseded=True), None),
    ],
)
def test_only_a_probe_that_proves_something_is_written_to_github(
    probed: Probe | None, override: str | None
) -> None:
    assert override_for(probed) == override


@pytest.mark.parametrize(
    ("fields", "untrue"),
    [
        ({"validity_written": True, "validity": "active", "probe": DEAD}, True),
        ({"validity_written": True, "validity": "active", "probe": WORKS}, False),
        ({"validity_written": False, "validity": "active", "probe": DEAD}, False),
        ({"validity_written": True, "validity": "active", "probe": None}, False),
        ({"validity_written": True, "validity": "active", "probe": UNCLEAR}, False),
        ({"validity_written": True, "validity": "active", "probe": replace(DEAD, superseded=True)}, False),
    ],
)
def test_a_validity_that_stanch_wrote_is_untrue_once_a_probe_contradicts_it(
    fields: dict[str, Any], untrue: bool
) -> None:
    assert is_override_untrue(token(**fields)) is untrue
