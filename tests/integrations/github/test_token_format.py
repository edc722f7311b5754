"""Which kind of GitHub token a literal is, and what GitHub's answers to it mean."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.token_format import REVOCABLE, TokenKind, decode, kind_of, kinds_of_type, mask_tokens
from integrations.github.token_verdict import ProbeRequest, Reason, TokenOwner, probe_request, verdict_of
from integrations.literal import Literal

NOW = 1_800_000_000.0
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
def test_whole_tokens_are_known_by_their_prefix(kind: TokenKind, text: str) -> None:
    assert kind_of(PAT, Literal(text)) is kind


@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS])
@pytest.mark.parametrize(
    "surroundings", ["{}\n", " {}", "{} ", '"{}"', "token={}", "{}ä", "{}/user", "{0} {0}"]
)
def test_a_token_within_text_is_none(text: str, surroundings: str) -> None:
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
def test_less_or_more_than_a_whole_token_is_none(text: str) -> None:
    assert kind_of(PAT, Literal(text)) is None


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(gh[posur]_|github_pat_)[A-Za-z0-9_.\-]{0,60}", fullmatch=True))
def test_nothing_short_of_a_whole_token_is_one(text: str) -> None:
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
def test_the_type_says_which_kinds_are_possible(secret_type: str, kinds: set[TokenKind]) -> None:
    assert kinds_of_type(secret_type) == kinds
    expected = TokenKind.CLASSIC if kinds else None
    assert kind_of(secret_type, Literal(WHOLE[TokenKind.CLASSIC])) is expected


def test_installation_tokens_alone_cannot_be_revoked() -> None:
    assert frozenset(TokenKind) - REVOCABLE == {TokenKind.INSTALLATION}


@pytest.mark.parametrize(
    ("kind", "with_owner", "question"),
    [
        (TokenKind.CLASSIC, True, "/user"),
        (TokenKind.CLASSIC, False, "/rate_limit"),
        (TokenKind.FINE_GRAINED, True, "/user"),
        (TokenKind.OAUTH, False, "/rate_limit"),
        (TokenKind.APP_USER, True, "/user"),
        (TokenKind.INSTALLATION, True, "/rate_limit"),
        (TokenKind.INSTALLATION, False, "/rate_limit"),
    ],
)
def test_the_question_names_the_owner_only_when_that_is_wanted(
    kind: TokenKind, with_owner: bool, question: str
) -> None:
    asked = probe_request(kind, with_owner)
    assert asked is not None
    assert (asked.method, asked.path) == ("GET", question)


def test_no_question_at_all_would_exchange_a_refresh_token() -> None:
    assert probe_request(TokenKind.REFRESH, True) is None
    assert probe_request(TokenKind.REFRESH, False) is None


def test_servers_without_rate_limits_are_asked_otherwise() -> None:
    classic, installation = (
        probe_request(TokenKind.CLASSIC, False),
        probe_request(TokenKind.INSTALLATION, False),
    )
    assert classic is not None
    assert installation is not None
    assert classic.after_not_found == ProbeRequest("GET", "/user")
    assert installation.after_not_found == ProbeRequest("GET", "/installation/repositories?per_page=1")


USER = {"id": 583231, "login": "octocat"}
LIMITS = {"resources": {"core": {"limit": 5000}}}
SSO = "required; url=https://github.com/orgs/octo/sso?authorization_request=x"
ALLOW_LIST = (
    "Although you appear to have the correct authorization credentials, the `octo` organization has an "
    "IP allow list enabled, and your IP address is not permitted to access this resource."
)


@pytest.mark.parametrize(
    ("status", "headers", "answer", "value", "reason"),
    [
        (200, {}, USER, "active", Reason.ACCEPTED),
        (200, {}, LIMITS, "active", Reason.ACCEPTED),
        (200, {}, {"total_count": 1, "repositories": []}, "active", Reason.ACCEPTED),
        (200, {"x-github-sso": "partial-results; organizations=1"}, USER, "active", Reason.ACCEPTED),
        (200, {}, {}, "unknown", Reason.UNEXPECTED),
        (200, {}, "<html>Log in to the guest network</html>", "unknown", Reason.UNEXPECTED),
        (401, {}, {"message": "Bad credentials"}, "inactive", Reason.BAD_CREDENTIALS),
        (401, {}, {"message": "Requires authentication"}, "unknown", Reason.UNEXPECTED),
        (401, {}, "<html>Proxy login</html>", "unknown", Reason.UNEXPECTED),
        (
            403,
            {"x-github-sso": SSO},
            {"message": "Resource protected by SAML"},
            "active",
            Reason.SSO_REQUIRED,
        ),
        (403, {}, {"message": ALLOW_LIST}, "active", Reason.IP_ALLOW_LIST),
        (403, {}, {"message": "Resource not accessible by integration"}, "active", Reason.NOT_PERMITTED),
        (
            403,
            {},
            {"message": "Resource not accessible by personal access token"},
            "active",
            Reason.NOT_PERMITTED,
        ),
        (403, {"retry-after": "60"}, {"message": "wait"}, "unknown", Reason.RATE_LIMITED),
        (403, {"x-ratelimit-remaining": "0"}, {"message": "no"}, "unknown", Reason.RATE_LIMITED),
        (
            403,
            {"retry-after": "60"},
            {"message": "Resource not accessible by integration"},
            "unknown",
            Reason.RATE_LIMITED,
        ),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}, "unknown", Reason.RATE_LIMITED),
        (429, {}, {"message": "slow down"}, "unknown", Reason.RATE_LIMITED),
        (
            403,
            {},
            {"message": "Maximum number of login attempts exceeded. Please try again later."},
            "unknown",
            Reason.LOGINS_LOCKED,
        ),
        (403, {}, {"message": "Sorry. Your account was suspended."}, "unknown", Reason.FORBIDDEN),
        (403, {}, "", "unknown", Reason.FORBIDDEN),
        (404, {}, {"message": "Rate limiting is not enabled."}, "unknown", Reason.NOT_FOUND),
        (301, {"location": "https://elsewhere.example"}, {}, "unknown", Reason.REDIRECTED),
        (418, {}, {}, "unknown", Reason.UNEXPECTED),
        (500, {}, {}, "unknown", Reason.SERVER_ERROR),
        (502, {}, "<html>", "unknown", Reason.SERVER_ERROR),
        (503, {}, {"message": "Bad credentials"}, "unknown", Reason.SERVER_ERROR),
    ],
)
def test_githubs_answers_are_read_row_by_row(
    status: int, headers: dict[str, str], answer: object, value: str, reason: Reason
) -> None:
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    verdict = verdict_of(status, headers, body, now=NOW)
    assert (verdict.value, verdict.reason) == (value, reason)
    assert (verdict.retry_at is not None) == (reason in {Reason.RATE_LIMITED, Reason.LOGINS_LOCKED})


def test_an_accepted_token_names_its_owner_scopes_and_end() -> None:
    headers = {
        "x-oauth-scopes": "repo, read:org",
        "github-authentication-token-expiration": "2027-01-15 08:00:00 UTC",
    }
    verdict = verdict_of(200, headers, json.dumps(USER).encode(), now=NOW)
    assert verdict.account == TokenOwner(583231, "octocat")
    assert verdict.scopes == ("repo", "read:org")
    assert verdict.expires_at == NOW
    offset = {"github-authentication-token-expiration": "2027-01-15 03:00:00 -0500"}
    assert verdict_of(200, offset, json.dumps(USER).encode(), now=NOW).expires_at == NOW
    bare = verdict_of(
        200, {"github-authentication-token-expiration": "soon"}, json.dumps(LIMITS).encode(), now=NOW
    )
    assert (bare.account, bare.scopes, bare.expires_at) == (None, (), None)


@pytest.mark.parametrize(
    ("headers", "retry_at"),
    [
        ({"retry-after": "30"}, NOW + 30),
        ({"retry-after": "0"}, NOW + 1),
        ({"retry-after": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}, NOW + 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 900)}, NOW + 900),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, NOW + 1),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": str(int(NOW) + 900)}, NOW + 60),
        ({"retry-after": "Wed, 21 Oct 2027 07:28:00 GMT"}, NOW + 60),
        ({"retry-after": "9" * 30}, NOW + 86_400),
        ({}, NOW + 60),
    ],
)
def test_a_limit_ends_when_github_says_or_in_a_minute(headers: dict[str, str], retry_at: float) -> None:
    assert verdict_of(429, headers, b"{}", now=NOW).retry_at == retry_at


@settings(deadline=None)
@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "x-oauth-scopes"]),
        st.text(max_size=12),
    ),
    st.binary(max_size=60),
)
def test_inactive_is_said_after_githubs_own_401_alone(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    verdict = verdict_of(status, headers, body, now=NOW)
    assert verdict.value != "inactive" or (status == 401 and b"credentials" in body.lower())
    assert verdict.value in {"active", "inactive", "unknown"}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS])
def test_a_base64_copy_is_decoded_with_and_without_padding(encode: object, text: str) -> None:
    assert callable(encode)
    encoded = encode(text.encode()).decode()
    for copy in (encoded, encoded.rstrip("="), encoded + "\n"):
        decoded = decode(Literal(copy), True)
        assert decoded is not None
        assert decoded.reveal() == text
    trailing = decode(Literal(encode(text.encode() + b"\n").decode()), True)
    assert trailing is not None
    assert trailing.reveal() == text


def test_a_literal_that_is_plain_already_stays_as_it_is() -> None:
    literal = Literal(WHOLE[TokenKind.CLASSIC])
    assert decode(literal, True) is literal
    assert decode(literal, False) is literal


@pytest.mark.parametrize("text", ["", "!", "a", "%%%%", "ä" * 8, "/////w==", "gh p_"])
def test_what_is_no_base64_of_text_gives_no_token(text: str) -> None:
    decoded = decode(Literal(text), True)
    assert decoded is None or kind_of(PAT, decoded) is None


@pytest.mark.parametrize("text", [*WHOLE.values(), STATELESS, "ghp_" + "a" * 12, "ghx_" + "b" * 36])
def test_whatever_looks_like_a_token_is_masked_in_text(text: str) -> None:
    masked = mask_tokens(f"could not use {text}, sorry")
    assert masked == "could not use [masked], sorry"


def test_other_words_are_not_masked() -> None:
    text = "Resource not accessible by integration: ghp_ is a prefix, github_pat_ too, weight_loss"
    assert mask_tokens(text) == text
