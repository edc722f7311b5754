"""What GitHub says of an alert, in whatever order it arrives, ends in one truth and one timeline."""

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
"""What the API alone tells, and what stays the same for one alert."""


def facts(updated_at: float = NOW, **fields: Any) -> AlertFacts:
    """An open alert as a webhook tells it."""
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


def heard(*said: AlertFacts, fetched: bool = False, known: Alert | None = None) -> Alert:
    """What is known after these, one after another."""
    for one in said:
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
SAID = st.tuples(STATES, CHANGES, st.booleans())
"""A state, what else changed, and whether the API answered it (else a webhook told it)."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[AlertFacts, bool]]:
    """What GitHub said of one alert over time, oldest first; at least once the API answered."""
    said = draw(st.lists(SAID, min_size=1, max_size=5))
    said[-1] = (*said[-1][:2], said[-1][2] or not any(fetched for *_, fetched in said))
    history = []
    for at, (state, changes, fetched) in enumerate(said):
        closed_at = NOW + at if state["state"] == "resolved" else None
        details = DETAILS if fetched else {}
        history.append((facts(NOW + at, **state, **changes, **details, resolved_at=closed_at), fetched))
    return history


def told(known: Alert | None, said: list[tuple[AlertFacts, bool]]) -> tuple[Alert, list[Event]]:
    """The alert and the timeline after all of it, as the database keeps them: an event once."""
    timeline: dict[str | None, Event] = {}
    for one, fetched in said:
        after = merge_facts(known, one, REPOSITORY, NOW, fetched=fetched)
        for event in events_between(known, after, NOW):
            timeline.setdefault(event.once, event)
        known = after
    assert known is not None
    return known, list(timeline.values())


@given(histories(), st.data())
def test_any_order_of_the_same_facts_ends_in_the_same_alert(
    history: list[tuple[AlertFacts, bool]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    assert told(None, list(shuffled))[0] == told(None, history)[0]


@given(histories(), st.data())
def test_an_older_truth_never_overwrites_a_newer_one(
    history: list[tuple[AlertFacts, bool]], data: st.DataObject
) -> None:
    newest, _ = told(None, history)
    older = data.draw(st.lists(st.sampled_from(history[:-1] or history), max_size=4))
    assert told(newest, older)[0] == newest
    assert told(newest, older)[1] == []


@given(histories())
def test_the_same_facts_again_change_nothing_and_happen_once(history: list[tuple[AlertFacts, bool]]) -> None:
    once, timeline = told(None, history)
    twice, again = told(None, [one for one in history for _ in range(2)])
    assert twice == once
    assert again == timeline
    assert all(event.once is not None for event in timeline)


@given(histories())
def test_a_timeline_begins_with_the_find_and_tells_every_state(
    history: list[tuple[AlertFacts, bool]],
) -> None:
    alert, timeline = told(None, history)
    assert timeline[0].kind is EventKind.FOUND
    states = [event.kind for event in timeline if event.kind in (EventKind.CLOSED, EventKind.REOPENED)]
    if states:
        assert (states[-1] is EventKind.CLOSED) == (alert.state is AlertState.RESOLVED)
    assert all(a is not b for a, b in itertools.pairwise(states))


def test_details_that_come_late_and_old_fill_what_was_missing() -> None:
    """GitHub's read side lags behind its webhooks."""
    known = merge_facts(heard(facts(NOW + 5)), facts(NOW, **DETAILS), REPOSITORY, NOW, fetched=True)
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
    known = heard(facts(NOW + 1, **DETAILS, **bypass), fetched=True)
    assert merge_facts(known, facts(NOW, **old), REPOSITORY, NOW, fetched=True) == known


def test_what_a_source_does_not_say_stays() -> None:
    known = heard(facts(**DETAILS, publicly_leaked=True, validity="active", assigned_to=ANA), fetched=True)
    silent = AlertFacts(
        number=42, html_url="", state="open", secret_type="", secret_type_name="", updated_at=NOW + 1
    )
    after = heard(silent, known=known)
    assert replace(after, updated_at=NOW) == known


@pytest.mark.parametrize("state", ["fixed", "OPEN", ""])
def test_a_state_that_nobody_knows_leaves_the_state(state: str) -> None:
    assert heard(facts(), facts(NOW + 1, state=state)).state is AlertState.OPEN


def test_unknown_words_are_kept_as_they_are() -> None:
    known = heard(facts(state="resolved", resolution="superseded_by_policy", validity="quarantined"))
    assert (known.resolution, known.validity) == ("superseded_by_policy", "quarantined")


def test_reopening_forgets_who_closed_it_and_why() -> None:
    closed = facts(state="resolved", resolution="revoked", resolved_by=ANA, resolved_at=NOW)
    acted = replace(heard(closed), acted_by=Person(github=Account(GitHubId(11), "ana")))
    after = heard(facts(NOW + 1), known=acted)
    assert (after.resolution, after.resolved_by, after.resolved_at, after.acted_by) == (
        None,
        None,
        None,
        None,
    )


def test_github_changing_its_word_outdates_a_probe_and_an_override() -> None:
    probe = Probe("active", "accepted", NOW, None, ever_active=True)
    known = replace(heard(facts(validity="active")), probe=probe, validity_written=True)
    after = heard(facts(NOW + 1, validity="inactive"), known=known)
    assert after.probe == replace(probe, superseded=True)
    assert after.validity_written is False
    assert heard(facts(NOW + 1, validity="active"), known=known).probe == probe


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
def test_github_calling_a_reported_secret_inactive_confirms_what_was_sent(
    state: ReportState, after: ReportState
) -> None:
    known = replace(heard(facts(validity="active")), report=replace(REPORT, state=state))
    now_dead = heard(facts(NOW + 1, validity="inactive"), known=known)
    assert now_dead.report is not None
    assert now_dead.report.state is after
    kinds = {event.kind for event in events_between(known, now_dead, NOW)}
    assert (EventKind.REPORT_CONFIRMED in kinds) == (state is not after)


def test_a_report_that_had_waited_and_is_sent_is_not_called_confirmed() -> None:
    before = replace(heard(facts()), report=replace(REPORT, state=ReportState.WAITING))
    assert events_between(before, replace(before, report=REPORT), NOW) == ()
    assert confirm_report(None) is None


def test_a_confirmation_says_whether_the_secret_may_be_called_dead() -> None:
    before = replace(heard(facts()), report=REPORT)
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
def test_a_literal_in_what_github_says_is_not_kept(planted: dict[str, Any], first: bool) -> None:
    """Neither when the alert is new, nor in an update, nor in the timeline."""
    known = None if first else heard(facts())
    after = merge_facts(known, facts(NOW + 1, **planted), REPOSITORY, NOW, fetched=True)
    assert LITERAL not in repr(after)
    assert LITERAL not in repr(events_between(known, after, NOW))


@pytest.mark.parametrize("number", ["", "-1", "1.5", "١٢", "9" * 5_000, "0x10"])
def test_an_owner_without_a_usable_id_is_a_name_alone(number: str) -> None:
    known = heard(facts(metadata={"owner-name": "leaky-dev", "owner-id": number}))
    assert known.token == TokenFacts(owner_name="leaky-dev")


BEN_HERE = Person(github=Account(GitHubId(12), "ben"))


def test_whoever_github_assigns_is_on_it_until_it_unassigns_them() -> None:
    ana = Person(github=Account(GitHubId(11), "ana"))
    free, assigned = heard(facts()), heard(facts(NOW + 1, assigned_to=ANA))
    taken = follow_assignment(free, assigned, ana)
    assert (taken.taken_by, taken.taken_at) == (ana, NOW + 1)
    assert follow_assignment(taken, taken, ana) == taken
    dropped = follow_assignment(taken, replace(taken, assigned_to=None), None)
    assert (dropped.taken_by, dropped.taken_at) == (None, None)
    other = replace(taken, taken_by=BEN_HERE, assigned_to=None)
    assert follow_assignment(taken, other, None).taken_by == other.taken_by


def test_whoever_took_it_here_stays_on_it_when_github_assigns_somebody_else() -> None:
    ana = Person(github=Account(GitHubId(11), "ana"))
    held = replace(heard(facts()), taken_by=BEN_HERE, taken_at=NOW)
    assigned = replace(held, assigned_to=ana.github)
    assert follow_assignment(held, assigned, ana) == assigned
    handed_on = replace(assigned, taken_by=ana)
    after = follow_assignment(handed_on, replace(handed_on, assigned_to=BEN_HERE.github), BEN_HERE)
    assert after.taken_by == BEN_HERE, "an assignee who is replaced on GitHub is replaced here"


def test_whom_stanch_assigned_is_forgotten_once_github_names_somebody_else() -> None:
    ana, ben = Account(GitHubId(11), "ana"), BEN_HERE.github
    ours = replace(heard(facts()), assigned_by_us=ana)
    assigned = follow_assignment(ours, replace(ours, assigned_to=ana), None)
    assert assigned.assigned_by_us == ana
    for named in (None, ben):
        changed = follow_assignment(assigned, replace(assigned, assigned_to=named), None)
        assert changed.assigned_by_us is None


def test_what_stanch_itself_assigned_is_no_news() -> None:
    ana = Account(GitHubId(11), "ana")
    noted = replace(heard(facts()), taken_by=Person(github=ana), assigned_by_us=ana)
    assigned = replace(noted, assigned_to=ana)
    assert events_between(noted, assigned, NOW) == ()
    stepped_back = replace(assigned, taken_by=None)
    assert events_between(stepped_back, replace(stepped_back, assigned_to=None), NOW) == ()
    taken_away = events_between(assigned, replace(assigned, assigned_to=None), NOW)
    assert [event.kind for event in taken_away] == [EventKind.UNASSIGNED]


def test_an_answer_that_names_no_assignee_makes_a_stored_one_count_for_nothing() -> None:
    stored = replace(heard(facts()), assigned_to=Account(GitHubId(11), "ana"))
    assert keep_answered_assignee(stored, facts(assigned_to=ANA)) == stored
    assert keep_answered_assignee(stored, facts()).assigned_to is None
