"""Every modal as it is sent to Slack: skeletons, forms, and refusals in place of a form."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions import FORMS
from bot.actions.action import FormAction
from bot.actions.close_alert import CloseAlert
from bot.actions.hand_over import HandOverAlert
from bot.actions.reopen_alert import ReopenAlert
from bot.actions.report_leak import ReportLeak
from bot.errors import Refused
from bot.options import CloseOptions, Options, ValidityOptions
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.hand_over import Effect, Obstacle
from bot.rules.rights import Rights
from bot.views.answers import refusal_view, skeleton_view
from bot.views.refusals import internal_error
from integrations.slack.blocks import View
from storage.records import ReportState, TokenFacts
from tests.views.cases import (
    ADMIN_PERSON,
    BY_LEAKY,
    DEAD,
    FOUND,
    NOW,
    OWNER_PERSON,
    closed,
    handing_over,
    in_front_of,
    report,
    stripe,
    token,
    working,
)
from tests.views.sending import opened

METADATA = '{"alert": "90001/42", "channel": "C0ALERTS", "thread": "1795488001.000100"}'
REVOKED: UserInput = {"value": "revoked"}
WRITER = Rights(view=True, resolve=True, write=True, owner=False, reviewer=False, role="repository admin")


def close(case: PersonalCase, user_input: UserInput = REVOKED) -> View:
    return CloseAlert().form(case, user_input, METADATA)


def reopen(case: PersonalCase) -> View:
    return ReopenAlert().form(case, {}, METADATA)


def hand_over(case: PersonalCase) -> View:
    return HandOverAlert().form(case, {}, METADATA)


def report_form(case: PersonalCase, *, told: bool = False) -> View:
    return ReportLeak().form(replace(case, owner_told=told), {}, METADATA)


FOR_TWO_REASONS = replace(
    in_front_of(token()),
    options=Options(close=CloseOptions(require_comment=frozenset({"wont_fix", "used_in_tests"}))),
)
PROBES_OFF = Options(validity=ValidityOptions(check="never"))
FORMS_SHOWN: dict[str, View] = {
    "close": close(in_front_of(token(probe=DEAD))),
    "close-still-active": close(in_front_of(working())),
    "close-steps-open": close(in_front_of(token(), steps=(1, 3)), {"value": "wont_fix"}),
    "close-still-active-and-steps-open": close(in_front_of(working(), steps=(2, 3))),
    "close-other-provider-still-active": close(in_front_of(stripe(validity="active"))),
    "close-comment-required": close(in_front_of(token(), require_comment=True), {"value": "false_positive"}),
    "close-comment-required-for-this-reason": close(FOR_TWO_REASONS, {"value": "wont_fix"}),
    "close-comment-required-for-other-reasons": close(FOR_TWO_REASONS, {"value": "revoked"}),
    "close-unknown-reason-picked": close(in_front_of(token()), {"value": "because"}),
    "close-by-a-reviewer": close(in_front_of(token(), delegated_dismissal=True)),
    "reopen": reopen(in_front_of(closed("revoked"))),
    "reopen-closed-on-github": reopen(in_front_of(closed("pattern_edited", acted_by=None))),
    "report-owner-linked": report_form(in_front_of(working(), owner=BY_LEAKY)),
    "report-owner-may-view": report_form(
        replace(in_front_of(working(), owner=BY_LEAKY), owner_views=True, actor_name="Ana Ruiz")
    ),
    "report-owner-told": report_form(in_front_of(working(), owner=BY_LEAKY), told=True),
    "report-owner-answered": report_form(
        replace(in_front_of(working(), owner=BY_LEAKY), owner_answer="rotated"), told=True
    ),
    "report-owner-is-a-guest": report_form(
        replace(in_front_of(working(), owner=BY_LEAKY), owner_is_outside=True)
    ),
    "report-abuse-suspected": report_form(in_front_of(working(publicly_leaked=True), owner=BY_LEAKY)),
    "report-owner-not-linked": report_form(in_front_of(working())),
    "report-owner-unknown": report_form(in_front_of(token())),
    "report-owner-known-by-name": report_form(
        in_front_of(token(token=TokenFacts(owner_name="old-dev", scopes=("gist",))))
    ),
    "report-scopes-alone": report_form(in_front_of(token(token=TokenFacts(scopes=("repo", "gist", "user"))))),
    "report-own-leak": report_form(in_front_of(working(), owner=ADMIN_PERSON)),
    "report-without-confirmation": report_form(replace(in_front_of(working()), options=PROBES_OFF)),
}
FORMS_SHOWN |= {
    "hand-over": hand_over(in_front_of(working())),
    "hand-over-of-a-taken-alert": hand_over(in_front_of(working(taken_by=BY_LEAKY, taken_at=NOW))),
    "hand-over-grant-with-delegated-dismissal": hand_over(
        handing_over(working(), Effect.GRANT, delegated_dismissal=True)
    ),
    **{
        f"hand-over-{effect.replace('_', '-')}": hand_over(
            handing_over(working(), effect, delegated_dismissal=False)
        )
        for effect in (*Effect, *Obstacle)
    },
}
REFUSED: dict[str, tuple[type[FormAction[Any]], Callable[[], View]]] = {
    "close-closed-meanwhile": (
        CloseAlert,
        lambda: close(
            in_front_of(
                closed(
                    "wont_fix", acted_by=OWNER_PERSON, resolved_at=NOW + 40, resolution_comment="Accepted."
                )
            )
        ),
    ),
    "close-closed-on-github-meanwhile": (
        CloseAlert,
        lambda: close(in_front_of(closed("pattern_deleted", acted_by=None, resolved_by=None))),
    ),
    "close-delegated-dismissal": (
        CloseAlert,
        lambda: close(in_front_of(token(), delegated_dismissal=True, rights=WRITER)),
    ),
    "hand-over-closed": (HandOverAlert, lambda: hand_over(in_front_of(closed("revoked")))),
    "hand-over-not-theirs": (
        HandOverAlert,
        lambda: hand_over(
            in_front_of(token(taken_by=BY_LEAKY), rights=replace(WRITER, resolve=False, role="auditor"))
        ),
    ),
    "reopen-open-already": (ReopenAlert, lambda: reopen(in_front_of(token()))),
    "report-closed-meanwhile": (
        ReportLeak,
        lambda: report_form(in_front_of(closed("revoked", acted_by=OWNER_PERSON, resolved_at=NOW + 40))),
    ),
    "report-other-provider": (ReportLeak, lambda: report_form(in_front_of(stripe()))),
    "report-public-repository": (
        ReportLeak,
        lambda: report_form(in_front_of(working(), visibility="public")),
    ),
    "report-reported-already": (
        ReportLeak,
        lambda: report_form(in_front_of(working(report=report(ReportState.REPORTED)))),
    ),
    "report-waiting-already": (
        ReportLeak,
        lambda: report_form(
            in_front_of(working(report=report(ReportState.WAITING, next_look_at=FOUND + 3660)))
        ),
    ),
    "report-dead-already": (ReportLeak, lambda: report_form(in_front_of(token(probe=DEAD)))),
    "report-dead-after-a-failed-report": (
        ReportLeak,
        lambda: report_form(in_front_of(token(probe=DEAD, report=report(ReportState.FAILED)))),
    ),
}


@pytest.mark.parametrize("view", [pytest.param(view, id=name) for name, view in FORMS_SHOWN.items()])
def test_form(view: View, golden: SnapshotAssertion) -> None:
    assert opened(view) == golden


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in REFUSED.items()])
def test_form_refused(
    case: tuple[type[FormAction[Any]], Callable[[], View]], golden: SnapshotAssertion
) -> None:
    """The modal that is shown if the form makes no sense now."""
    action, make = case
    with pytest.raises(Refused) as refused:
        make()
    view = refusal_view(refused.value, callback_id=action.callback_id, title=action.title)
    assert opened(view) == golden


@pytest.mark.parametrize("form", [pytest.param(form, id=form.callback_id) for form in FORMS])
def test_form_skeleton(form: FormAction[Any], golden: SnapshotAssertion) -> None:
    """It is opened at once, because a trigger lives three seconds and GitHub takes longer."""
    assert opened(skeleton_view(callback_id=form.callback_id, title=form.title)) == golden


@pytest.mark.parametrize("form", [pytest.param(form, id=form.callback_id) for form in FORMS])
def test_form_given_up(form: FormAction[Any], golden: SnapshotAssertion) -> None:
    """After an error in Stanch the modal says so instead of waiting forever."""
    view = refusal_view(internal_error("3f9c1a7e"), callback_id=form.callback_id, title=form.title)
    assert opened(view) == golden


def test_consent_is_never_preselected() -> None:
    """A person has to tick the box to report a leak."""
    for name, view in FORMS_SHOWN.items():
        if name.startswith("report"):
            [consent] = [block for block in opened(view)["blocks"] if block["type"] == "input"]
            assert "initial_options" not in consent["element"]
            assert consent.get("optional", False) is False


def test_a_form_shows_no_warning_if_nothing_is_left_to_do() -> None:
    shown = opened(close(in_front_of(token(probe=DEAD), steps=(3, 3))))
    assert "warning" not in str(shown)


@pytest.mark.parametrize(
    ("user_input", "required", "faults"),
    [
        ({"resolution": "revoked"}, False, {}),
        ({"resolution": "revoked", "comment": "Rotated."}, True, {}),
        ({"resolution": None}, False, {"resolution": "Pick one of the reasons."}),
        ({"resolution": "pattern_deleted"}, False, {"resolution": "Pick one of the reasons."}),
        ({"resolution": "revoked"}, True, {"comment": "Say in a sentence why; this is required here."}),
        (
            {"resolution": "revoked", "comment": " \u200b "},
            True,
            {"comment": "Say in a sentence why; this is required here."},
        ),
        (
            {"resolution": "revoked", "comment": "x" * 281},
            False,
            {"comment": "At most 280 characters, please."},
        ),
        (
            {"resolution": "revoked", "comment": "it was ghp" + "_" + "a" * 36},
            False,
            {"comment": "This looks like a secret. GitHub's comments can't be deleted, so leave it out."},
        ),
    ],
)
def test_an_invalid_field_gets_its_own_error(
    user_input: UserInput, required: bool, faults: dict[str, str]
) -> None:
    options = in_front_of(token(), require_comment=required).options
    assert CloseAlert().form_errors(user_input, options) == faults


@pytest.mark.parametrize("ticked", [None, (), ("no",), ("yes", "no"), "yes"])
def test_a_report_without_consent_is_an_error_on_that_field(ticked: Any) -> None:
    faults = ReportLeak().form_errors({"consequence": ticked}, in_front_of(working()).options)
    assert faults == {"consequence": "Tick the box to accept the consequence; nothing was sent."}
    assert ReportLeak().form_errors({"consequence": ("yes",)}, in_front_of(working()).options) == {}
