"""When a secret can be reported to GitHub, and why not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.options import ReportOptions
from bot.rules.report_eligibility import ServerAbilities, report_obstacle
from storage.records import AlertState, ReportState, RepositoryState
from tests.views.cases import GITHUB_COM, NOT_HERE, WORKS, report, repository, token


def test_a_server_that_could_not_be_asked_takes_no_reports() -> None:
    assert report_obstacle(token(), repository(), GITHUB_COM, ReportOptions()) is None
    assert report_obstacle(token(), repository(), ServerAbilities(), ReportOptions()) == "server"


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
    assert (
        report_obstacle(alert, repository(), GITHUB_COM, ReportOptions.model_validate({option: True})) is None
    )
