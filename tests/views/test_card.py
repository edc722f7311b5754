"""The card in every state, as it is sent to Slack."""

import re
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions import controls
from bot.options import Options, ValidityOptions
from bot.rules.case import Case
from bot.rules.report_eligibility import ServerAbilities
from bot.views.card import card_metadata, draw_card, draw_hidden
from storage.records import (
    Account,
    Alert,
    AlertState,
    CommitAuthor,
    GitHubId,
    ReportState,
    RepositoryState,
    SecretLocation,
    TokenFacts,
)
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    ASKED,
    DEAD,
    FOUND,
    KNOWN_OWNER,
    NOT_HERE,
    NOW,
    STANCH,
    WORKS,
    case,
    closed,
    probe,
    report,
    reported,
    stripe,
    token,
    working,
)
from tests.views.sending import sent

CHECKS_OFF = Options(validity=ValidityOptions(check="never"))
DANA = Account(GitHubId(14), "dana-kim")
SIGNED = CommitAuthor("4f35f36a9d1c2b3e4f5061728394a5b6c7d8e9f0", DANA, DANA, verified=True)
STRIPE_SHA = "830fbd7a9d1c2b3e4f5061728394a5b6c7d8e9f0"
WAITING = report(ReportState.WAITING, next_look_at=FOUND + 3660)
OPEN = {
    "open-unknown": case(token()),
    "open-active-says-github": case(token(validity="active")),
    "open-active": case(working()),
    "open-checked-on-arrival": case(working(probe=probe("active", "accepted", by=None))),
    "open-checks-turned-off": replace(case(token()), options=CHECKS_OFF),
    "open-expired": case(
        token(token=TokenFacts(owner_name="old-dev", scopes=("gist",), expires_at=FOUND - 86_400))
    ),
    "open-inactive-says-github": case(token(validity="inactive")),
    "open-inactive": case(token(probe=DEAD, token=KNOWN_OWNER)),
    "open-not-valid-here": case(token(probe=NOT_HERE)),
    "open-probe-unclear": case(token(validity="active", probe=probe("unknown", "rate_limited"))),
    "open-github-changed-its-word": case(
        token(validity="inactive", probe=probe("active", "accepted", superseded=True))
    ),
    "open-verdict-written-back": case(
        token(validity="active", validity_written=True, probe=probe("unknown", "timeout"))
    ),
    "open-other-provider": case(stripe()),
    "open-generic-public": case(
        stripe(secret_type="password", secret_type_name="Password", category="generic"), visibility="public"
    ),
    "open-public-repository": case(
        stripe(taken_by=ADMIN_PERSON),
        steps=(1, 3),
        visibility="public",
    ),
    "open-public-leak-several-repositories": case(
        token(validity="active", publicly_leaked=True, multi_repo=True)
    ),
    "open-internal": case(token(), visibility="internal"),
    "open-visibility-unknown": case(token(), visibility="unknown"),
    "open-bypassed": case(working(bypassed=True, bypassed_by="dana", bypass_comment="will fix later")),
    "open-bypassed-by-nobody-known": case(token(bypassed=True)),
    "open-assigned": case(token(assigned_to=ADMIN)),
    "open-taken": case(working(taken_by=ADMIN_PERSON, assigned_to=ADMIN), steps=(1, 3)),
    "open-in-an-issue": case(
        token(place=SecretLocation("issue_body", url="https://github.com/octo/payments/issues/9"))
    ),
    "open-in-a-wiki": case(
        token(
            place=SecretLocation(
                "wiki_commit", "Home.md", 2, "9f1c2d3e", "https://github.com/octo/payments/wiki"
            )
        )
    ),
    "open-details-missing": case(token(place=None, detailed=False)),
    "open-server-without-reports": replace(case(token()), server=ServerAbilities(revokes=False)),
    "open-committed-by": replace(case(token(commit_author=SIGNED)), committer_name="Dana *Kim*"),
    "open-committed-by-not-linked": case(stripe(commit_author=replace(SIGNED, sha=STRIPE_SHA))),
    "open-committed-and-owned": replace(
        case(working(commit_author=SIGNED, bypassed=True, bypassed_by="dana-kim")), committer_name="Dana Kim"
    ),
    "open-git-author-unsigned": case(token(commit_author=replace(SIGNED, verified=False))),
    "open-git-author-of-another-commit": case(token(commit_author=replace(SIGNED, sha="0" * 40))),
    "open-git-author-signed-by-another": case(token(commit_author=replace(SIGNED, committer=ADMIN))),
    "open-git-author-without-account": case(token(commit_author=replace(SIGNED, account=None))),
    "report-waits-for-approval": replace(case(working(taken_by=ADMIN_PERSON), steps=(1, 3)), approval=ASKED),
    "report-waiting": case(working(report=WAITING, taken_by=ADMIN_PERSON)),
    "report-sent": case(
        reported(
            ReportState.REPORTED, taken_by=ADMIN_PERSON, report=report(ReportState.REPORTED, next_look_at=NOW)
        ),
        steps=(2, 3),
    ),
    "report-sent-without-confirmation": replace(
        case(reported(ReportState.REPORTED, taken_by=ADMIN_PERSON), steps=(2, 3)), options=CHECKS_OFF
    ),
    "report-confirmed": case(reported(ReportState.CONFIRMED, probe=DEAD)),
    "report-confirmed-by-github": case(token(validity="inactive", report=report(ReportState.CONFIRMED))),
    "report-not-valid-here": case(token(probe=NOT_HERE, report=report(ReportState.CONFIRMED))),
    "report-still-active": case(reported(ReportState.STILL_ACTIVE)),
    "report-confirmed-then-works-again": case(reported(ReportState.CONFIRMED, probe=WORKS)),
    "report-failed": case(working(report=report(ReportState.FAILED, reason="http_422"))),
    "repository-deleted": case(working(), state=RepositoryState.DELETED),
    "access-removed": case(token(), state=RepositoryState.REMOVED),
}
CLOSING: dict[str, Any] = {
    "state": AlertState.RESOLVED,
    "resolved_by": ADMIN,
    "resolved_at": NOW,
    "acted_by": ADMIN_PERSON,
}
CLOSED = {
    "closed-revoked": case(
        closed(
            "revoked",
            probe=DEAD,
            resolved_by=STANCH,
            resolution_comment="Rotated in vault, deploys use the new one. — by octo-admin via Stanch",
        ),
        steps=(3, 3),
    ),
    "closed-in-own-name": case(
        closed("revoked", probe=DEAD, resolution_comment="Rotated in vault, deploys use the new one.")
    ),
    "closed-false-positive": case(closed("false_positive")),
    "closed-used-in-tests": case(
        closed("used_in_tests", resolved_by=STANCH, resolution_comment="by octo-admin via Stanch")
    ),
    "closed-wont-fix-still-active": case(closed("wont_fix", probe=WORKS, token=KNOWN_OWNER), steps=(1, 3)),
    "closed-on-github": case(
        closed("revoked", acted_by=None, resolution_comment="Rotated.\nAsk @octo/security.")
    ),
    "closed-by-the-system": case(closed("pattern_deleted", acted_by=None, resolved_by=None)),
    "closed-for-an-unknown-reason": case(closed("superseded_by_policy", acted_by=None)),
    "closed-repository-deleted": case(closed("revoked"), state=RepositoryState.DELETED),
}


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in (OPEN | CLOSED).items()])
def test_card(case: Case, golden: SnapshotAssertion) -> None:
    assert sent(draw_card(case, controls(case), 3), card_metadata(case.alert.key)) == golden


URGENCIES: dict[str, Alert] = {
    "critical": working(publicly_leaked=True),
    "high-works": working(),
    "high-exposed": token(multi_repo=True),
    "high-bypassed": token(bypassed=True, bypassed_by="dana-kim"),
    "normal": token(),
    "low": token(probe=DEAD, token=KNOWN_OWNER),
    "low-here": token(probe=NOT_HERE, publicly_leaked=True),
}
STEPPED = (1, 3)
STATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "open": ({}, {}),
    "taken": ({"taken_by": ADMIN_PERSON}, {"steps": STEPPED}),
    "done": ({"taken_by": ADMIN_PERSON}, {"steps": (3, 3)}),
    "report-waits": ({"report": WAITING}, {"steps": STEPPED}),
    "reported": ({"report": report(ReportState.REPORTED, next_look_at=NOW)}, {"steps": STEPPED}),
    "report-ended": ({"report": report(ReportState.STILL_ACTIVE)}, {"steps": STEPPED}),
    "public": ({}, {"visibility": "public"}),
    "out-of-reach": ({}, {"state": RepositoryState.REMOVED}),
    "closed-revoked": (CLOSING | {"resolution": "revoked"}, {"steps": STEPPED}),
    "closed-wont-fix": (CLOSING | {"resolution": "wont_fix"}, {}),
}
MATRIX = [(urgency, state) for urgency in URGENCIES for state in STATES]


@pytest.mark.parametrize(
    ("urgent", "state"), [pytest.param(*one, id="-".join(("urgency", *one))) for one in MATRIX]
)
def test_urgency(urgent: str, state: str, golden: SnapshotAssertion) -> None:
    """A card of each urgency in each state: what is read on it, line by line."""
    alert, more = STATES[state]
    of = case(replace(URGENCIES[urgent], **alert), **more)
    shown = sent(draw_card(of, controls(of), 3), card_metadata(of.alert.key))
    texts = [block["text"]["text"] for block in shown["blocks"] if block["type"] == "section"]
    assert {"lock screen": shown["text"], "card": "\n".join(texts).split("\n")} == golden


@pytest.mark.parametrize(("urgent", "state"), MATRIX)
def test_a_card_answers_the_five_questions_within_twelve_lines(urgent: str, state: str) -> None:
    """What leaked and where, whose it is, whether it works, who is on it, what to do next."""
    alert, more = STATES[state]
    of = case(replace(URGENCIES[urgent], **alert), **more)
    shown = sent(draw_card(of, controls(of), 3))
    text = "\n".join(block["text"]["text"] for block in shown["blocks"] if block["type"] == "section")
    assert len(text.split("\n")) <= 12
    assert text.count("*Next:* ") == 1
    assert "octo/payments" in text
    if of.alert.is_open:
        assert any(f"*{name}:* " in text for name in ("Token of", "Whose", "Push protection"))
        assert "*Works:* " in text
        assert "*On it:* " in text
        assert re.search(r"\*(Critical|High|Normal|Low): ", text)


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in OPEN.items()])
def test_no_fact_is_written_twice(case: Case) -> None:
    """The headline names the gravest exposure, so no line below repeats it."""
    shown = sent(draw_card(case, controls(case), 3))
    text = "\n".join(block["text"]["text"] for block in shown["blocks"] if block["type"] == "section")
    for words in ("leaked publicly", "public repository", "several repositories", "reports it itself"):
        assert text.count(words) <= 1
    lines = text.split("\n")
    assert len(lines) == len(set(lines))
    names = re.findall(r"^\*([^*]+):\* ", text, re.MULTILINE)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("channel", ["shared-channel"])
def test_hidden_card(channel: str, golden: SnapshotAssertion) -> None:
    """A channel that another organization reads gets no facts of the alert."""
    assert sent(draw_hidden()) == golden


def test_a_closed_alert_whose_closing_time_is_not_known_says_when_it_was_changed() -> None:
    known, unknown = (case(closed("revoked", resolved_at=at)) for at in (NOW, None))
    assert "open for" in str(sent(draw_card(known, controls(known), 1)))
    shown = str(sent(draw_card(unknown, controls(unknown), 1)))
    assert "open for" not in shown
    assert f"<!date^{int(NOW)}^" in shown


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in (OPEN | CLOSED).items()])
def test_each_drawing_has_new_block_ids(case: Case) -> None:
    """Slack's clients keep a menu's selection while the block id stays the same."""
    first, second = (sent(draw_card(case, controls(case), draw))["blocks"] for draw in (1, 2))
    ids = [{block.get("block_id") for block in blocks} - {None} for blocks in (first, second)]
    assert ids[0].isdisjoint(ids[1])
