"""The request for each kind of token, and the verdict for each response."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.accounts import GitHubAccount
from integrations.github.token_format import TokenKind
from integrations.github.token_verdict import Reason, probe_paths, verdict_of

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("kind", "with_owner", "path"),
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
def test_the_request_asks_for_the_owner_only_if_wanted(kind: TokenKind, with_owner: bool, path: str) -> None:
    assert probe_paths(kind, with_owner)[0] == path


def test_a_refresh_token_is_never_sent() -> None:
    assert probe_paths(TokenKind.REFRESH, True) == probe_paths(TokenKind.REFRESH, False) == ()


def test_another_request_follows_on_servers_without_rate_limits() -> None:
    assert probe_paths(TokenKind.CLASSIC, False) == ("/rate_limit", "/user")
    installation = probe_paths(TokenKind.INSTALLATION, False)
    assert installation == ("/rate_limit", "/installation/repositories?per_page=1")


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
def test_each_response_gives_its_verdict(
    status: int, headers: dict[str, str], answer: object, value: str, reason: Reason
) -> None:
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    verdict = verdict_of(status, headers, body, now=NOW)
    assert (verdict.value, verdict.reason) == (value, reason)
    assert (verdict.retry_at is not None) == (reason in {Reason.RATE_LIMITED, Reason.LOGINS_LOCKED})


def test_an_active_token_has_owner_scopes_and_expiry() -> None:
    headers = {
        "x-oauth-scopes": "repo, read:org",
        "github-authentication-token-expiration": "2027-01-15 08:00:00 UTC",
    }
    verdict = verdict_of(200, headers, json.dumps(USER).encode(), now=NOW)
    assert verdict.account == GitHubAccount(583231, "octocat")
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
def test_a_rate_limit_ends_when_the_headers_say_or_in_a_minute(
    headers: dict[str, str], retry_at: float
) -> None:
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
def test_only_githubs_own_401_makes_a_token_inactive(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    verdict = verdict_of(status, headers, body, now=NOW)
    assert verdict.value != "inactive" or (status == 401 and b"credentials" in body.lower())
    assert verdict.value in {"active", "inactive", "unknown"}
