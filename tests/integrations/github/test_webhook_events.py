"""Parsing GitHub's example deliveries into events."""

import json
from pathlib import Path

import pytest

from integrations.github.accounts import GitHubAccount
from integrations.github.facts import LocationFacts
from integrations.github.webhook_events import (
    AlertEvent,
    AuthorizationEvent,
    Ignored,
    InstallationEvent,
    LocationEvent,
    MembershipEvent,
    RepositoryEvent,
    parse_event,
)
from integrations.json_types import JsonValue
from tests.integrations.github.examples import DATA, WEBHOOKS, event_of, load, webhook

KINDS = {
    "secret_scanning_alert": AlertEvent,
    "secret_scanning_alert_location": LocationEvent,
    "installation": InstallationEvent,
    "installation_repositories": InstallationEvent,
    "repository": RepositoryEvent,
    "member": MembershipEvent,
    "membership": MembershipEvent,
    "team": MembershipEvent,
    "team_add": MembershipEvent,
    "github_app_authorization": AuthorizationEvent,
}
EVENTS = [*KINDS, "installation_target", "organization", "security_and_analysis", "ping", "tomorrows_event"]


def alert_event(payload: dict[str, JsonValue]) -> AlertEvent:
    parsed = parse_event("secret_scanning_alert", payload)
    assert isinstance(parsed, AlertEvent)
    return parsed


def in_alert(payload: dict[str, JsonValue], **fields: JsonValue) -> dict[str, JsonValue]:
    """The payload with changed fields of its alert; None removes a field."""
    alert = payload["alert"]
    assert isinstance(alert, dict)
    changed: JsonValue = {name: value for name, value in (alert | fields).items() if value is not None}
    return {**payload, "alert": changed}


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.name)
def test_every_example_is_parsed(path: Path) -> None:
    parsed = parse_event(event_of(path), load(path))
    assert isinstance(parsed, KINDS.get(event_of(path), object))
    if event_of(path) in {"ping", "secret_scanning_scan"}:
        assert parsed == Ignored("event_not_used")


def test_every_example_is_in_the_index() -> None:
    listed = {entry["file"] for entry in json.loads((DATA / "INDEX.json").read_bytes())}
    assert {str(path.relative_to(DATA)) for path in DATA.glob("*/*.json")} == listed


def test_a_full_alert_is_read_field_by_field() -> None:
    event = alert_event(webhook("secret_scanning_alert.resolved"))
    assert event.action == "resolved"
    assert event.installation_id == 12345678
    assert event.repository.full_name == "octo-org/octo-repo"
    assert event.repository.visibility == "internal"
    assert event.alert.state == "resolved"
    assert event.alert.resolution == "revoked"
    assert event.alert.resolution_comment == "rotated in INC-1"
    assert event.alert.resolved_by == GitHubAccount(9919, "github")
    assert event.alert.updated_at == 1788256800.0
    assert event.alert.resolved_at == 1788264000.0
    assert event.alert.validity == "inactive"
    assert event.alert.category == "default"


def test_an_old_servers_alert_with_five_fields_is_read() -> None:
    event = alert_event(webhook("secret_scanning_alert.reopened.ghes"))
    assert event.alert.number == 191
    assert event.alert.state == "open"
    assert event.alert.html_url == "https://github.com/Codertocat/Hello-World/security/secret-scanning/191"
    assert event.alert.secret_type_name == "adafruit_io_key"
    assert (event.alert.updated_at, event.alert.validity, event.alert.metadata) == (None, None, None)
    assert not event.alert.has_assigned_to
    assert event.repository.visibility == "private"
    assert event.installation_id is None


@pytest.mark.parametrize(
    ("action", "resolution", "state"),
    [
        ("created", None, "open"),
        ("reopened", None, "open"),
        ("resolved", None, "resolved"),
        ("resolved", "revoked", "resolved"),
        ("validated", "wont_fix", "resolved"),
        ("validated", None, "open"),
        ("assigned", "a_word_of_tomorrow", "resolved"),
    ],
)
def test_the_state_follows_from_resolution_and_action(
    action: str, resolution: str | None, state: str
) -> None:
    payload = in_alert(webhook("secret_scanning_alert.created") | {"action": action}, resolution=resolution)
    assert alert_event(payload).alert.state == state


def test_a_state_in_the_payload_is_used() -> None:
    payload = in_alert(webhook("secret_scanning_alert.validated"), state="resolved")
    assert alert_event(payload).alert.state == "resolved"


def test_unknown_enum_values_are_kept() -> None:
    payload = in_alert(
        webhook("secret_scanning_alert.created") | {"action": "frobnicated"},
        validity="perhaps",
        secret_category="quantum",
        secret_type="octo_new_key",
    )
    event = alert_event(payload)
    assert (event.action, event.alert.validity, event.alert.category) == ("frobnicated", "perhaps", "quantum")
    assert event.alert.secret_type == "octo_new_key"


def test_the_assignee_is_read() -> None:
    event = alert_event(webhook("secret_scanning_alert.assigned"))
    assert event.alert.assigned_to == GitHubAccount(9919, "github")
    event = alert_event(webhook("secret_scanning_alert.unassigned"))
    assert event.alert.has_assigned_to
    assert event.alert.assigned_to is None


def test_metadata_is_read_and_an_empty_list_means_none() -> None:
    created = alert_event(webhook("secret_scanning_alert.metadata_created")).alert
    assert created.metadata == {"owner-name": "octocat", "secret-name": "ci token"}
    assert alert_event(webhook("secret_scanning_alert.metadata_removed")).alert.metadata == {}


def test_a_bypass_is_read_with_its_person_and_time() -> None:
    alert = alert_event(webhook("secret_scanning_alert.created.push_protection_bypassed")).alert
    assert alert.bypassed is True
    assert alert.bypassed_by == GitHubAccount(9919, "github")
    assert alert.bypassed_at == 1788256799.0


def test_a_new_location_has_a_web_page() -> None:
    parsed = parse_event(
        "secret_scanning_alert_location", webhook("secret_scanning_alert_location.created.ghes")
    )
    assert isinstance(parsed, LocationEvent)
    sha = "f14d7debf9775f957cf4f1e8176da0786431f72b"
    page = f"https://github.com/Codertocat/Hello-World/blob/{sha}/example/secrets.txt#L1"
    assert parsed.location == LocationFacts("commit", "/example/secrets.txt", 1, sha, page)


def test_a_location_event_without_an_action_is_created() -> None:
    payload = webhook("secret_scanning_alert_location.created.spec")
    del payload["action"]
    parsed = parse_event("secret_scanning_alert_location", payload)
    assert isinstance(parsed, LocationEvent)
    assert parsed.action == "created"


def test_installation_events_list_added_and_removed_repositories() -> None:
    created = parse_event("installation", webhook("installation.created.api"))
    assert isinstance(created, InstallationEvent)
    assert created.added == ((186853002, "Codertocat/Hello-World"),)
    assert created.installation.account == GitHubAccount(21031067, "Codertocat")
    deleted = parse_event("installation", webhook("installation.deleted.api"))
    assert isinstance(deleted, InstallationEvent)
    assert deleted.removed == ((1296269, "octocat/Hello-World"),)
    added = parse_event("installation_repositories", webhook("installation_repositories.added"))
    assert isinstance(added, InstallationEvent)
    assert (added.added, added.removed) == (((186853007, "Codertocat/Space"),), ())
    suspended = parse_event("installation", webhook("installation.suspend"))
    assert isinstance(suspended, InstallationEvent)
    assert suspended.installation.suspended


def test_a_renamed_account_gives_an_installation_event_with_the_new_login() -> None:
    organization = parse_event("organization", webhook("organization.renamed"))
    assert isinstance(organization, InstallationEvent)
    assert organization.installation.account == GitHubAccount(38302899, "Octocoders")
    target = {
        "action": "renamed",
        "account": {"id": 7, "login": "new-name"},
        "changes": {"login": {"from": "old-name"}},
        "installation": {"id": 9},
        "target_type": "Organization",
    }
    renamed = parse_event("installation_target", target)
    assert isinstance(renamed, InstallationEvent)
    assert (renamed.action, renamed.installation.id) == ("renamed", 9)
    assert renamed.installation.account == GitHubAccount(7, "new-name")
    assert renamed.installation.account_type == "Organization"


def test_changed_security_settings_give_a_repository_event() -> None:
    payload = webhook("repository.edited")
    del payload["action"]
    parsed = parse_event("security_and_analysis", payload)
    assert isinstance(parsed, RepositoryEvent)
    assert parsed.action == "security_and_analysis"


@pytest.mark.parametrize(
    ("name", "person", "repository", "owner"),
    [
        ("member.edited", 583231, 135493233, "Codertocat"),
        ("membership.removed", 21031067, None, "Octocoders"),
        ("organization.member_added", 39652351, None, "Octocoders"),
        ("team.added_to_repository", None, 186853261, "Octocoders"),
        ("team.deleted", None, None, "Octocoders"),
        ("team_add", None, 186853261, "Octocoders"),
    ],
)
def test_permission_events_hold_the_narrowest_ids(
    name: str, person: int | None, repository: int | None, owner: str
) -> None:
    parsed = parse_event(name.partition(".")[0], webhook(name))
    assert isinstance(parsed, MembershipEvent)
    assert (parsed.person_id, parsed.repository_id, parsed.owner.login) == (person, repository, owner)
