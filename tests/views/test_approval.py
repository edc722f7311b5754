"""Two people for a report, as it is sent to Slack: the request, the form, the card, answers and refusals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bot.actions.approve_report import ApproveReport
from bot.actions.deny_report import DenyReport
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.rules.case import PersonalCase
from bot.rules.replies import APPROVAL_KINDS
from bot.views import refusals
from bot.views.answers import refusal, refusal_view
from bot.views.approval import (
    CHANGES,
    DECIDED,
    NOT_THE_SECOND,
    approved_answer,
    asked_answer,
    cant_ask,
    cant_decide,
    denied_answer,
    ended_notice,
    not_sent,
    request_ended,
)
from bot.views.replies import draw_reply, reply_metadata
from integrations.slack.blocks import Content
from storage.records import Account, ApprovalState, Event, EventKind, GitHubId, MessageKey
from tests.rules.test_approval import ALONE, APPROVED, TWO, asking, deciding, running
from tests.views.cases import (
    ADMIN_PERSON,
    ASKED,
    DEAD,
    NOW,
    OWNER_PERSON,
    closed,
    event,
    in_front_of,
    repository,
    working,
)
from tests.views.sending import opened, sent

METADATA = '{"alert": "90001/42", "channel": "C0ALERTS", "thread": "1795488001.000100"}'
KEY = MessageKey("5f0c2b6e9d1a4c73")
CAN = refusals.help_words(("Ana Ruiz", "Cleo <!channel> *Marsh*"), None)
DENIED = replace(ASKED, state=ApprovalState.DENIED, decided_by=OWNER_PERSON, decided_at=NOW)


def of_request(kind: EventKind, *, by: Any = OWNER_PERSON, **details: Any) -> Event:
    """An event of the request, a minute after it."""
    one = event(kind, by, request=ASKED.id, **details)
    return replace(one, at=one.at + 60)


REQUESTED = event(EventKind.APPROVAL_REQUESTED, ADMIN_PERSON, request=ASKED.id, until=ASKED.expires_at)
REPLIES: dict[str, list[Event]] = {
    "asked": [REQUESTED],
    "approved": [REQUESTED, of_request(EventKind.REPORT_APPROVED, alone=False)],
    "alone": [REQUESTED, of_request(EventKind.REPORT_APPROVED, by=ADMIN_PERSON, alone=True)],
    "denied": [REQUESTED, of_request(EventKind.REPORT_DENIED)],
    "lapsed": [REQUESTED, of_request(EventKind.APPROVAL_LAPSED, by=None, because="lapsed")],
    "approved-and-not-sent": [
        REQUESTED,
        of_request(EventKind.REPORT_APPROVED, alone=False),
        of_request(EventKind.APPROVAL_ENDED, by=None, because="role_changed"),
    ],
    **{
        f"ended-{word.replace('_', '-')}": [
            REQUESTED,
            of_request(EventKind.APPROVAL_ENDED, by=None, because=word),
        ]
        for word in (*CHANGES, "github_refused")
    },
}


def test_each_event_of_a_request_is_drawn() -> None:
    assert {one.kind for events in REPLIES.values() for one in events} == set(APPROVAL_KINDS)


@pytest.mark.parametrize("events", [pytest.param(one, id=name) for name, one in REPLIES.items()])
def test_approval_reply(events: list[Event], golden: SnapshotAssertion) -> None:
    assert sent(draw_reply(events, working(), repository(), 3), reply_metadata(KEY)) == golden


def test_the_request_of_a_closed_alert_has_no_buttons() -> None:
    drawn = draw_reply([REQUESTED], closed("revoked"), repository(), 3)
    assert not [block for block in drawn.blocks if block["type"] == "actions"]


FORMS = {
    "second-person": replace(deciding(None, ADMIN_PERSON), who_approves=CAN),
    "second-person-or-alone": replace(deciding(None, ADMIN_PERSON), who_approves=CAN, options=ALONE),
    "second-person-asked-for-elsewhere": deciding(None, ADMIN_PERSON),
}


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in FORMS.items()])
def test_approval_form(case: PersonalCase, golden: SnapshotAssertion) -> None:
    assert opened(ReportLeak().form(case, {}, METADATA)) == golden


ANSWERS: dict[str, Content] = {
    "asked": asked_answer(deciding(None, ADMIN_PERSON), ASKED),
    "approved": approved_answer(deciding()),
    "denied": denied_answer(deciding()),
    **{
        f"ended-{word.replace('_', '-')}": ended_notice(DENIED, working(), repository(), word)
        for word in ("denied", "lapsed", "validity_changed", "github_refused")
    },
}


@pytest.mark.parametrize("content", [pytest.param(one, id=name) for name, one in ANSWERS.items()])
def test_approval_answer(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


REFUSALS: dict[str, Refused] = {
    "asked-already": cant_ask(deciding(), "awaits_approval"),
    "denied-before": cant_ask(deciding(None, denied_at=NOW), "denied_before"),
    **{word.replace("_", "-"): cant_decide(deciding(None), word) for word in DECIDED},
    "approved-by-somebody": cant_decide(deciding(APPROVED), "approval_approved"),
    "denied-by-somebody": cant_decide(deciding(DENIED), "approval_denied"),
    **{word.replace("_", "-"): cant_decide(asking(now=NOW - 590), word) for word in NOT_THE_SECOND},
    "ended-by-a-change": request_ended(deciding(), ASKED, "visibility_changed"),
    "not-sent": not_sent(running(), "role_changed"),
}


@pytest.mark.parametrize("refused", [pytest.param(one, id=name) for name, one in REFUSALS.items()])
def test_approval_refusal(refused: Refused, golden: SnapshotAssertion) -> None:
    assert sent(refusal(refused)) == golden


DECISIONS: dict[str, tuple[Callable[[], object], str]] = {
    "approve oneself": (lambda: ApproveReport().decide(deciding(person=ADMIN_PERSON), {}), "self_approval"),
    "approve alone too early": (lambda: ApproveReport().decide(asking(now=NOW - 590), {}), "alone_later"),
    "approve what is dead": (
        lambda: ApproveReport().decide(deciding(alert=working(probe=DEAD)), {}),
        "inactive",
    ),
    "approve what was closed": (
        lambda: ApproveReport().decide(deciding(alert=closed("revoked")), {}),
        "closed",
    ),
    "approve after a change": (
        lambda: ApproveReport().decide(deciding(visibility="internal"), {}),
        "visibility_changed",
    ),
    "deny what is unknown": (lambda: DenyReport().decide(deciding(None), {}), "approval_unknown"),
    "deny oneself, alone by now": (lambda: DenyReport().decide(asking(), {}), "self_approval"),
    "ask twice": (
        lambda: ReportLeak().decide(deciding(person=ADMIN_PERSON), {"consequence": ("yes",)}),
        "awaits_approval",
    ),
    "send what was denied": (
        lambda: ReportLeak().decide(running(DENIED), {"consequence": ("yes",)}),
        "approval_denied",
    ),
}


@pytest.mark.parametrize(("decide", "reason"), DECISIONS.values(), ids=DECISIONS)
def test_refused_decisions_about_approvals(decide: Callable[[], object], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        decide()
    assert refused.value.reason == reason


def test_decisions_about_approvals() -> None:
    approve, deny, report = ApproveReport(), DenyReport(), ReportLeak()
    assert approve.decide(deciding(), {}).alone is False
    assert approve.decide(asking(), {}).alone is True
    assert deny.decide(deciding(alert=working(probe=DEAD)), {}) == ASKED
    report.decide(running(), {"consequence": ("yes",)})
    report.decide(in_front_of(working()), {"consequence": ("yes",)})


@settings(max_examples=40)
@given(st.text(max_size=200), st.text(max_size=200))
def test_approvals_with_hostile_text_are_sent(login: str, word: str) -> None:
    person = replace(ADMIN_PERSON, github=Account(GitHubId(11), login))
    asked = replace(ASKED, requested_by=person, decided_by=person)
    case = replace(deciding(asked, options=TWO), who_approves=refusals.help_words((login, word), None))
    for refused in (cant_ask(case, "awaits_approval"), cant_decide(case, "approval_denied")):
        sent(refusal(refused))
        opened(refusal_view(refused, callback_id="report_leak", title="Report leak"))
    for because in ("denied", word):
        sent(ended_notice(asked, case.alert, case.repository, because))
    opened(ReportLeak().form(replace(case, approval=None), {}, METADATA))
    for kind in (EventKind.APPROVAL_REQUESTED, EventKind.REPORT_DENIED, EventKind.APPROVAL_ENDED):
        drawn = draw_reply(
            [event(kind, person, request=ASKED.id, because=word)], case.alert, case.repository, 1
        )
        sent(drawn, reply_metadata(KEY))
