"""The urgency of an alert, for each row of the table and each fact behind it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.urgency import TABLE, Urgency, urgency
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
