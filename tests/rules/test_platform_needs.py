"""What the doctor compares with: scopes, permissions and events, the log of deliveries, and file systems."""

from pathlib import Path, PurePosixPath

import pytest
import yaml

from bot.options import DirectoryOptions, Options
from bot.rules import github_app_manifest
from bot.rules.delivery_health import delivery_health
from bot.rules.file_systems import file_system_of
from bot.rules.platform_needs import (
    EVENTS,
    SCOPES,
    VITAL,
    missing_events,
    missing_permissions,
    missing_scopes,
)
from integrations.github.app_facts import DeliveryFacts

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text())
GRANTED = {one.name: one.access for one in github_app_manifest.PERMISSIONS if one.asked}
DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))
MOUNTS = r"""/dev/sda1 / ext4 rw 0 0
server:/a /srv/data nfs4 rw 0 0
/dev/sdb1 /srv/data/local xfs rw 0 0
//host/b /srv/my\040share cifs rw 0 0
tmpfs /over tmpfs rw 0 0
server:/c /over nfs rw 0 0
broken"""


def test_the_scopes_and_events_are_those_of_the_manifests() -> None:
    assert set(SCOPES) == set(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert set(EVENTS) == set(github_app_manifest.EVENTS)
    assert {one.name for one in github_app_manifest.PERMISSIONS} > VITAL


def test_an_optional_scope_is_missed_only_by_the_option_that_needs_it() -> None:
    assert missing_scopes(SCOPES, Options()) == {}
    assert list(missing_scopes(SCOPES, DIRECTORY)) == ["users:read.email"]
    assert set(missing_scopes((), Options())) == set(SCOPES)


@pytest.mark.parametrize(
    ("changes", "account_type", "missing"),
    [
        ({}, "Organization", []),
        ({"secret_scanning_alerts": "read"}, "Organization", ["secret_scanning_alerts"]),
        ({"secret_scanning_alerts": "admin", "members": "write"}, "Organization", []),
        ({"members": ""}, "Organization", ["members"]),
        ({"members": "", "organization_custom_roles": ""}, "User", []),
    ],
)
def test_what_an_installation_lacks(changes: dict[str, str], account_type: str, missing: list[str]) -> None:
    assert [one.name for one in missing_permissions(GRANTED | changes, account_type)] == missing


def test_an_event_is_missed_only_with_its_permission() -> None:
    assert missing_events((), ()) == {}
    assert set(missing_events(("repository",), ("metadata", "administration"))) == {"security_and_analysis"}


def attempt(number: int, guid: str, *, ok: bool) -> DeliveryFacts:
    return DeliveryFacts(number, guid, 100.0 - number, ok, "OK" if ok else "timed out", 202 if ok else 504)


def test_a_delivery_counts_once_and_has_failed_if_no_attempt_succeeded() -> None:
    attempts = [
        attempt(1, "a", ok=True),
        attempt(2, "b", ok=False),
        attempt(3, "a", ok=False),
        attempt(4, "b", ok=False),
    ]
    health = delivery_health(attempts)
    assert (health.number, health.failed) == (2, 1)
    assert (health.last, health.last_failure) == (attempts[0], attempts[1])
    assert delivery_health([]).last is None


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/home/stanch", "ext4"),
        ("/srv/data", "nfs4"),
        ("/srv/data/local/db", "xfs"),
        ("/srv/database", "ext4"),
        ("/srv/my share/db", "cifs"),
        ("/over/here", "nfs"),
    ],
)
def test_the_file_system_of_the_nearest_mount(path: str, system: str) -> None:
    assert file_system_of(PurePosixPath(path), MOUNTS) == system
    assert file_system_of(PurePosixPath(path), "") == ""
