"""Which new tokens are checked without a click, and when the next one may be."""

from typing import Any

import pytest

from bot.options import ValidityOptions
from bot.rules.arrival_check import HOUR, ArrivalPace, is_check_due, is_check_wanted
from storage.records import Alert, AlertState, TokenFacts
from tests.views.cases import FOUND, KNOWN_OWNER, LEAKY, WORKS, stripe, token

OWNED = TokenFacts(owner=LEAKY)
NAMED = TokenFacts(owner_name="old-dev")
OFF = ValidityOptions()
MEMBERS = ValidityOptions(check_on_arrival="members")
ALL = ValidityOptions(check_on_arrival="all")


@pytest.mark.parametrize(
    ("alert", "options", "wanted"),
    [
        (token(), OFF, False),
        (token(token=OWNED), OFF, False),
        (token(), ALL, True),
        (token(token=OWNED), ALL, True),
        (token(), MEMBERS, False),
        (token(token=NAMED), MEMBERS, False),
        (token(token=OWNED), MEMBERS, True),
        (stripe(), ALL, False),
        (token(secret_type="github_refresh_token"), ALL, False),
        (token(probe=WORKS), ALL, False),
        (token(state=AlertState.RESOLVED), ALL, False),
        (token(first_seen_at=FOUND - HOUR), ALL, False),
    ],
)
def test_an_open_new_token_is_checked_as_the_option_says(
    alert: Alert, options: ValidityOptions, wanted: bool
) -> None:
    assert is_check_wanted(alert, options, FOUND + 1) is wanted


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        (None, token(token=OWNED), True),
        (token(), token(token=OWNED), True),
        (token(token=NAMED), token(token=OWNED), True),
        (token(token=OWNED), token(token=KNOWN_OWNER), False),
        (token(), token(), False),
        (None, token(), False),
    ],
)
def test_a_check_is_due_for_a_new_alert_or_a_new_owner(before: Alert | None, after: Alert, due: bool) -> None:
    assert is_check_due(before, after, MEMBERS, FOUND + 1) is due


@pytest.mark.parametrize(
    ("pace", "free_after"),
    [
        (ArrivalPace(), 0.0),
        (ArrivalPace(at=(FOUND - 4,)), 6.0),
        (ArrivalPace(at=(FOUND - 10,)), 0.0),
        (ArrivalPace(at=tuple(FOUND - 3000 + 10 * number for number in range(30))), 600.0),
        (ArrivalPace(at=tuple(FOUND - 3000 + 10 * number for number in range(29))), 0.0),
        (ArrivalPace(at=tuple(FOUND - HOUR - 10 + number for number in range(30))), 0.0),
        (ArrivalPace(paused_until=FOUND + 77), 77.0),
        (ArrivalPace(paused_until=FOUND - 77), 0.0),
    ],
)
def test_thirty_checks_an_hour_ten_seconds_apart(pace: ArrivalPace, free_after: float) -> None:
    assert pace.free_at(FOUND) == FOUND + free_after


@pytest.mark.parametrize(
    ("verdicts", "paused"),
    [
        (("inactive", "inactive"), False),
        (("inactive", "inactive", "inactive"), True),
        (("inactive", "inactive", "active", "inactive"), False),
        (("inactive", "unknown", "inactive", "inactive"), True),
        (("unknown", "unknown", "unknown"), False),
    ],
)
def test_three_refused_tokens_in_a_row_pause_the_checks_for_an_hour(
    verdicts: tuple[str, ...], paused: bool
) -> None:
    pace = ArrivalPace()
    for verdict in verdicts:
        pace = pace.after_verdict(verdict, FOUND)
    assert pace.free_at(FOUND) == FOUND + (HOUR if paused else 10)


@pytest.mark.parametrize(
    "stored",
    [None, 7, {}, {"at": "soon", "refused": None, "paused_until": []}, {"at": [1.5], "more": "later"}],
)
def test_what_another_version_stored_is_read(stored: Any) -> None:
    assert ArrivalPace.from_json(stored).free_at(FOUND) == FOUND


def test_the_pace_is_stored_and_read() -> None:
    pace = ArrivalPace().after_start(FOUND).after_verdict("inactive", FOUND + 2)
    assert pace.free_at(FOUND + 3) == FOUND + 12
    assert ArrivalPace.from_json(pace.to_json()) == pace
