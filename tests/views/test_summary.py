"""Summaries of many alerts, as they are sent to Slack, with any names of repositories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bot.rules.urgency import Urgency
from bot.views.replies import reply_metadata
from bot.views.summary import KINDS, UrgentAlert, draw_blocked, draw_summary, draw_urgent_reply
from storage.records import AlertState, ChannelId, MessageKey, SummaryGroup
from tests.integrations.slack.hostile import texts
from tests.storage.examples import plain_alert, repository
from tests.views.cases import FOUND
from tests.views.sending import sent

KEY = MessageKey("a91d77c0e5b24f18")
OPEN, CLOSED = AlertState.OPEN, AlertState.RESOLVED
FLOOD = [
    SummaryGroup("octo/legacy-billing", "octo", OPEN, "inactive", 188),
    SummaryGroup("octo/web", "octo", OPEN, "unknown", 41),
    SummaryGroup("octo/web", "octo", OPEN, "active", 14),
    SummaryGroup("octo/payments", "octo", OPEN, "active", 2),
    SummaryGroup("octo/docs", "octo", CLOSED, "active", 1),
]
SHARES = {
    "flood": ("flood", FLOOD),
    "flood-one-repository": ("flood", [SummaryGroup("octo/web", "octo", OPEN, "active", 26)]),
    "first-sweep": ("first", FLOOD),
    "new-subscription": ("subscription", FLOOD[:2]),
    "all-closed-since": ("flood", FLOOD[-1:]),
    "nothing-left": ("first", []),
}


@pytest.mark.parametrize("shown", [pytest.param(one, id=name) for name, one in SHARES.items()])
def test_summary(shown: tuple[str, list[SummaryGroup]], golden: SnapshotAssertion) -> None:
    kind, shares = shown
    assert sent(draw_summary(KEY, kind, shares, FOUND, 2), reply_metadata(KEY)) == golden


def urgent(count: int) -> list[UrgentAlert]:
    """Alerts of which the first third is critical and the rest is high."""
    levels = [Urgency.CRITICAL] * (count // 3) + [Urgency.HIGH] * (count - count // 3)
    where = repository(1, "octo/payments")
    return [UrgentAlert(level, plain_alert(number), where) for number, level in enumerate(levels, 1)]


@pytest.mark.parametrize("kind", ["flood", "first"])
def test_a_summary_names_the_urgent_alerts_first(kind: str, golden: SnapshotAssertion) -> None:
    assert sent(draw_summary(KEY, kind, FLOOD, FOUND, 2, urgent(23)), reply_metadata(KEY)) == golden


@pytest.mark.parametrize("count", [1, 5])
def test_urgent_reply(count: int, golden: SnapshotAssertion) -> None:
    assert sent(draw_urgent_reply(urgent(count)), reply_metadata(KEY)) == golden


@pytest.mark.parametrize(
    "problem",
    ["not_in_channel", "restricted_action", None],
    ids=["known-reason", "slacks-own-word", "reason-unknown"],
)
def test_line_of_a_blocked_channel(problem: str | None, golden: SnapshotAssertion) -> None:
    line = draw_blocked(KEY, ChannelId("C0WEB"), problem, FLOOD, 2)
    assert sent(line, reply_metadata(KEY)) == golden


OWNERS = st.from_regex(r"[A-Za-z0-9-]{1,39}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", fullmatch=True)
"""The names that GitHub allows for repositories."""


@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(
        st.builds(SummaryGroup, NAMES, OWNERS, st.sampled_from(AlertState), texts, st.integers(0, 10**6)),
        max_size=60,
    ),
    st.integers(0, 10**6),
)
def test_a_summary_with_any_names_is_sent(kind: str, shares: list[SummaryGroup], draw: int) -> None:
    sent(draw_summary(KEY, kind, shares, FOUND, draw))
