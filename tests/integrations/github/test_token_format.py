"""Recognising, decoding and masking GitHub's tokens."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.token_format import REVOCABLE, TokenKind, decode, kind_of, kinds_of_type, mask_tokens
from integrations.literal import Literal

PAT = "github_personal_access_token"
STATELESS = "ghs_" + "4711_" + ".".join(["eyJ" + "h" * 60, "p" * 300, "s-_" * 40])
WHOLE = {
    TokenKind.CLASSIC: "ghp_" + "a1B" * 12,
    TokenKind.FINE_GRAINED: "github_pat_" + "A" * 22 + "_" + "b" * 59,
    TokenKind.OAUTH: "gho_" + "c" * 36,
    TokenKind.APP_USER: "ghu_" + "d" * 36,
    TokenKind.INSTALLATION: "ghs_" + "e" * 36,
    TokenKind.REFRESH: "ghr_" + "f" * 76,
}


@pytest.mark.parametrize(("kind", "text"), [*WHOLE.items(), (TokenKind.INSTALLATION, STATELESS)])
def test_whole_tokens_are_recognised_by_their_prefix(kind: TokenKind, text: str) -> None:
    assert kind_of(PAT, Literal(text)) is kind


@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS])
@pytest.mark.parametrize(
    "surroundings", ["{}\n", " {}", "{} ", '"{}"', "token={}", "{}ä", "{}/user", "{0} {0}"]
)
def test_a_token_within_other_text_is_not_recognised(text: str, surroundings: str) -> None:
    assert kind_of(PAT, Literal(surroundings.format(text))) is None


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a" * 35,
        "gho_" + "a" * 35,
        "ghr_" + "a" * 35,
        "ghp_" + "a" * 252,
        "ghx_" + "a" * 36,
        "GHP_" + "a" * 36,
        "github_pat_" + "A" * 22 + "_" + "b" * 58,
        "github_pat_" + "A" * 21 + "_" + "b" * 59,
        "ghs_4711_eyJhhhhhhhhhh.pppppppppp",
        "ghs_4711_eyJhhhhhhhhhh.pppppppppp.short",
        "a" * 40,
        "",
    ],
)
def test_anything_shorter_or_longer_than_a_token_is_not_recognised(text: str) -> None:
    assert kind_of(PAT, Literal(text)) is None


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(gh[posur]_|github_pat_)[A-Za-z0-9_.\-]{0,60}", fullmatch=True))
def test_only_text_of_a_tokens_form_is_recognised(text: str) -> None:
    kind = kind_of(PAT, Literal(text))
    if kind is not None:
        assert text.isascii()
        assert len(text) >= 20
        assert text.startswith(("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"))
        assert not any(character.isspace() or character in "/?#:@\"'" for character in text)


@pytest.mark.parametrize(
    ("secret_type", "kinds"),
    [
        (PAT, {TokenKind.CLASSIC, TokenKind.FINE_GRAINED}),
        ("github_oauth_access_token", {TokenKind.OAUTH}),
        ("github_app_installation_access_token", {TokenKind.INSTALLATION}),
        ("github_refresh_token", {TokenKind.REFRESH}),
        ("github_some_new_token", {TokenKind.APP_USER}),
        ("github_ssh_private_key", set()),
        ("github_test_token", set()),
        ("mailchimp_api_key", set()),
        ("octo_custom", set()),
        ("", set()),
    ],
)
def test_the_secret_type_gives_the_possible_kinds(secret_type: str, kinds: set[TokenKind]) -> None:
    assert kinds_of_type(secret_type) == kinds
    expected = TokenKind.CLASSIC if kinds else None
    assert kind_of(secret_type, Literal(WHOLE[TokenKind.CLASSIC])) is expected


def test_all_kinds_but_installation_tokens_can_be_revoked() -> None:
    assert frozenset(TokenKind) - REVOCABLE == {TokenKind.INSTALLATION}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS])
def test_base64_is_decoded_with_and_without_padding(encode: object, text: str) -> None:
    assert callable(encode)
    encoded = encode(text.encode()).decode()
    for copy in (encoded, encoded.rstrip("="), encoded + "\n"):
        decoded = decode(Literal(copy), True)
        assert decoded is not None
        assert decoded.reveal() == text
    trailing = decode(Literal(encode(text.encode() + b"\n").decode()), True)
    assert trailing is not None
    assert trailing.reveal() == text


def test_a_plain_token_is_not_decoded() -> None:
    literal = Literal(WHOLE[TokenKind.CLASSIC])
    assert decode(literal, True) is literal
    assert decode(literal, False) is literal


@pytest.mark.parametrize("text", ["", "!", "a", "%%%%", "ä" * 8, "/////w==", "gh p_"])
def test_text_that_is_not_base64_gives_no_token(text: str) -> None:
    decoded = decode(Literal(text), True)
    assert decoded is None or kind_of(PAT, decoded) is None


@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS, "ghp_" + "a" * 12, "ghx_" + "b" * 36])
def test_everything_that_looks_like_a_token_is_masked(text: str) -> None:
    masked = mask_tokens(f"could not use {text}, sorry")
    assert masked == "could not use [masked], sorry"


def test_other_words_are_not_masked() -> None:
    text = "Resource not accessible by integration: ghp_ is a prefix, github_pat_ too, weight_loss"
    assert mask_tokens(text) == text
