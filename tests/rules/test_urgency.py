"""The urgency of an alert, for each row of the table and each fact behind it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.urgency import TABLE, Urgency, delivered_urgency, urgency
from integrations.github.accounts import GitHubAccount
from integrations.github.facts import AlertFacts, RepositoryFacts
from storage.records import Probe
from tests.storage.examples import plain_alert, repository

PUBLIC = {"visibility": "public"}
DEAD = Probe("inactive", "bad_credentials", 1.0, None)


@pytest.mark.parametrize(
    ("alert", "where", "expected"),
    [
        ({"validity": "active", "publicly_leaked": True}, {}, Urgency.CRITICAL),
        ({"validity": "active", "multi_repo": True}, {}, Urgency.CRITICAL),
        ({"validity": "active"}, PUBLIC, Urgency.CRITICAL),
        ({"validity": "active"}, {}, Urgency.HIGH),
        ({"validity": "active", "bypassed": True}, {}, Urgency.HIGH),
        ({"publicly_leaked": True}, {}, Urgency.HIGH),
        ({"multi_repo": True}, {}, Urgency.HIGH),
        ({}, PUBLIC, Urgency.HIGH),
        ({"bypassed": True}, {}, Urgency.HIGH),
        ({"validity": "a word of tomorrow", "bypassed": True}, {}, Urgency.HIGH),
        ({}, {}, Urgency.NORMAL),
        ({"validity": "inactive"}, {}, Urgency.LOW),
        ({"validity": "inactive", "bypassed": True}, PUBLIC, Urgency.LOW),
        ({"probe": DEAD, "publicly_leaked": True}, {}, Urgency.LOW),
    ],
)
def test_urgency_follows_from_the_facts(
    alert: dict[str, Any], where: dict[str, Any], expected: Urgency
) -> None:
    kept = replace(repository(), **{"visibility": "private", **where})
    assert urgency(replace(plain_alert(), **alert), kept) is expected


def test_the_table_has_every_row() -> None:
    rows = [
        (validity, exposed) for validity in ("active", "unknown", "inactive") for exposed in (True, False)
    ]
    assert list(TABLE) == rows


@pytest.mark.parametrize(
    ("alert", "visibility", "expected"),
    [
        ({"validity": "active", "publicly_leaked": True}, "private", Urgency.CRITICAL),
        ({"validity": "active"}, "public", Urgency.CRITICAL),
        ({"validity": "active"}, "private", Urgency.HIGH),
        ({"bypassed": True}, "private", Urgency.HIGH),
        ({"multi_repo": True}, "internal", Urgency.HIGH),
        ({}, "public", Urgency.HIGH),
        ({}, "unknown", Urgency.NORMAL),
        ({"validity": "unknown", "publicly_leaked": False, "bypassed": False}, "private", Urgency.NORMAL),
        ({"validity": "inactive", "publicly_leaked": True}, "public", Urgency.LOW),
    ],
)
def test_a_delivery_is_as_urgent_as_its_facts(
    alert: dict[str, Any], visibility: str, expected: Urgency
) -> None:
    facts = AlertFacts(
        number=1, html_url="", state="open", secret_type="stripe_api_key", secret_type_name="", **alert
    )
    where = RepositoryFacts(1, "octo/payments", GitHubAccount(1, "octo"), "Organization", visibility, "")
    assert delivered_urgency(facts, where) is expected
