"""Subscriptions and notices as they are sent to Slack: previews, answers, refusals, lists, notices."""

import json
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.rules.filters import BadFilter
from bot.views import subscription_refusals as refusals
from bot.views.answers import refusal
from bot.views.formatting import with_mention
from bot.views.identity_changes import stored_change
from bot.views.notices import NOTICES, draw_notice
from bot.views.subscriptions import (
    Preview,
    adopted_answer,
    draw_preview,
    draw_removal,
    draw_subscriptions,
    rate_words,
    subscribed_answer,
    unsubscribed_answer,
)
from integrations.slack.blocks import Content
from storage.records import (
    Audience,
    ChannelId,
    MessageKey,
    SlackUserId,
    StoredJson,
    Subscription,
    ThreadLevel,
)
from tests.views.cases import ADMIN_PERSON, FOUND
from tests.views.identity_cases import IDENTITY_CHANGES
from tests.views.sending import sent

CHANNEL = ChannelId("C0PAYMENTS")
PRIVATE, PUBLIC = Audience(False), Audience(True)
WITH_GUESTS, LARGE = Audience(False, (SlackUserId("U0A"), SlackUserId("U0B"))), Audience(False, None)
PAYMENTS = Subscription(CHANNEL, "repo:octo/payments", created_at=FOUND, author=ADMIN_PERSON)
LOUD = replace(PAYMENTS, filter="org:octo", thread=ThreadLevel.ALL, mention="S0SEC")
LOST = replace(PAYMENTS, lost_at=FOUND)
KEY = MessageKey("0f1e2d3c4b5a6978")


def preview(after: Subscription = PAYMENTS, **fields: Any) -> Content:
    made = Preview(
        after=after,
        before=None,
        audience=PRIVATE,
        open_alerts=12,
        recent=12,
        group=None,
        missing=(),
        value=f"C0PAYMENTS 0123456789ab {after.filter} thread={after.thread} mention=none",
    )
    return draw_preview(replace(made, **fields))


def in_channels(*subscriptions: Subscription) -> list[Subscription]:
    """Each in a channel of its own."""
    return [replace(one, channel=ChannelId(f"C0TEAM{number}")) for number, one in enumerate(subscriptions)]


PREVIEWS = {
    "preview": preview(),
    "preview-everything": preview(replace(PAYMENTS, filter="")),
    "preview-options": preview(LOUD, group="security"),
    "preview-group-without-handle": preview(LOUD),
    "preview-replaces": preview(LOUD, before=PAYMENTS, group="security"),
    "preview-public-channel": preview(audience=PUBLIC),
    "preview-guests": preview(audience=WITH_GUESTS),
    "preview-large-channel": preview(audience=LARGE),
    "preview-nothing-yet": preview(open_alerts=0, recent=0),
    "preview-unknown-name": preview(missing=("octo/paymets",), similar=("octo/payments",)),
    "preview-changed": preview(is_changed=True),
    "removal": draw_removal(PAYMENTS, "C0PAYMENTS 0123456789ab -"),
}
ANSWERS = {
    "subscribed": subscribed_answer(PAYMENTS),
    "unsubscribed": unsubscribed_answer(replace(PAYMENTS, filter="")),
    "adopted": adopted_answer(PAYMENTS),
    "list": draw_subscriptions(
        in_channels(PAYMENTS, LOUD, LOST, replace(LOST, paused_at=FOUND), replace(PAYMENTS, author=None)),
        is_complete=True,
    ),
    "list-empty": draw_subscriptions([], is_complete=True),
    "list-incomplete": draw_subscriptions(in_channels(*[PAYMENTS] * 41), is_complete=False),
}
REFUSED = {
    "refused-bad-words": refusals.bad_words(BadFilter("`thread=` has no `loud`. There are `all`.")),
    "refused-direct-message": refusals.no_channel(),
    "refused-slack-silent": refusals.slack_silent("this channel"),
    "refused-archived": refusals.archived_channel(),
    "refused-not-invited": refusals.bot_not_invited(),
    "refused-too-many-names": refusals.too_many_names(20),
    "refused-names": refusals.names_not_visible(("octo/paymets",), ("octo/payments",)),
    "refused-many-names": refusals.names_not_visible(tuple(f"octo/r{n}" for n in range(7)), ()),
    "refused-needs-reviewer": refusals.needs_reviewer(),
    "refused-public-channel": refusals.needs_reviewer_here(PUBLIC),
    "refused-guests": refusals.needs_reviewer_here(WITH_GUESTS),
    "refused-large-channel": refusals.needs_reviewer_here(LARGE),
    "refused-former": refusals.former_not_yours(),
    "refused-not-subscribed": refusals.not_subscribed(),
    "refused-no-group": refusals.no_user_group("@secrity"),
    "refused-no-scope": refusals.handles_not_readable(),
}
FACTS: dict[str, dict[str, StoredJson]] = {
    "subscribed": {"by": "octo-admin", "filter": "repo:octo/payments"},
    "options_changed": {"by": "octo-admin", "thread": "all", "mention": None},
    "unsubscribed": {"by": "octo-admin", "filter": ""},
    "adopted": {"by": "octo-owner"},
    "author_lost": {
        "by": "octo-admin",
        "channel": CHANNEL,
        "because": "deactivated",
        "pause_at": FOUND + 604_800,
    },
    "paused": {"by": "octo-admin", "channel": CHANNEL},
    "became_public": {"channel": CHANNEL},
    "guests_joined": {"channel": CHANNEL, "guests": ["visitor (U0GUEST)"]},
    "limit_reached": {
        "action": "close_alert",
        "by": "octo-admin",
        "user": "U0ADMIN",
        "most": 50,
        "until": FOUND + 3660,
    },
    "identities": {"changes": [stored_change(change) for change in IDENTITY_CHANGES], "more": 12},
}
DRAWN = {kind: draw_notice(KEY, {"kind": kind, **facts}, 1) for kind, facts in FACTS.items()} | {
    "subscribed-instead": draw_notice(
        KEY, {"kind": "subscribed", "by": "octo-owner", "filter": "org:octo", "former": ""}, 1
    ),
    "author_lost-settled": draw_notice(
        KEY, {"kind": "author_lost", **FACTS["author_lost"]}, 2, is_settled=True
    ),
    "of-a-later-version": draw_notice(KEY, {"kind": "something"}, 1),
}


@pytest.mark.parametrize("content", [pytest.param(DRAWN["adopted"], id="below-a-message")])
def test_mention(content: Content, golden: SnapshotAssertion) -> None:
    """Below an urgent card, and below a reply that raises an alert again."""
    assert sent(with_mention(content, "S0SEC")) == golden


def test_every_kind_of_notice_is_drawn() -> None:
    assert set(FACTS) == set(NOTICES)


@pytest.mark.parametrize(
    "content", [pytest.param(content, id=name) for name, content in (PREVIEWS | ANSWERS).items()]
)
def test_subscription(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


@pytest.mark.parametrize("refused", [pytest.param(refused, id=name) for name, refused in REFUSED.items()])
def test_subscription_refused(refused: Any, golden: SnapshotAssertion) -> None:
    assert sent(refusal(refused)) == golden


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in DRAWN.items()])
def test_notice(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


@pytest.mark.parametrize(
    ("recent", "words"),
    [
        (0, "none in the last 4 weeks"),
        (1, "about 1 a month"),
        (3, "about 3 a month"),
        (4, "about 1 a week"),
        (12, "about 3 a week"),
        (13, "about 3 a week"),
    ],
)
def test_rate(recent: int, words: str) -> None:
    assert rate_words(recent) == words


HOSTILE = "<!channel> *x* `y` <https://evil|github.com> " + "ghp_" + "a1B2" * 9


MARKUP = HOSTILE.partition("ghp_")[0]
"""The same without a secret: a login and a Slack id can't hold one."""


def test_hostile_names_have_no_effect() -> None:
    """A filter is escaped as code, a name of a guest too; what looks like a secret is masked."""
    shown = [
        *PREVIEWS.values(),
        preview(replace(PAYMENTS, filter=HOSTILE)),
        preview(missing=(HOSTILE,), similar=("octo/x",)),
        subscribed_answer(replace(PAYMENTS, filter=HOSTILE * 20)),
        refusal(refusals.names_not_visible((HOSTILE,) * 9, ())),
        draw_notice(KEY, {"kind": "guests_joined", "channel": CHANNEL, "guests": [HOSTILE] * 50}, 1),
        draw_notice(KEY, {"kind": "subscribed", "by": "octo-admin", "filter": HOSTILE, "former": HOSTILE}, 1),
        draw_notice(
            KEY, {"kind": "limit_reached", "by": MARKUP, "user": MARKUP, "action": MARKUP, "most": 1}, 1
        ),
        draw_subscriptions(in_channels(*[replace(PAYMENTS, filter=HOSTILE * 30)] * 60), is_complete=True),
    ]
    for content in shown:
        assert "ghp_a1B2" not in json.dumps([one.get("text") for one in sent(content)["blocks"]])
