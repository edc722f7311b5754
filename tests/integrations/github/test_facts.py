"""Reading GitHub's REST responses into records."""

import dataclasses
from typing import get_type_hints

import pytest

from integrations.github.errors import Malformed
from integrations.github.facts import (
    AlertFacts,
    LocationFacts,
    is_full_name,
    parse_alert,
    parse_location,
    parse_repository,
)
from integrations.github.json_fields import timestamp
from integrations.github.role_facts import (
    Membership,
    RepositoryPermission,
    parse_custom_repository_role,
    parse_membership,
    parse_organization_role,
    parse_permission,
)
from tests.integrations.github.examples import rest

PAGE = "https://github.com/octocat/Hello-World"


@pytest.mark.parametrize(
    "name", ["get-alert", "list-alerts-repo", "list-alerts-org", "update-alert-response"]
)
def test_every_example_alert_is_read_without_its_secret(name: str) -> None:
    for raw in rest(name):
        alert = parse_alert(raw)
        assert alert.number == raw["number"]
        assert alert.state == raw["state"]
        assert alert.html_url == raw["html_url"]
        assert "XXXX" not in repr(alert)


def test_the_example_alert_is_read_field_by_field() -> None:
    alert = parse_alert(rest("get-alert")[0])
    assert alert == AlertFacts(
        number=42,
        html_url="https://github.com/owner/private-repo/security/secret-scanning/42",
        state="open",
        secret_type="mailchimp_api_key",
        secret_type_name="Mailchimp API Key",
        created_at=1604686710.0,
        validity="unknown",
        publicly_leaked=False,
        multi_repo=False,
        bypassed=False,
        metadata={"owner-email": "owner@example.com"},
    )


def test_an_alert_has_no_field_for_the_secret() -> None:
    names = {field.name for field in dataclasses.fields(AlertFacts)}
    assert "secret" not in names
    assert len(names) == len(get_type_hints(AlertFacts))


def test_the_type_of_the_first_location_is_inferred() -> None:
    details = rest("list-locations")[0]["details"]
    alert = parse_alert({"number": 1, "first_location_detected": details}, repository_url=PAGE)
    assert alert.first_location is not None
    assert alert.first_location.kind == "commit"
    assert alert.first_location.html_url is not None


def test_every_type_of_location_is_inferred_from_its_details() -> None:
    for raw in rest("list-locations"):
        assert parse_location({"details": raw["details"]}).kind == raw["type"]


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("commit", PAGE + "/blob/f14d7debf9775f957cf4f1e8176da0786431f72b/example/secrets.txt#L1"),
        ("wiki_commit", PAGE + "/wiki/Home/302c0b7e200761c9dd9b57e57db540ee0b4293a5"),
        ("issue_body", PAGE + "/issues/1347"),
        ("pull_request_title", PAGE + "/pull/2846"),
        ("discussion_body", "https://github.com/community/community/discussions/39082#discussion-4566270"),
        ("issue_comment", None),
        ("pull_request_review", None),
    ],
)
def test_a_locations_page_is_derived_where_possible(kind: str, page: str | None) -> None:
    raw = next(raw for raw in rest("list-locations") if raw["type"] == kind)
    assert parse_location(raw, repository_url=PAGE).html_url == page


def test_githubs_page_of_a_location_is_preferred() -> None:
    raw = {"type": "issue_comment", "details": {"html_url": PAGE + "/issues/1#issuecomment-2"}}
    assert parse_location(raw) == LocationFacts("issue_comment", html_url=PAGE + "/issues/1#issuecomment-2")


def test_a_path_is_escaped_only_in_its_page() -> None:
    details = {"path": "a b/<!channel>#1?.txt", "commit_sha": "abc", "start_line": 3.0}
    location = parse_location({"type": "commit", "details": details}, repository_url=PAGE)
    assert location.path == "a b/<!channel>#1?.txt"
    assert location.html_url == PAGE + "/blob/abc/a%20b/%3C%21channel%3E%231%3F.txt#L3"


def test_an_address_that_is_not_http_is_dropped() -> None:
    raw = {"type": "issue_body", "details": {"html_url": "javascript:alert(1)"}}
    assert parse_location(raw).html_url is None


@pytest.mark.parametrize(
    ("settings", "delegated"),
    [
        (None, None),
        ({}, None),
        ({"secret_scanning_delegated_alert_dismissal": {"status": "enabled"}}, True),
        ({"secret_scanning_delegated_alert_dismissal": {"status": "disabled"}}, False),
        ({"secret_scanning_delegated_alert_dismissal": {"status": "someday"}}, None),
    ],
)
def test_delegated_dismissal_is_three_valued(settings: object, delegated: bool | None) -> None:
    raw = {"id": 1, "full_name": "octo/payments", "owner": {"id": 2, "login": "octo", "type": "Organization"}}
    assert parse_repository(raw | {"security_and_analysis": settings}).delegated_dismissal is delegated


def test_visibility_is_derived_from_private_where_it_is_missing() -> None:
    raw: dict[str, object] = {"id": 1, "full_name": "octo/payments", "owner": {"id": 2, "login": "octo"}}
    assert parse_repository(raw).visibility == "unknown"
    assert parse_repository(raw | {"private": False}).visibility == "public"
    assert parse_repository(raw | {"private": True}).visibility == "private"
    assert parse_repository(raw | {"private": True, "visibility": "internal"}).visibility == "internal"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2020-11-06T18:18:30Z", 1604686710.0),
        ("2020-11-06T19:18:30+01:00", 1604686710.0),
        ("2020-11-06T18:18:30", 1604686710.0),
        (1604686710, 1604686710.0),
        ("yesterday", None),
        ("", None),
        (True, None),
        (None, None),
        (10**400, None),
    ],
)
def test_times_become_unix_seconds(value: object, seconds: float | None) -> None:
    assert timestamp(value) == seconds


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("octo/payments", True),
        ("octo-org/.github", True),
        ("Octo_1/a.b_c-d", True),
        ("octo/..", False),
        ("octo/.", False),
        ("../octo", False),
        ("octo", False),
        ("octo/a/b", False),
        ("octo/a b", False),
        ("octo/a%2Fb", False),
        ("octo/ä", False),
        ("octo/a\n", False),
        ("", False),
    ],
)
def test_only_names_that_are_safe_in_a_path_are_accepted(name: str, possible: bool) -> None:
    assert is_full_name(name) is possible


def test_githubs_example_roles_are_read() -> None:
    membership = parse_membership(rest("org-membership")[0])
    assert membership == Membership("active", "admin", 1)
    permission = parse_permission(rest("collaborator-permission")[0])
    assert permission == RepositoryPermission("admin", "admin", 1)
    roles = rest("organization-roles")[0]["roles"]
    assert isinstance(roles, list)
    parsed = [parse_organization_role(role) for role in roles if isinstance(role, dict)]
    assert len(parsed) == len(roles)
    assert all(role.permissions for role in parsed)
    custom = rest("custom-repository-roles")[0]["custom_roles"]
    assert isinstance(custom, list)
    assert isinstance(custom[0], dict)
    assert parse_custom_repository_role(custom[0]).permissions


@pytest.mark.parametrize(
    "parse", [parse_membership, parse_permission, parse_organization_role, parse_repository]
)
def test_a_response_without_its_subject_is_malformed(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(Malformed):
        parse({"state": "active", "user": None})
