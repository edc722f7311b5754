"""The card in every state, as it is sent to Slack."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions import controls
from bot.rules.case import Case
from bot.rules.report_eligibility import ServerAbilities
from bot.views.card import card_metadata, draw_card, draw_hidden
from storage.records import ReportState, RepositoryState, SecretLocation, TokenFacts
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    DEAD,
    FOUND,
    KNOWN_OWNER,
    NOT_HERE,
    NOW,
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

WAITING = report(ReportState.WAITING, next_look_at=FOUND + 3660)
OPEN = {
    "open-unknown": case(token()),
    "open-active-says-github": case(token(validity="active")),
    "open-active": case(working()),
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
    "report-waiting": case(working(report=WAITING, taken_by=ADMIN_PERSON)),
    "report-sent": case(
        reported(
            ReportState.REPORTED, taken_by=ADMIN_PERSON, report=report(ReportState.REPORTED, next_look_at=NOW)
        ),
        steps=(2, 3),
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
CLOSED = {
    "closed-revoked": case(
        closed(
            "revoked",
            probe=DEAD,
            resolution_comment="Rotated in vault, deploys use the new one. — by octo-admin via Stanch",
        ),
        steps=(3, 3),
    ),
    "closed-false-positive": case(closed("false_positive")),
    "closed-used-in-tests": case(closed("used_in_tests", resolution_comment="by octo-admin via Stanch")),
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


@pytest.mark.parametrize("channel", ["shared-channel"])
def test_hidden_card(channel: str, golden: SnapshotAssertion) -> None:
    """A channel that another organization reads gets no facts of the alert."""
    assert sent(draw_hidden()) == golden


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in (OPEN | CLOSED).items()])
def test_each_drawing_has_new_block_ids(case: Case) -> None:
    """Slack's clients keep a menu's selection while the block id stays the same."""
    first, second = (sent(draw_card(case, controls(case), draw))["blocks"] for draw in (1, 2))
    ids = [{block.get("block_id") for block in blocks} - {None} for blocks in (first, second)]
    assert ids[0].isdisjoint(ids[1])
