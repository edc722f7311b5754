"""Which generic secret types a sync names, and which of the alerts that it finds are old."""

import pytest

from bot.rules.sync_scope import SyncProgress, generic_types, is_old, set_up_lately
from integrations.github.facts import AlertFacts
from storage.records import StoredJson


@pytest.mark.parametrize(
    ("version", "lacks"),
    [
        (None, set()),
        ("3.20.0", set()),
        ("3.19.4", {"generic_private_key"}),
        ("3.18.1", {"ec_private_key", "generic_private_key"}),
        ("unknown", {"ec_private_key", "generic_private_key"}),
    ],
)
def test_only_types_that_the_server_knows_are_named(version: str | None, lacks: set[str]) -> None:
    known = set(generic_types(version))
    assert set(generic_types(None)) - known == lacks
    assert {"password", "rsa_private_key"} <= known


@pytest.mark.parametrize(
    ("created_at", "last_sync", "set_up_at", "old"),
    [
        (1000.0, None, None, True),
        (1000.0, None, 1000.5, True),
        (1001.0, None, 1000.5, False),
        (None, None, 1000.5, True),
        (50_000.0, 60_000.0, 1000.5, True),
        (58_000.0, 60_000.0, 1000.5, False),
        (58_000.0, 60_000.0, 59_000.0, False),
        (None, 60_000.0, None, False),
    ],
)
def test_an_alert_from_before_the_last_sync_or_the_set_up_is_old(
    created_at: float | None, last_sync: float | None, set_up_at: float | None, old: bool
) -> None:
    facts = AlertFacts(
        number=1, html_url="", state="open", secret_type="", secret_type_name="", created_at=created_at
    )
    last = None if last_sync is None else SyncProgress(last_sync, last_sync)
    assert is_old(facts, last, set_up_at) is old


@pytest.mark.parametrize(("stored", "found"), [(1000, 940.0), (None, None), ("x", None), (-90_000.0, None)])
def test_only_a_set_up_of_the_last_day_counts(stored: StoredJson, found: float | None) -> None:
    assert set_up_lately(stored, 2000.0) == found
