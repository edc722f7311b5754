"""GitHub's facts of an alert, in any order, lead to the same alert and the same timeline."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.alert_merge import confirm_report, merge_facts
from bot.rules.assignment import follow_assignment, keep_answered_assignee
from bot.rules.timeline import events_between
from integrations.github.accounts import GitHubAccount
from integrations.github.facts import AlertFacts, LocationFacts
from storage.records import (
    Account,
    Alert,
    AlertState,
    Event,
    EventKind,
    GitHubId,
    Person,
    Probe,
    Report,
    ReportState,
    RepositoryId,
    TokenFacts,
)

REPOSITORY = RepositoryId(90001)
NOW = 1795488600.0
ANA, BEN = GitHubAccount(11, "ana"), GitHubAccount(12, "ben")
LITERAL = "ghp" + "_" + "aB3dE6gH9" * 4
PLACE = LocationFacts("commit", "config/deploy.env", 3, "4f35f36a", "https://github.com/octo/payments/blob/x")
DETAILS: dict[str, Any] = {
    "base64_encoded": True,
    "first_location": PLACE,
    "has_more_locations": True,
    "metadata": {"owner-name": "leaky-dev", "owner-id": "12", "secret-expiration-date": "2027-01-31"},
}
"""Facts that only the API has and that stay the same for one alert."""


def facts(updated_at: float = NOW, **fields: Any) -> AlertFacts:
    """An open alert as in a webhook."""
    made = AlertFacts(
        number=42,
        html_url="https://github.com/octo/payments/security/secret-scanning/42",
        state="open",
        secret_type="github_personal_access_token",
        secret_type_name="GitHub Personal Access Token",
        created_at=NOW - 600,
        updated_at=updated_at,
        validity="unknown",
        publicly_leaked=False,
        multi_repo=False,
        bypassed=False,
        has_assigned_to=True,
    )
    return replace(made, **fields)


def merged(*received: AlertFacts, fetched: bool = False, known: Alert | None = None) -> Alert:
    """The alert after merging these facts in order."""
    for one in received:
        known = merge_facts(known, one, REPOSITORY, NOW, fetched=fetched)
    assert known is not None
    return known


STATES = st.one_of(
    st.fixed_dictionaries({"state": st.just("open"), "resolution_comment": st.none() | st.just("reopened")}),
    st.fixed_dictionaries(
        {
            "state": st.just("resolved"),
            "resolution": st.sampled_from(["revoked", "wont_fix", "pattern_deleted"]),
            "resolution_comment": st.none() | st.just("done"),
            "resolved_by": st.sampled_from([ANA, BEN]),
        }
    ),
)
CHANGES = st.fixed_dictionaries(
    {
        "validity": st.sampled_from(["active", "inactive", "unknown", "a new word"]),
        "publicly_leaked": st.booleans(),
        "multi_repo": st.booleans(),
        "bypassed": st.booleans(),
        "assigned_to": st.sampled_from([None, ANA, BEN]),
    }
)
RECEIVED = st.tuples(STATES, CHANGES, st.booleans())
"""A state, the other changes, and whether they come from the API (else from a webhook)."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[AlertFacts, bool]]:
    """Facts of one alert over time, oldest first; at least one is from the API."""
    received = draw(st.lists(RECEIVED, min_size=1, max_size=5))
    received[-1] = (*received[-1][:2], received[-1][2] or not any(fetched for *_, fetched in received))
    history = []
    for at, (state, changes, fetched) in enumerate(received):
        closed_at = NOW + at if state["state"] == "resolved" else None
        details = DETAILS if fetched else {}
        history.append((facts(NOW + at, **state, **changes, **details, resolved_at=closed_at), fetched))
    return history


def merged_with_timeline(
    known: Alert | None, received: list[tuple[AlertFacts, bool]]
) -> tuple[Alert, list[Event]]:
    """The alert and its timeline after merging all facts; each event once, as the database stores it."""
    timeline: dict[str | None, Event] = {}
    for one, fetched in received:
        after = merge_facts(known, one, REPOSITORY, NOW, fetched=fetched)
        for event in events_between(known, after, NOW):
            timeline.setdefault(event.once, event)
        known = after
    assert known is not None
    return known, list(timeline.values())


@given(histories(), st.data())
def test_the_same_facts_in_any_order_give_the_same_alert(
    history: list[tuple[AlertFacts, bool]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    assert merged_with_timeline(None, list(shuffled))[0] == merged_with_timeline(None, history)[0]


@given(histories(), st.data())
def test_older_facts_never_overwrite_newer_ones(
    history: list[tuple[AlertFacts, bool]], data: st.DataObject
) -> None:
    newest, _ = merged_with_timeline(None, history)
    older = data.draw(st.lists(st.sampled_from(history[:-1] or history), max_size=4))
    assert merged_with_timeline(newest, older)[0] == newest
    assert merged_with_timeline(newest, older)[1] == []


@given(histories())
def test_the_same_facts_again_change_nothing(history: list[tuple[AlertFacts, bool]]) -> None:
    once, timeline = merged_with_timeline(None, history)
    twice, again = merged_with_timeline(None, [one for one in history for _ in range(2)])
    assert twice == once
    assert again == timeline
    assert all(event.once is not None for event in timeline)


@given(histories())
def test_a_timeline_starts_with_found_and_ends_with_the_current_state(
    history: list[tuple[AlertFacts, bool]],
) -> None:
    alert, timeline = merged_with_timeline(None, history)
    assert timeline[0].kind is EventKind.FOUND
    states = [event.kind for event in timeline if event.kind in (EventKind.CLOSED, EventKind.REOPENED)]
    if states:
        assert (states[-1] is EventKind.CLOSED) == (alert.state is AlertState.RESOLVED)
    assert all(a is not b for a, b in itertools.pairwise(states))


def test_late_older_details_fill_empty_fields() -> None:
    """GitHub's read side lags behind its webhooks."""
    known = merge_facts(merged(facts(NOW + 5)), facts(NOW, **DETAILS), REPOSITORY, NOW, fetched=True)
    assert known.place is not None
    assert (known.place.path, known.base64_encoded, known.has_more_places) == (
        "config/deploy.env",
        True,
        True,
    )
    assert known.token == TokenFacts(Account(GitHubId(12), "leaky-dev"), "leaky-dev", (), 1801353600.0)
    assert known.updated_at == NOW + 5


def test_older_details_do_not_replace_newer_ones() -> None:
    old = {
        "first_location": replace(PLACE, path="old.env"),
        "has_more_locations": False,
        "base64_encoded": False,
        "bypassed_by": BEN,
        "bypassed_at": NOW - 9,
        "bypass_comment": "old",
    }
    bypass = {"bypassed_by": ANA, "bypassed_at": NOW, "bypass_comment": "new"}
    known = merged(facts(NOW + 1, **DETAILS, **bypass), fetched=True)
    assert merge_facts(known, facts(NOW, **old), REPOSITORY, NOW, fetched=True) == known


def test_fields_that_the_facts_lack_stay() -> None:
    known = merged(facts(**DETAILS, publicly_leaked=True, validity="active", assigned_to=ANA), fetched=True)
    silent = AlertFacts(
        number=42, html_url="", state="open", secret_type="", secret_type_name="", updated_at=NOW + 1
    )
    after = merged(silent, known=known)
    assert replace(after, updated_at=NOW) == known


@pytest.mark.parametrize("state", ["fixed", "OPEN", ""])
def test_an_unknown_state_changes_nothing(state: str) -> None:
    assert merged(facts(), facts(NOW + 1, state=state)).state is AlertState.OPEN


def test_unknown_resolutions_and_validities_are_kept() -> None:
    known = merged(facts(state="resolved", resolution="superseded_by_policy", validity="quarantined"))
    assert (known.resolution, known.validity) == ("superseded_by_policy", "quarantined")


def test_reopening_clears_who_closed_the_alert_and_why() -> None:
    closed = facts(state="resolved", resolution="revoked", resolved_by=ANA, resolved_at=NOW)
    acted = replace(merged(closed), acted_by=Person(github=Account(GitHubId(11), "ana")))
    after = merged(facts(NOW + 1), known=acted)
    assert (after.resolution, after.resolved_by, after.resolved_at, after.acted_by) == (
        None,
        None,
        None,
        None,
    )


def test_a_change_of_validity_on_github_outdates_a_probe_and_an_override() -> None:
    probe = Probe("active", "accepted", NOW, None, ever_active=True)
    known = replace(merged(facts(validity="active")), probe=probe, validity_written=True)
    after = merged(facts(NOW + 1, validity="inactive"), known=known)
    assert after.probe == replace(probe, superseded=True)
    assert after.validity_written is False
    assert merged(facts(NOW + 1, validity="active"), known=known).probe == probe


REPORT = Report(ReportState.REPORTED, Person(), NOW, next_look_at=NOW + 60)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (ReportState.REPORTED, ReportState.CONFIRMED),
        (ReportState.STILL_ACTIVE, ReportState.CONFIRMED),
        (ReportState.CONFIRMED, ReportState.CONFIRMED),
        (ReportState.WAITING, ReportState.WAITING),
        (ReportState.FAILED, ReportState.FAILED),
    ],
)
def test_inactive_on_github_confirms_a_sent_report(state: ReportState, after: ReportState) -> None:
    known = replace(merged(facts(validity="active")), report=replace(REPORT, state=state))
    now_dead = merged(facts(NOW + 1, validity="inactive"), known=known)
    assert now_dead.report is not None
    assert now_dead.report.state is after
    kinds = {event.kind for event in events_between(known, now_dead, NOW)}
    assert (EventKind.REPORT_CONFIRMED in kinds) == (state is not after)


def test_sending_a_waiting_report_does_not_confirm_it() -> None:
    before = replace(merged(facts()), report=replace(REPORT, state=ReportState.WAITING))
    assert events_between(before, replace(before, report=REPORT), NOW) == ()
    assert confirm_report(None) is None


def test_a_confirmation_records_whether_the_secret_ever_worked() -> None:
    before = replace(merged(facts()), report=REPORT)
    found = Probe("inactive", "bad_credentials", NOW, None)
    for ever_active in (True, False):
        probe = replace(found, ever_active=ever_active)
        after = replace(before, report=confirm_report(REPORT), probe=probe)
        [event] = events_between(before, after, NOW)
        assert event.details == {"confirmed": ever_active}


@pytest.mark.parametrize(
    "planted",
    [
        {"secret_type_name": f"Custom {LITERAL}"},
        {"secret_type": LITERAL},
        {"provider": LITERAL},
        {"state": "resolved", "resolution": "revoked", "resolution_comment": f"it was {LITERAL}"},
        {"bypassed": True, "bypass_comment": f"only {LITERAL}"},
        {"first_location": replace(PLACE, path=f"keys/{LITERAL}.env")},
        {"first_location": replace(PLACE, html_url=f"https://github.com/octo/payments/blob/x/{LITERAL}")},
        {"metadata": {"owner-name": LITERAL, "owner-id": "12"}},
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_literal_in_githubs_facts_is_not_stored(planted: dict[str, Any], first: bool) -> None:
    """Not for a new alert, not in an update, and not in the timeline."""
    known = None if first else merged(facts())
    after = merge_facts(known, facts(NOW + 1, **planted), REPOSITORY, NOW, fetched=True)
    assert LITERAL not in repr(after)
    assert LITERAL not in repr(events_between(known, after, NOW))


@pytest.mark.parametrize("number", ["", "-1", "1.5", "١٢", "9" * 5_000, "0x10"])
def test_an_owner_with_an_invalid_id_is_stored_as_a_name(number: str) -> None:
    known = merged(facts(metadata={"owner-name": "leaky-dev", "owner-id": number}))
    assert known.token == TokenFacts(owner_name="leaky-dev")


BEN_HERE = Person(github=Account(GitHubId(12), "ben"))


def test_githubs_assignee_is_on_the_alert_until_unassigned() -> None:
    ana = Person(github=Account(GitHubId(11), "ana"))
    free, assigned = merged(facts()), merged(facts(NOW + 1, assigned_to=ANA))
    taken = follow_assignment(free, assigned, ana)
    assert (taken.taken_by, taken.taken_at) == (ana, NOW + 1)
    assert follow_assignment(taken, taken, ana) == taken
    dropped = follow_assignment(taken, replace(taken, assigned_to=None), None)
    assert (dropped.taken_by, dropped.taken_at) == (None, None)
    other = replace(taken, taken_by=BEN_HERE, assigned_to=None)
    assert follow_assignment(taken, other, None).taken_by == other.taken_by


def test_who_took_the_alert_stays_on_it_when_github_assigns_another() -> None:
    ana = Person(github=Account(GitHubId(11), "ana"))
    held = replace(merged(facts()), taken_by=BEN_HERE, taken_at=NOW)
    assigned = replace(held, assigned_to=ana.github)
    assert follow_assignment(held, assigned, ana) == assigned
    handed_on = replace(assigned, taken_by=ana)
    after = follow_assignment(handed_on, replace(handed_on, assigned_to=BEN_HERE.github), BEN_HERE)
    assert after.taken_by == BEN_HERE, "an assignee who is replaced on GitHub is replaced here"


def test_our_assignment_is_cleared_once_github_names_another() -> None:
    ana, ben = Account(GitHubId(11), "ana"), BEN_HERE.github
    ours = replace(merged(facts()), assigned_by_us=ana)
    assigned = follow_assignment(ours, replace(ours, assigned_to=ana), None)
    assert assigned.assigned_by_us == ana
    for named in (None, ben):
        changed = follow_assignment(assigned, replace(assigned, assigned_to=named), None)
        assert changed.assigned_by_us is None


def test_an_assignment_by_stanch_adds_no_event() -> None:
    ana = Account(GitHubId(11), "ana")
    noted = replace(merged(facts()), taken_by=Person(github=ana), assigned_by_us=ana)
    assigned = replace(noted, assigned_to=ana)
    assert events_between(noted, assigned, NOW) == ()
    stepped_back = replace(assigned, taken_by=None)
    assert events_between(stepped_back, replace(stepped_back, assigned_to=None), NOW) == ()
    taken_away = events_between(assigned, replace(assigned, assigned_to=None), NOW)
    assert [event.kind for event in taken_away] == [EventKind.UNASSIGNED]


def test_an_answer_without_assignee_removes_the_stored_one() -> None:
    stored = replace(merged(facts()), assigned_to=Account(GitHubId(11), "ana"))
    assert keep_answered_assignee(stored, facts(assigned_to=ANA)) == stored
    assert keep_answered_assignee(stored, facts()).assigned_to is None
