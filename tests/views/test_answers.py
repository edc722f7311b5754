"""Private answers as they are sent to Slack: results, refusals, look-ups and direct messages."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions.check_validity import probe_answer, refresh_answer
from bot.actions.close_alert import CloseAlert, closed_answer
from bot.actions.hand_over import HandOverAlert
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
from bot.options import DirectoryOptions, Options, ValidityOptions
from bot.requests import UserInput
from bot.rules.case import PersonalCase, Receiver
from bot.rules.hand_over import Effect, Obstacle
from bot.rules.rights import Need, OthersCan, Rights
from bot.views import link_refusals, own_name_refusals, refusals
from bot.views.answers import refusal, report_ended
from bot.views.formatting import counted, done_often
from bot.views.hand_over import handed_over_answer, receiver_message
from bot.views.history import draw_history, draw_locations
from bot.views.identity_changes import operators_notice
from bot.views.next_step import steps_left
from bot.views.owner_message import OBSTACLES, answer_refused, not_the_owner
from bot.views.refusals import internal_error, outdated_control
from integrations.github.errors import (
    Forbidden,
    GitHubRateLimited,
    Invalid,
    NotFound,
    Unavailable,
    Unreachable,
)
from integrations.github.facts import AlertFacts
from integrations.slack.blocks import Content
from storage.records import (
    ChannelId,
    EventKind,
    ReportState,
    SecretLocation,
    SignIn,
    SlackUserId,
    StoredTokens,
    Suspension,
)
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    ALL_RIGHTS,
    BY_LEAKY,
    DANA_PERSON,
    DEAD,
    FOUND,
    LEAKY,
    NOT_HERE,
    NOW,
    WORKS,
    closed,
    event,
    handing_over,
    identity,
    in_front_of,
    probe,
    reported,
    repository,
    stripe,
    token,
    working,
)
from tests.views.identity_cases import IDENTITY_CHANGES, notice_of_identity
from tests.views.sending import sent

FACTS = AlertFacts(number=42, html_url="", state="open", secret_type="", secret_type_name="")
ASKED = "GET /repos/{owner}/{repo}"
UNCLEAR = probe("unknown", "rate_limited")
HELPLESS = Rights(
    view=True, resolve=False, write=False, owner=False, reviewer=False, role="custom role auditor"
)
NOBODY = Rights(view=False, resolve=False, write=False, owner=False, reviewer=False, role="read")
OCTO_USER = repository(owner_type="User")

CARD_LINK = "https://octo.slack.com/archives/C0ALERTS/p1795488001000100"
PICKED: UserInput = {"receiver": "U0DANA", "checked": "U0DANA", "since": ""}

SIGNED_IN = replace(identity(ADMIN_PERSON), proof="sign_in")
SIGN_IN = SignIn(
    SIGNED_IN.slack_team,
    SIGNED_IN.slack_user,
    SIGNED_IN.github,
    SIGNED_IN.linked_at,
    SIGNED_IN.linked_at + 90 * 86400,
)
TOKENS = StoredTokens("0a1b2c3d", b"access", None, None, None)
BY_DIRECTORY = replace(identity(ADMIN_PERSON), proof="directory")
DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))
DIRECTORY_ACTS = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",), acts=True))


def handed_over(effect: Effect) -> tuple[PersonalCase, Receiver, Effect]:
    case = handing_over(working(), effect, delegated_dismissal=False)
    assert case.receiver is not None
    return case, case.receiver, effect


ANSWERS: dict[str, Content] = {
    "check-active": probe_answer(in_front_of(working()), WORKS),
    "check-active-owner-unknown": probe_answer(in_front_of(token(probe=WORKS)), WORKS),
    "check-inactive-written-to-github": probe_answer(
        in_front_of(token(probe=DEAD)), DEAD, written=WriteBack(FACTS, "inactive")
    ),
    "check-active-written-in-own-name": probe_answer(
        replace(in_front_of(working()), own_name=True), WORKS, written=WriteBack(FACTS, "active")
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
    "hand-over-done": handed_over_answer(*handed_over(Effect.ASSIGN)),
    "hand-over-done-granted": handed_over_answer(*handed_over(Effect.GRANT)),
    "hand-over-done-offline": handed_over_answer(*handed_over(Effect.LATER)),
    "receiver-told": receiver_message(
        working(), repository(), ADMIN_PERSON, CARD_LINK, may_view=True, grants=False
    ),
    "receiver-told-granted": receiver_message(
        working(), repository(), ADMIN_PERSON, CARD_LINK, may_view=True, grants=True
    ),
    "receiver-told-without-a-card": receiver_message(
        working(), repository(), ADMIN_PERSON, None, may_view=True, grants=False
    ),
    "receiver-told-while-github-is-down": receiver_message(
        working(), repository(), ADMIN_PERSON, CARD_LINK, may_view=False, grants=False
    ),
    "token-uses": search_answer(in_front_of(working()), "aGFzaA==", "octo", "https://github.com"),
    "whoami": identity_answer(identity(ADMIN_PERSON), Options()),
    "whoami-by-sign-in": identity_answer(SIGNED_IN, Options(), SIGN_IN, can_sign_in=True),
    "whoami-by-sign-in-with-a-token": identity_answer(
        SIGNED_IN, Options(), replace(SIGN_IN, tokens=TOKENS), can_sign_in=True
    ),
    "whoami-by-the-directory": identity_answer(BY_DIRECTORY, DIRECTORY, can_sign_in=True),
    "whoami-by-the-directory-that-acts": identity_answer(BY_DIRECTORY, DIRECTORY_ACTS),
    "whoami-role": role_answer(identity(ADMIN_PERSON), repository(), ALL_RIGHTS),
    "whoami-view-alone": role_answer(identity(ADMIN_PERSON), repository(), HELPLESS),
    "whoami-nothing": role_answer(identity(ADMIN_PERSON), repository(), NOBODY),
    "unknown-word": unknown_word_answer("frobnicate", SUBCOMMANDS),
    "unknown-word-near": unknown_word_answer("whoamy", SUBCOMMANDS),
    "identity-linked": notice_of_identity("linked"),
    "identity-unlinked": notice_of_identity("unlinked"),
    "identity-linked-by-the-directory": notice_of_identity("linked", source="directory"),
    "identity-not-linked": notice_of_identity("not_linked", reason="signed_in_elsewhere"),
    "identity-suspended": notice_of_identity("suspended", reason="sources_disagree"),
    "identity-suspended-until-signed-in": notice_of_identity("suspended", reason="token_refused"),
    "identity-linked-to-another": notice_of_identity("linked", about="U0EVE"),
    "identity-unlinked-from-another": notice_of_identity("unlinked", about="U0EVE"),
    "identity-suspended-of-another": notice_of_identity(
        "suspended", about="U0EVE", reason="sources_disagree"
    ),
    "identity-not-linked-to-another": notice_of_identity("not_linked", about="U0EVE"),
    "operators-told": operators_notice(IDENTITY_CHANGES[2:], 3),
    "history": draw_history(
        token(),
        repository(),
        [
            event(EventKind.FOUND),
            event(EventKind.PROBED, verdict="unknown", reason="timeout", on_arrival=True),
            event(EventKind.HANDED_OVER, ADMIN_PERSON, login="dana-kim", slack_user="U0DANA", grants=True),
            event(EventKind.HANDED_OVER, DANA_PERSON, login="octo-admin", slack_user="U0ADMIN", grants=False),
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
ALERTS, OTHER = ChannelId("C0ALERTS"), ChannelId("C0OTHER")
NAMES = ("Ana Ruiz", "Bo Lind", "Cleo <!channel> *Marsh*")


def refused_change(error: Forbidden, *, own_name: bool) -> Refused:
    """GitHub's refusal of a closure."""
    seen = replace(in_front_of(token()), own_name=own_name)
    refused = own_name_refusals.change_refused(seen, "close this alert", error, "Close it on GitHub")
    assert isinstance(refused, Refused)
    return refused


def test_a_404_to_the_app_is_no_refusal_of_the_change() -> None:
    error = NotFound(ASKED, 404)
    seen = in_front_of(token())
    assert own_name_refusals.change_refused(seen, "close this alert", error, "Close it on GitHub") is error
    own = replace(seen, own_name=True)
    refused = own_name_refusals.change_refused(own, "close this alert", error, "Close it on GitHub")
    assert isinstance(refused, Refused)


REFUSALS: dict[str, Refused] = {
    "not-theirs": refusals.alert_not_visible("no_role"),
    "changed-meanwhile": refusals.changed_meanwhile("It is open now."),
    "no-view-one-can": refusals.no_view("dana-kim", repository(), refusals.help_words(["Ana Ruiz"], ALERTS)),
    "no-view-two-can": refusals.no_view("dana-kim", repository(), refusals.help_words(NAMES[:2], ALERTS)),
    "no-view-three-can": refusals.no_view("dana-kim", repository(), refusals.help_words(NAMES, ALERTS)),
    "no-view-ask-elsewhere": refusals.no_view(
        "dana-kim", repository(), refusals.help_words((), ALERTS, OTHER)
    ),
    "no-view-ask-here": refusals.no_view("dana-kim", repository(), refusals.help_words((), ALERTS, ALERTS)),
    "no-view-sign-in": refusals.no_view(
        "dana-kim", repository(), refusals.help_words(NAMES, ALERTS), can_sign_in=True
    ),
    "no-view-in-a-user-s-repository": refusals.no_view(
        "dana-kim", replace(repository(), owner_type="User"), refusals.help_words((), ALERTS)
    ),
    "no-view-ask-the-operator": refusals.no_view("dana-kim", repository(), refusals.help_words((), None)),
    "no-view-by-their-own-token": own_name_refusals.not_shown(
        "dana-kim", repository(), refusals.help_words(NAMES, ALERTS), NotFound(ASKED, 404)
    ),
    "no-view-without-single-sign-on": own_name_refusals.not_shown(
        "dana-kim",
        repository(),
        refusals.help_words((), ALERTS),
        Forbidden(ASKED, 403, "Resource protected by organization SAML enforcement."),
    ),
    "no-change-in-own-name": refused_change(Forbidden(ASKED, 403), own_name=True),
    "no-change-by-the-app": refused_change(Forbidden(ASKED, 403, "It is archived."), own_name=False),
    "token-not-usable": own_name_refusals.token_not_usable("STANCH_ENCRYPTION_KEYS"),
    "lacks-role": refusals.lacks_role(
        "close this alert", "read", "octo-reader", repository(), refusals.help_words(NAMES[:2], ALERTS)
    ),
    "lacks-role-sign-in": refusals.lacks_role(
        "close this alert",
        "read",
        "dana-kim",
        repository(),
        refusals.help_words(NAMES, ALERTS),
        can_sign_in=True,
    ),
    "lacks-role-ask-elsewhere": refusals.lacks_role(
        "close this alert", "read", "octo-reader", repository(), refusals.help_words((), ALERTS, OTHER)
    ),
    "lacks-role-in-a-user-s-repository": refusals.lacks_role(
        "close this alert", "write", "octo-reader", OCTO_USER, refusals.help_words((), None)
    ),
    "others-can": refusals.naming(
        OthersCan("x", "You can't do this.", "Owners alone can.", "A hint.", who_can=Need.OWNER),
        refusals.help_words(NAMES, ALERTS),
    ),
    "not-linked": refusals.not_linked(SlackUserId("U0NOBODY"), by_sign_in=False),
    "not-linked-but-can-sign-in": refusals.not_linked(SlackUserId("U0NOBODY"), by_sign_in=True),
    **{
        f"suspended-{word.replace('_', '-')}": link_refusals.suspended(
            replace(identity(ADMIN_PERSON), suspension=word), can_sign_in=True
        )
        for word in (*Suspension, "word_of_a_later_version")
    },
    "suspended-lapsed-without-sign-in": link_refusals.suspended(
        replace(identity(ADMIN_PERSON), suspension="lapsed"), can_sign_in=False
    ),
    "claimed-by-another": link_refusals.claimed_by_others(
        "octo-admin", "signed_in_elsewhere", can_sign_in=True
    ),
    "directory-alone": link_refusals.source_too_weak("directory_alone", "take this alert", can_sign_in=True),
    "sign-in-needed": link_refusals.source_too_weak("sign_in_needed", "take this alert", can_sign_in=False),
    "outsider": refusals.outsider("guest"),
    "shared-channel": refusals.shared_channel(),
    "slack-unreachable": refusals.slack_unreachable(),
    "github-down": refusals.github_unreachable(Unavailable(ASKED, 503)),
    "github-refused": refusals.github_unreachable(Invalid(ASKED, 422)),
    "github-silent": refusals.github_unreachable(Unreachable(ASKED, "no answer in 10 s", maybe_done=False)),
    "github-rate-limited": refusals.github_unreachable(GitHubRateLimited(ASKED, FOUND + 3660)),
    "repository-out-of-reach": refusals.repository_out_of_reach(repository()),
    "outdated-control": outdated_control(),
    "limit-reached": refusals.limit_reached("close_alert", 50, FOUND + 3660),
    "limit-of-one-reached": refusals.limit_reached("report_leak", 1, FOUND + 3660),
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
    "hand-over-incomplete": lambda: HandOverAlert().decide(in_front_of(token()), {}),
    "hand-over-closed": lambda: HandOverAlert().decide(
        handing_over(closed("revoked"), Effect.ASSIGN), PICKED
    ),
    "hand-over-changed-meanwhile": lambda: HandOverAlert().decide(
        handing_over(token(taken_by=BY_LEAKY, taken_at=NOW), Effect.ASSIGN), PICKED
    ),
    "hand-over-grants-now": lambda: HandOverAlert().decide(
        handing_over(token(), Effect.GRANT, delegated_dismissal=False), PICKED
    ),
    "hand-over-refused": lambda: HandOverAlert().decide(handing_over(token(), Obstacle.NO_VIEW), PICKED),
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


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(number, "alert") for number in (0, 1, 2)] == ["0 alerts", "1 alert", "2 alerts"]
    assert done_often("close_alert", 1) == "closed 1 alert"
    assert [done_often("of a later version", number) for number in (1, 2)] == [
        "did the same 1 time",
        "did the same 2 times",
    ]
    for done, total, words in (
        (0, 1, "1 of 1 step is"),
        (1, 3, "2 of 3 steps are"),
        (2, 3, "1 of 3 steps is"),
    ):
        case = replace(in_front_of(token()), steps_done=done, steps_total=total)
        assert steps_left(case) == f"{words} left"
