"""The replies in a card's thread and the checklist, as they are sent to Slack."""

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions.token_uses import uses_button
from bot.options import Step
from bot.rules.checklist import SECRET_STEPS, TOKEN_STEPS, Tick
from bot.rules.replies import APPROVAL_KINDS, KINDS_WITHOUT_REPLY
from bot.views.checklist import draw_checklist
from bot.views.formatting import PROBE_REASONS
from bot.views.replies import draw_reply, reply_metadata
from integrations.github.token_verdict import Reason
from integrations.slack.blocks import Content
from storage.records import Event, EventKind, MessageKey, Person
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    BY_LEAKY,
    FOUND,
    case,
    closed,
    event,
    repository,
    stripe,
    token,
    working,
)
from tests.views.sending import sent

ON_GITHUB = Person(github=ADMIN)
KEY = MessageKey("5f0c2b6e9d1a4c73")
OWNER: dict[str, Any] = {"login": "leaky-dev", "slack_user": "U0LEAKY"}
EVENTS = {
    "validity-active": event(EventKind.VALIDITY_CHANGED, before="unknown", after="active"),
    "validity-inactive": event(EventKind.VALIDITY_CHANGED, before="active", after="inactive"),
    "probed-active": event(
        EventKind.PROBED, ADMIN_PERSON, verdict="active", reason="accepted", ever_active=True
    ),
    "probed-inactive": event(
        EventKind.PROBED, ADMIN_PERSON, verdict="inactive", reason="bad_credentials", ever_active=True
    ),
    "probed-not-valid-here": event(
        EventKind.PROBED, ADMIN_PERSON, verdict="inactive", reason="bad_credentials", ever_active=False
    ),
    "probed-unknown": event(EventKind.PROBED, ADMIN_PERSON, verdict="unknown", reason="rate_limited"),
    "probed-by-itself": event(EventKind.PROBED, verdict="active", reason="sso_required", ever_active=True),
    "report-waiting": event(EventKind.REPORT_WAITING, ADMIN_PERSON, until=FOUND + 3660),
    "reported": event(EventKind.REPORTED, ADMIN_PERSON),
    "report-confirmed": event(EventKind.REPORT_CONFIRMED, confirmed=True),
    "report-not-valid-here": event(EventKind.REPORT_CONFIRMED, confirmed=False),
    "report-still-active": event(EventKind.REPORT_STILL_ACTIVE),
    "report-failed": event(EventKind.REPORT_FAILED, ADMIN_PERSON, status=422),
    "owner-told": event(EventKind.OWNER_TOLD, ADMIN_PERSON, login="leaky-dev", slack_user="U0LEAKY"),
    "owner-answered": event(EventKind.OWNER_ANSWERED, BY_LEAKY, **OWNER, answer="rotated"),
    "written-to-github": event(
        EventKind.PROBED,
        ADMIN_PERSON,
        verdict="active",
        reason="accepted",
        ever_active=True,
        written="active",
    ),
    "written-in-own-name": event(
        EventKind.PROBED,
        ADMIN_PERSON,
        verdict="active",
        reason="accepted",
        ever_active=True,
        written="active",
        own_name=True,
    ),
    "closed": event(
        EventKind.CLOSED, ADMIN_PERSON, resolution="revoked", comment="Rotated. — by octo-admin via Stanch"
    ),
    "closed-in-own-name": event(
        EventKind.CLOSED, ADMIN_PERSON, resolution="revoked", comment="Rotated.", own_name=True
    ),
    "closed-on-github": event(
        EventKind.CLOSED, ON_GITHUB, resolution="wont_fix", comment="Accepted by the board."
    ),
    "closed-by-the-system": event(EventKind.CLOSED, resolution="pattern_edited", comment=None),
    "released-deactivated": event(EventKind.RELEASED, ADMIN_PERSON, because="deactivated"),
    "released-no-view": event(EventKind.RELEASED, ADMIN_PERSON, because="no_view"),
    "released-not-linked": event(EventKind.RELEASED, ADMIN_PERSON, because="not_linked"),
    "released-suspended": event(EventKind.RELEASED, ADMIN_PERSON, because="suspended"),
    "released-guest": event(EventKind.RELEASED, ADMIN_PERSON, because="guest"),
    "released-for-another-reason": event(EventKind.RELEASED, ADMIN_PERSON, because="bot"),
    "reopened": event(EventKind.REOPENED, ADMIN_PERSON, comment="by octo-admin via Stanch"),
    "reopened-in-own-name": event(EventKind.REOPENED, ADMIN_PERSON, comment=None, own_name=True),
    "reopened-on-github": event(EventKind.REOPENED, ON_GITHUB, comment="Still in use."),
    "assigned": event(EventKind.ASSIGNED, login="octo-admin"),
    "unassigned": event(EventKind.UNASSIGNED, login="octo-admin"),
    "taken": event(EventKind.TAKEN, ADMIN_PERSON),
    "handed-over": event(
        EventKind.HANDED_OVER, ADMIN_PERSON, login="dana-kim", slack_user="U0DANA", grants=False
    ),
    "handed-over-granted": event(
        EventKind.HANDED_OVER, ADMIN_PERSON, login="dana-kim", slack_user="U0DANA", grants=True
    ),
    "stepped-back": event(EventKind.STEPPED_BACK, ADMIN_PERSON),
    "publicly-leaked": event(EventKind.PUBLICLY_LEAKED),
    "multi-repo": event(EventKind.MULTI_REPO),
    "place-added": event(EventKind.PLACE_ADDED, path="config/old.env"),
    "place-added-without-path": event(EventKind.PLACE_ADDED, path=None),
    "raised-again": event(EventKind.RAISED_AGAIN, because="still_works"),
    "repository-changed": event(
        EventKind.REPOSITORY_CHANGED, change="full_name", before="octo/payments", after="octo/billing"
    ),
    "repository-deleted": event(
        EventKind.REPOSITORY_CHANGED, change="state", before="reachable", after="deleted"
    ),
    "repository-reached-again": event(
        EventKind.REPOSITORY_CHANGED, change="state", before="removed", after="reachable"
    ),
    "repository-made-public": event(
        EventKind.REPOSITORY_CHANGED, change="visibility", before="private", after="public"
    ),
}


@pytest.mark.parametrize("event_to_draw", [pytest.param(one, id=name) for name, one in EVENTS.items()])
def test_reply(event_to_draw: Event, golden: SnapshotAssertion) -> None:
    assert sent(draw_reply([event_to_draw], token(), repository()), reply_metadata(KEY)) == golden


def later(seconds: float, kind: EventKind, by: Person | None = None, **details: Any) -> Event:
    """An event so many seconds after the first one."""
    one = event(kind, by, **details)
    return replace(one, at=one.at + seconds)


WAITED, SENT = EVENTS["report-waiting"], later(3060, EventKind.REPORTED, ADMIN_PERSON)
CONFIRMED = later(3120, EventKind.REPORT_CONFIRMED, confirmed=True)
TOLD = EVENTS["owner-told"]
SHARED = {
    "reported-and-confirmed": [EVENTS["reported"], later(60, EventKind.REPORT_CONFIRMED, confirmed=True)],
    "report-waited-and-sent": [WAITED, SENT],
    "report-waited-sent-and-confirmed": [WAITED, SENT, CONFIRMED],
    "report-waited-and-failed": [WAITED, later(3060, EventKind.REPORT_FAILED, ADMIN_PERSON, status=422)],
    "owner-told-and-rotated": [TOLD, later(240, EventKind.OWNER_ANSWERED, **OWNER, answer="rotated")],
    "owner-told-and-not-theirs": [TOLD, later(240, EventKind.OWNER_ANSWERED, **OWNER, answer="not_mine")],
    "owner-told-waits-and-rotated": [
        TOLD,
        later(60, EventKind.OWNER_ANSWERED, **OWNER, answer="wait"),
        later(240, EventKind.OWNER_ANSWERED, **OWNER, answer="rotated"),
    ],
    "forty-locations": [later(n, EventKind.PLACE_ADDED, path=f"src/{n}.py") for n in range(40)],
}


@pytest.mark.parametrize("events", [pytest.param(one, id=name) for name, one in SHARED.items()])
def test_shared_reply(events: list[Event], golden: SnapshotAssertion) -> None:
    """A reply that several events share, each after the first with its time."""
    assert sent(draw_reply(events, token(), repository()), reply_metadata(KEY)) == golden


@pytest.mark.parametrize("name", ["publicly-leaked", "reopened", "raised-again", "place-added"])
def test_reply_in_the_channel(name: str, golden: SnapshotAssertion) -> None:
    """A reply that the channel shows too says which alert it is about."""
    drawn = sent(draw_reply([EVENTS[name]], token(), repository(), in_channel=True), reply_metadata(KEY))
    assert drawn == golden
    assert "octo/payments" in drawn["blocks"][0]["text"]["text"]


@pytest.mark.parametrize("events", [*([one] for one in EVENTS.values()), *SHARED.values()])
def test_a_reply_mentions_nobody(events: list[Event]) -> None:
    assert "<@" not in str(sent(draw_reply(events, token(), repository())))


@pytest.mark.parametrize(
    ("now", "stored_by_0_1_0"),
    [
        ("raised-again", event(EventKind.RAISED_AGAIN, because="it was closed as revoked, and still works")),
        (
            "repository-changed",
            event(EventKind.REPOSITORY_CHANGED, what="octo/payments is now octo/billing"),
        ),
    ],
)
def test_an_event_of_0_1_0_with_a_stored_sentence_is_drawn_the_same(now: str, stored_by_0_1_0: Event) -> None:
    drawn = (draw_reply([one], token(), repository()) for one in (stored_by_0_1_0, EVENTS[now]))
    assert next(drawn) == next(drawn)


def test_every_kind_of_event_with_a_reply_has_a_golden_file() -> None:
    """Those of a request for approval are in `test_approval`, which draws them together."""
    shown = {one.kind for one in EVENTS.values()} | set(APPROVAL_KINDS)
    assert shown == set(EventKind) - KINDS_WITHOUT_REPLY


def test_every_reason_of_a_verdict_has_words() -> None:
    assert set(PROBE_REASONS) == set(Reason)


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_without_any_detail_still_has_a_sentence(kind: EventKind) -> None:
    """Rows of other versions may lack details."""
    assert sent(draw_reply([event(kind)], token(), repository()))["text"]


TICKS = {"rotated": Tick(ADMIN_PERSON, FOUND + 500), "services": Tick(ON_GITHUB, FOUND + 700)}
LINKED = (Step(id="vault", text="Rotated in vault", link="https://wiki.octo.test/rotate"), *SECRET_STEPS[1:])
PAGE = "https://github.com/settings/tokens"
CHECKLISTS = {
    "nothing-done": draw_checklist(
        case(token()), TOKEN_STEPS, {}, 1, token_page=PAGE, uses=uses_button(case(token()))
    ),
    "two-done": draw_checklist(
        case(working()), TOKEN_STEPS, TICKS, 4, token_page=PAGE, uses=uses_button(case(token()))
    ),
    "other-provider-with-links": draw_checklist(case(stripe()), LINKED, {}, 1, token_page=None, uses=None),
    "false-positive": draw_checklist(
        case(closed("false_positive")), TOKEN_STEPS, TICKS, 5, token_page=None, uses=None
    ),
}


@pytest.mark.parametrize("content", [pytest.param(one, id=name) for name, one in CHECKLISTS.items()])
def test_checklist(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content, reply_metadata(KEY)) == golden
