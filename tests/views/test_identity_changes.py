"""What is drawn of changed identities, with hostile names and in bulk."""

from hypothesis import example, given, settings

from bot.people_job_kinds import IdentityChange, SendIdentityNotice
from bot.views import link_refusals
from bot.views.answers import refusal
from bot.views.identity_changes import (
    NamedChange,
    draw_changes,
    identity_notice,
    operators_notice,
    read_changes,
    stored_change,
)
from bot.views.notices import draw_notice
from storage.records import Account, GitHubId, Identity, MessageKey, SlackUserId, StoredJson
from tests.integrations.slack.hostile import texts
from tests.views.cases import TEAM
from tests.views.identity_cases import IDENTITY_CHANGES
from tests.views.sending import sent

KINDS = ("linked", "unlinked", "suspended", "not_linked")
KEY = MessageKey("0f1e2d3c4b5a6978")


@settings(max_examples=25)
@given(texts, texts, texts)
@example("<!channel>", "`x` *y*", "\u202e")
def test_hostile_names_are_sent_without_effect(login: str, name: str, word: str) -> None:
    user, other = SlackUserId(name), SlackUserId(word)
    for kind in KINDS:
        for about in (None, other):
            sent(identity_notice(SendIdentityNotice(user, login, kind, about, word, word)))
        change = IdentityChange(kind, user, GitHubId(1), login, word, word, (other,))
        named = [NamedChange(change, {user: login, other: name})] * 60
        sent(operators_notice(named, 5))
        facts: dict[str, StoredJson] = {
            "kind": "identities",
            "changes": [stored_change(one) for one in named],
            "more": 1,
        }
        sent(draw_notice(KEY, facts, 1))
    identity = Identity(TEAM, user, Account(GitHubId(1), login), "sign_in", 0.0, "cli", suspension=word)
    for can_sign_in in (True, False):
        sent(refusal(link_refusals.suspended(identity, can_sign_in=can_sign_in)))
        sent(refusal(link_refusals.claimed_by_others(login, word, can_sign_in=can_sign_in)))
        sent(refusal(link_refusals.source_too_weak(word, name, can_sign_in=can_sign_in)))


def test_changes_are_read_as_they_were_stored() -> None:
    stored = [stored_change(named) for named in IDENTITY_CHANGES]
    assert read_changes(stored) == IDENTITY_CHANGES


def test_changes_that_another_version_stored_in_another_shape_are_left_out() -> None:
    stored = [{"kind": "linked"}, "linked", None, stored_change(IDENTITY_CHANGES[0])]
    assert read_changes(stored) == IDENTITY_CHANGES[:1]
    assert read_changes(None) == read_changes({}) == []


def test_changes_for_which_there_is_no_room_are_counted() -> None:
    shown = draw_changes([IDENTITY_CHANGES[0]] * 300, 10)
    lines = shown.splitlines()
    assert len(shown) < 3000
    assert lines[-1].startswith(f"…and {300 - (len(lines) - 1) + 10} more")


def test_a_change_names_nobody_so_that_slack_notifies_them() -> None:
    """A mention in the default channel would notify its person of somebody else's click."""
    assert "<@" not in draw_changes(IDENTITY_CHANGES, 0)
