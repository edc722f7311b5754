"""Comments for GitHub are short enough, mention nobody, name the person, and contain no secret."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.rules.comments import (
    MAX_COMMENT,
    MAX_SIGNED,
    MAX_TYPED,
    comment_fault,
    max_typed_length,
    plain_comment,
    sign_comment,
    without_signature,
)
from bot.rules.masking import looks_like_secret
from integrations.slack.text import clean, units
from tests.integrations.slack.hostile import texts

LOGINS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,92}[A-Za-z0-9])?(?:\[bot\])?", fullmatch=True)
MENTION = re.compile(r"(?:\A|[^A-Za-z0-9_])@[A-Za-z0-9]")
"""What GitHub treats as a mention."""
TOKEN = "ghp" + "_" + "a1B2" * 9


@given(texts, LOGINS)
@example("x" * 10_000, "a" * 100)
@example("🔑" * 300, "octo-admin")
@example("@@octo/security, -@ana and é@ben", "octo-admin")
def test_a_signed_comment_fits_and_mentions_nobody(typed: str, login: str) -> None:
    comment = sign_comment(typed, login)
    assert len(comment) <= units(comment) <= MAX_COMMENT
    assert comment.endswith(f"by {login} via Stanch")
    assert not MENTION.search(comment)
    assert comment == clean(comment)


@given(texts)
@example("🔑" * 300)
@example("@@octo/security, -@ana and é@ben")
def test_a_comment_in_the_persons_own_name_fits_and_mentions_nobody(typed: str) -> None:
    comment = plain_comment(typed)
    assert len(comment) <= units(comment) <= MAX_COMMENT
    assert not MENTION.search(comment)
    assert comment_fault(typed, required=False) or not looks_like_secret(comment)


@given(texts, LOGINS)
@example("xox" + "b-@123456789012-abcdefghijklmnop", "octo-admin")
@example(TOKEN[:4] + "@" + TOKEN[4:], "octo-admin")
@example("ask -@@" + TOKEN[:4] + "\u200b" + TOKEN[4:], "octo-admin")
def test_an_accepted_comment_contains_no_secret_in_its_sent_form(typed: str, login: str) -> None:
    assert comment_fault(typed, required=False) or not looks_like_secret(sign_comment(typed, login))


@given(texts, LOGINS)
@example("by octo-owner via Stanch", "octo-admin")
@example("done — by octo-owner via Stanch", "octo-admin")
def test_removing_the_signature_gives_the_typed_text(typed: str, login: str) -> None:
    """Also if the typed text ends with another person's signature."""
    typed = typed.replace("@", "at ")
    assert (without_signature(sign_comment(typed, login)) or "") == clean(typed, max_typed_length(login))


def test_an_empty_comment_is_the_signature_alone() -> None:
    assert (
        sign_comment(None, "octo-admin")
        == sign_comment(" \u200b ", "octo-admin")
        == "by octo-admin via Stanch"
    )
    assert without_signature("by octo-admin via Stanch") is None
    assert without_signature(None) is None
    assert without_signature("") is None


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("Rotated. — by octo-admin via Stanch", "Rotated."),
        ("Rotated. — by renovate[bot] via Stanch", "Rotated."),
        ("Rotated.", "Rotated."),
        ("by octo-admin via Stanch, they said", "by octo-admin via Stanch, they said"),
        ("Closed by octo-admin via Stanch", "Closed by octo-admin via Stanch"),
    ],
)
def test_only_a_signature_at_the_end_is_removed(comment: str, shown: str) -> None:
    assert without_signature(comment) == shown


@pytest.mark.parametrize(
    ("typed", "signed"),
    [
        ("ask @octo/security", "ask octo/security"),
        ("@ana and @ben", "ana and ben"),
        ("@@ana", "ana"),
        ("mail ana@octo.test", "mail ana@octo.test"),
        ("two\nlines", "two lines"),
        ("5 @ 3", "5 @ 3"),
    ],
)
def test_mentions_are_removed(typed: str, signed: str) -> None:
    assert sign_comment(typed, "octo-admin") == f"{signed} — by octo-admin via Stanch"


@pytest.mark.parametrize(
    ("typed", "required", "fault"),
    [
        (None, False, None),
        ("", False, None),
        (None, True, "Say in a sentence why; this is required here."),
        (" \n\u200b", True, "Say in a sentence why; this is required here."),
        ("x" * MAX_TYPED, True, None),
        ("x" * (MAX_TYPED + 1), False, "At most 280 characters, please."),
        ("🔑" * (MAX_TYPED // 2 + 1), False, "At most 280 characters, please."),
        (
            f"it was {TOKEN}",
            False,
            "This looks like a secret. GitHub's comments can't be deleted, so leave it out.",
        ),
        (
            TOKEN[:9] + "\u200b" + TOKEN[9:],
            False,
            "This looks like a secret. GitHub's comments can't be deleted, so leave it out.",
        ),
        ("token: rotated by Ana", True, None),
    ],
)
def test_an_invalid_comment_gets_one_sentence(typed: str | None, required: bool, fault: str | None) -> None:
    assert comment_fault(typed, required=required) == fault


@given(LOGINS)
def test_any_login_leaves_room_for_a_comment(login: str) -> None:
    assert 150 <= max_typed_length(login) <= MAX_SIGNED < max_typed_length(None) == MAX_TYPED
