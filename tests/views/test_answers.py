"""Private answers as they are sent to Slack: results, refusals, look-ups and direct messages."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions.check_validity import probe_answer, refresh_answer
from bot.actions.close_alert import CloseAlert, closed_answer
from bot.actions.next_steps import NextSteps
from bot.actions.reopen_alert import reopened_answer
from bot.actions.report_leak import ReportLeak, failed_answer, reported_answer, waiting_answer
from bot.actions.step_back import StepBackFromAlert, stepped_back_answer
from bot.actions.take import TakeAlert, taken_answer
from bot.actions.tell_owner import TellOwner, owner_told_answer
from bot.actions.token_uses import TokenUses, search_answer
from bot.actions.write_back import WriteBack
from bot.commands import SUBCOMMANDS
from bot.commands.help import unknown_word_answer
from bot.commands.whoami import identity_answer, role_answer
from bot.errors import Refused
from bot.options import Options, ValidityOptions
from bot.rules.permissions import Rights
from bot.views import refusals
from bot.views.answers import identity_notice, refusal, report_ended
from bot.views.history import draw_history, draw_locations
from bot.views.owner_message import OBSTACLES, answer_refused, not_the_owner
from bot.views.refusals import internal_error, outdated_control
from integrations.github.errors import GitHubRateLimited, Invalid, Unavailable, Unreachable
from integrations.github.facts import AlertFacts
from integrations.slack.blocks import Content
from storage.records import EventKind, ReportState, SecretLocation, SlackUserId
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    ALL_RIGHTS,
    BY_LEAKY,
    DEAD,
    FOUND,
    LEAKY,
    NOT_HERE,
    NOW,
    WORKS,
    closed,
    event,
    identity,
    in_front_of,
    probe,
    reported,
    repository,
    stripe,
    token,
    working,
)
from tests.views.sending import sent

FACTS = AlertFacts(number=42, html_url="", state="open", secret_type="", secret_type_name="")
ASKED = "GET /repos/{owner}/{repo}"
UNCLEAR = probe("unknown", "rate_limited")
HELPLESS = Rights(
    view=True, resolve=False, write=False, owner=False, reviewer=False, role="custom role auditor"
)
NOBODY = Rights(view=False, resolve=False, write=False, owner=False, reviewer=False, role="read")
OCTO_USER = repository(owner_type="User")

ANSWERS: dict[str, Content] = {
    "check-active": probe_answer(in_front_of(working()), WORKS),
    "check-active-owner-unknown": probe_answer(in_front_of(token(probe=WORKS)), WORKS),
    "check-inactive-written-to-github": probe_answer(
        in_front_of(token(probe=DEAD)), DEAD, written=WriteBack(FACTS, "inactive")
    ),
    "check-override-cleared": probe_answer(in_front_of(working()), WORKS, written=WriteBack(FACTS, None)),
    "check-not-valid-here": probe_answer(in_front_of(token(probe=NOT_HERE)), NOT_HERE),
    "check-unknown": probe_answer(in_front_of(token(probe=UNCLEAR)), UNCLEAR),
    "check-asked-a-moment-ago": probe_answer(
        in_front_of(token(probe=DEAD)), probe("inactive", "bad_credentials", at=NOW + 48), again=True
    ),
    "refresh-active": refresh_answer(in_front_of(stripe(validity="active"))),
    "refresh-inactive": refresh_answer(in_front_of(stripe(validity="inactive"))),
    "refresh-unknown": refresh_answer(in_front_of(stripe())),
    "close-done": closed_answer(in_front_of(token(probe=DEAD)), "revoked", ours=True),
    "close-done-still-active": closed_answer(in_front_of(working(), steps=(1, 3)), "wont_fix", ours=True),
    "close-done-already": closed_answer(in_front_of(closed("used_in_tests")), "used_in_tests", ours=False),
    "reopen-done": reopened_answer(in_front_of(closed("revoked")), ours=True),
    "reopen-done-already": reopened_answer(in_front_of(token()), ours=False),
    "report-done": reported_answer(in_front_of(working()), inactive=False),
    "report-done-without-confirmation": reported_answer(
        replace(in_front_of(working()), options=Options(validity=ValidityOptions(check="never"))),
        inactive=False,
    ),
    "report-found-dead": reported_answer(in_front_of(working()), inactive=True),
    "report-waits": waiting_answer(in_front_of(working()), FOUND + 3660),
    "report-not-taken": failed_answer(in_front_of(working()), 422),
    "report-ended-confirmed": report_ended(
        reported(ReportState.CONFIRMED, probe=DEAD), repository(), ReportState.CONFIRMED
    ),
    "report-ended-not-valid-here": report_ended(
        reported(ReportState.CONFIRMED, probe=NOT_HERE), repository(), ReportState.CONFIRMED
    ),
    "report-ended-still-active": report_ended(
        reported(ReportState.STILL_ACTIVE), repository(), ReportState.STILL_ACTIVE
    ),
    "report-ended-unknown": report_ended(
        reported(ReportState.REPORTED, probe=UNCLEAR), repository(), ReportState.REPORTED
    ),
    "owner-told": owner_told_answer(in_front_of(working(), owner=BY_LEAKY), identity(BY_LEAKY)),
    "take-done": taken_answer(in_front_of(working())),
    "take-done-and-assigned": taken_answer(in_front_of(replace(working(), assigned_to=ADMIN))),
    "take-done-to-be-assigned": taken_answer(
        in_front_of(working(), rights=replace(ALL_RIGHTS, resolve_by_role=True))
    ),
    "take-done-somebody-else-assigned": taken_answer(in_front_of(replace(working(), assigned_to=LEAKY))),
    "take-done-offline": taken_answer(replace(in_front_of(working()), offline=True)),
    "step-back-done": stepped_back_answer(in_front_of(working())),
    "token-uses": search_answer(in_front_of(working()), "aGFzaA==", "octo", "https://github.com"),
    "whoami": identity_answer(identity(ADMIN_PERSON)),
    "whoami-role": role_answer(identity(ADMIN_PERSON), repository(), ALL_RIGHTS),
    "whoami-view-alone": role_answer(identity(ADMIN_PERSON), repository(), HELPLESS),
    "whoami-nothing": role_answer(identity(ADMIN_PERSON), repository(), NOBODY),
    "unknown-word": unknown_word_answer("frobnicate", SUBCOMMANDS),
    "unknown-word-near": unknown_word_answer("whoamy", SUBCOMMANDS),
    "identity-linked": identity_notice("octo-admin", linked=True),
    "identity-unlinked": identity_notice("octo-admin", linked=False),
    "history": draw_history(
        token(),
        repository(),
        [
            event(EventKind.FOUND),
            event(EventKind.PROBED, verdict="unknown", reason="timeout", on_arrival=True),
            event(EventKind.PROBED, ADMIN_PERSON, verdict="active", reason="accepted", ever_active=True),
            event(
                EventKind.CLOSED,
                ADMIN_PERSON,
                resolution="revoked",
                comment="Rotated. — by octo-admin via Stanch",
            ),
        ],
    ),
    "locations": draw_locations(
        token(),
        repository(),
        [
            SecretLocation("commit", "config/deploy.env", 3, "4f35f36a"),
            SecretLocation("issue_comment", url="https://github.com/octo/payments/issues/9"),
        ],
        more=True,
    ),
    "locations-none": draw_locations(token(), repository(), [], more=False),
}
REFUSALS: dict[str, Refused] = {
    "not-theirs": refusals.alert_not_visible("no_role"),
    "changed-meanwhile": refusals.changed_meanwhile("It is open now."),
    "lacks-role": refusals.lacks_role("close this alert", "read", "octo-reader", repository()),
    "lacks-role-in-a-user-s-repository": refusals.lacks_role(
        "close this alert", "write", "octo-reader", OCTO_USER
    ),
    "not-linked": refusals.not_linked(SlackUserId("U0NOBODY")),
    "outsider": refusals.outsider("guest"),
    "shared-channel": refusals.shared_channel(),
    "slack-unreachable": refusals.slack_unreachable(),
    "github-down": refusals.github_unreachable(Unavailable(ASKED, 503)),
    "github-refused": refusals.github_unreachable(Invalid(ASKED, 422)),
    "github-silent": refusals.github_unreachable(Unreachable(ASKED, "no answer in 10 s", maybe_done=False)),
    "github-rate-limited": refusals.github_unreachable(GitHubRateLimited(ASKED, FOUND + 3660)),
    "repository-out-of-reach": refusals.repository_out_of_reach(repository()),
    "outdated-control": outdated_control(),
    "limit-reached": refusals.limit_reached(CloseAlert.did_many, 50, FOUND + 3660),
    "not-the-owner": not_the_owner(),
    **{obstacle.replace("_", "-"): answer_refused(obstacle) for obstacle in OBSTACLES},
    "mistake": internal_error("3f9c1a7e"),
}
RAISED: dict[str, Callable[[], object]] = {
    "close-incomplete": lambda: CloseAlert().decide(in_front_of(token()), {}),
    "close-closed-meanwhile": lambda: CloseAlert().decide(
        in_front_of(closed("wont_fix", resolution_comment="Accepted.")), {"resolution": "revoked"}
    ),
    "report-closed-meanwhile": lambda: ReportLeak().decide(
        in_front_of(closed("revoked", resolved_at=NOW + 40)), {"consequence": ("yes",)}
    ),
    "report-not-accepted": lambda: ReportLeak().decide(in_front_of(working()), {"consequence": ()}),
    "tell-owner-not-linked": lambda: TellOwner().decide(in_front_of(working()), {}),
    "tell-owner-unknown": lambda: TellOwner().decide(in_front_of(token()), {}),
    "tell-owner-oneself": lambda: TellOwner().decide(in_front_of(working(), owner=ADMIN_PERSON), {}),
    "tell-owner-guest": lambda: TellOwner().decide(
        replace(in_front_of(working(), owner=BY_LEAKY), owner_is_outside=True), {}
    ),
    "take-closed": lambda: TakeAlert().decide(in_front_of(closed("revoked")), {}),
    "take-taken": lambda: TakeAlert().decide(in_front_of(token(taken_by=BY_LEAKY)), {}),
    "step-back-nobody-on-it": lambda: StepBackFromAlert().decide(in_front_of(token()), {}),
    "step-back-not-theirs": lambda: StepBackFromAlert().decide(
        in_front_of(token(taken_by=BY_LEAKY), rights=HELPLESS), {}
    ),
    "token-uses-not-an-owner": lambda: TokenUses().decide(in_front_of(token()), {}),
    "token-uses-other-provider": lambda: TokenUses().decide(in_front_of(stripe()), {}),
    "next-steps-nothing-ticked": lambda: NextSteps().decide(in_front_of(token()), {}),
}


@pytest.mark.parametrize("content", [pytest.param(one, id=name) for name, one in ANSWERS.items()])
def test_answer(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


@pytest.mark.parametrize("refused", [pytest.param(one, id=name) for name, one in REFUSALS.items()])
def test_refusal(refused: Refused, golden: SnapshotAssertion) -> None:
    assert sent(refusal(refused)) == golden


@pytest.mark.parametrize("decide", [pytest.param(one, id=name) for name, one in RAISED.items()])
def test_refused_decision(decide: Callable[[], object], golden: SnapshotAssertion) -> None:
    with pytest.raises(Refused) as refused:
        decide()
    assert sent(refusal(refused.value)) == golden


def test_a_refusal_does_not_reveal_whether_the_alert_exists() -> None:
    """A missing alert and one that the person may not see get the same refusal."""
    assert refusal(refusals.alert_not_visible("no_role")) == refusal(
        refusals.alert_not_visible("unknown_alert")
    )
