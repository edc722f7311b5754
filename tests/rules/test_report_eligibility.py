"""When a secret counts as active or inactive, how it is checked, and when it can be reported."""

from dataclasses import replace
from typing import Any

import pytest

from bot.options import ReportOptions
from bot.rules.report_eligibility import ServerAbilities, report_obstacle
from bot.rules.validity import CheckKind, check_kind, confirmed_inactive, effective_validity, was_ever_active
from storage.records import AlertState, ReportState, RepositoryState
from tests.views.cases import DEAD, GITHUB_COM, NOT_HERE, WORKS, probe, report, repository, token

UNCLEAR = probe("unknown", "timeout")


def test_a_server_that_could_not_be_asked_takes_no_reports() -> None:
    assert report_obstacle(token(), repository(), GITHUB_COM, ReportOptions()) is None
    assert report_obstacle(token(), repository(), ServerAbilities(), ReportOptions()) == "server"


@pytest.mark.parametrize(
    ("secret_type", "kind"),
    [
        ("github_personal_access_token", CheckKind.PROBE),
        ("github_oauth_access_token", CheckKind.PROBE),
        ("github_app_installation_access_token", CheckKind.PROBE),
        ("github_refresh_token", CheckKind.REFRESH),
        ("github_ssh_private_key", CheckKind.REFRESH),
        ("stripe_api_key", CheckKind.REFRESH),
        ("", CheckKind.REFRESH),
    ],
)
def test_only_tokens_with_a_harmless_request_are_probed(secret_type: str, kind: CheckKind) -> None:
    assert check_kind(token(secret_type=secret_type)) is kind


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
    ("alert", "where", "server", "obstacle"),
    [
        ({}, {}, {}, None),
        ({"validity": "active"}, {}, {}, None),
        ({"probe": WORKS}, {"visibility": "internal"}, {}, None),
        ({"report": report(ReportState.FAILED)}, {}, {}, None),
        ({"state": AlertState.RESOLVED}, {}, {}, "closed"),
        ({"secret_type": "stripe_api_key"}, {}, {}, "secret_type"),
        ({"secret_type": "github_app_installation_access_token"}, {}, {}, "secret_type"),
        ({"secret_type": "github_oauth_access_token"}, {}, {}, "secret_type"),
        ({}, {}, {"revokes": False}, "server"),
        ({}, {"visibility": "public"}, {}, "public"),
        ({}, {"state": RepositoryState.DELETED}, {}, "unreachable"),
        ({}, {"state": RepositoryState.REMOVED}, {}, "unreachable"),
        ({"report": report(ReportState.REPORTED)}, {}, {}, "reported"),
        ({"report": report(ReportState.CONFIRMED)}, {}, {}, "reported"),
        ({"report": report(ReportState.STILL_ACTIVE)}, {}, {}, "reported"),
        ({"report": report(ReportState.WAITING)}, {}, {}, "waiting"),
        ({"validity": "inactive"}, {}, {}, "inactive"),
        ({"probe": NOT_HERE}, {}, {}, "inactive"),
        ({"state": AlertState.RESOLVED, "validity": "inactive"}, {"visibility": "public"}, {}, "closed"),
    ],
)
def test_why_a_secret_can_t_be_reported(
    alert: dict[str, Any], where: dict[str, Any], server: dict[str, bool], obstacle: str | None
) -> None:
    found = report_obstacle(
        token(**alert), repository(**where), replace(GITHUB_COM, **server), ReportOptions()
    )
    assert found == obstacle


@pytest.mark.parametrize(
    ("secret_type", "option"),
    [
        ("github_oauth_access_token", "oauth_tokens"),
        ("github_app_user_access_token", "app_user_tokens"),
        ("github_refresh_token", "refresh_tokens"),
    ],
)
def test_the_operator_can_allow_reports_of_other_tokens(secret_type: str, option: str) -> None:
    alert = token(secret_type=secret_type)
    assert report_obstacle(alert, repository(), GITHUB_COM, ReportOptions()) == "secret_type"
    assert report_obstacle(alert, repository(), GITHUB_COM, ReportOptions(**{option: True})) is None
