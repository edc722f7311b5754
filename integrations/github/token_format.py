"""GitHub's own tokens: which kind a leaked one is, how to ask whether it works, and what the answer means.

Pure; `token_probe.py` does the asking. GitHub has no API that starts its own validity check, so the token itself is
used for one harmless question.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal as OneOf
from typing import NamedTuple, TypeAlias

from integrations.literal import Literal

Validity: TypeAlias = OneOf["active", "inactive", "unknown"]


class TokenKind(StrEnum):
    """GitHub's kinds of tokens, told apart by their prefix."""

    CLASSIC = "classic"
    FINE_GRAINED = "fine_grained"
    OAUTH = "oauth"
    APP_USER = "app_user"
    INSTALLATION = "installation"
    REFRESH = "refresh"


REVOCABLE = frozenset(TokenKind) - {TokenKind.INSTALLATION}
"""What `POST /credentials/revoke` takes, by GitHub's docs."""

_KINDS_OF_TYPE: Mapping[str, frozenset[TokenKind]] = {
    "github_personal_access_token": frozenset({TokenKind.CLASSIC, TokenKind.FINE_GRAINED}),
    "github_oauth_access_token": frozenset({TokenKind.OAUTH}),
    "github_app_installation_access_token": frozenset({TokenKind.INSTALLATION}),
    "github_refresh_token": frozenset({TokenKind.REFRESH}),
    "github_ssh_private_key": frozenset(),
    "github_test_token": frozenset(),
}

# GitHub's docs: tokens may grow to 255 characters, so today's lengths are the least that is a whole one.
_SHAPES: Mapping[TokenKind, re.Pattern[str]] = {
    TokenKind.CLASSIC: re.compile(r"ghp_[A-Za-z0-9]{36,251}"),
    TokenKind.FINE_GRAINED: re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59,221}"),
    TokenKind.OAUTH: re.compile(r"gho_[A-Za-z0-9]{36,251}"),
    TokenKind.APP_USER: re.compile(r"ghu_[A-Za-z0-9]{36,251}"),
    # The second form is the stateless one of 2026: `ghs_APPID_JWT`, about 520 characters.
    TokenKind.INSTALLATION: re.compile(
        r"ghs_(?:[A-Za-z0-9]{36,251}|[0-9]{1,20}_[\w-]{10,1000}\.[\w-]{10,2000}\.[\w-]{10,1000})", re.ASCII
    ),
    TokenKind.REFRESH: re.compile(r"ghr_[A-Za-z0-9]{36,251}"),
}
_LIKE_A_TOKEN = re.compile(r"(?:gh[a-z]_|github_pat_)[A-Za-z0-9][\w.-]{7,}", re.ASCII)


class TokenOwner(NamedTuple):
    """The account that a token belongs to."""

    id: int
    login: str


class Reason(StrEnum):
    """Why a verdict is what it is."""

    ACCEPTED = "accepted"
    BAD_CREDENTIALS = "bad_credentials"
    """Not valid on this host; a token of another host is answered the same."""
    SSO_REQUIRED = "sso_required"
    IP_ALLOW_LIST = "ip_allow_list"
    NOT_PERMITTED = "not_permitted"
    """The token works, though not for the question asked."""
    RATE_LIMITED = "rate_limited"
    LOGINS_LOCKED = "logins_locked"
    """After several 401s GitHub refuses all logins for a while."""
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    SERVER_ERROR = "server_error"
    REDIRECTED = "redirected"
    UNEXPECTED = "unexpected_answer"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NOT_A_TOKEN = "not_a_token"  # noqa: S105 - a word for people, not a password.
    CANNOT_BE_ASKED = "cannot_be_asked"
    """No harmless question exists for this kind."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the API that the leaked token is sent with."""

    method: str
    path: str
    otherwise: "Ask | None" = None
    """What to ask instead after a 404."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a secret works, as far as could be found out."""

    value: Validity
    reason: str
    """One of `Reason`."""
    account: TokenOwner | None = None
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None
    """Unix seconds; None where the token has no end or GitHub did not say."""
    retry_at: float | None = None
    """Unix seconds before which asking again is no use."""


def kinds_of_type(secret_type: str) -> frozenset[TokenKind]:
    """Which kinds a secret of this type may be; none for what isn't a GitHub token.

    GitHub's docs have no slug of their own for app user tokens, so an unlisted `github_…` may be one.
    """
    unlisted = (
        frozenset({TokenKind.APP_USER}) if secret_type.startswith("github_") else frozenset[TokenKind]()
    )
    return _KINDS_OF_TYPE.get(secret_type, unlisted)


def kind_of(secret_type: str, literal: Literal) -> TokenKind | None:
    """Which kind of token this is; None unless GitHub's type says so and the literal is a whole token."""
    return _shape_of(literal.reveal()) if kinds_of_type(secret_type) else None


def _shape_of(text: str) -> TokenKind | None:
    return next((kind for kind, shape in _SHAPES.items() if shape.fullmatch(text)), None)


def decode(literal: Literal, base64_encoded: bool) -> Literal | None:
    """The token inside a literal that GitHub found Base64-encoded; None where none comes out."""
    text = literal.reveal().strip()
    if not base64_encoded or _shape_of(text):
        return literal
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return Literal(decoded.strip())


def mask_tokens(text: str) -> str:
    """Blank out whatever looks like a GitHub token, or like the beginning of one."""
    return _LIKE_A_TOKEN.sub("[masked]", text)


_RATE_LIMIT = "/rate_limit"
_NAMED = Ask("GET", "/user")
# A server with rate limits turned off answers 404 to the cheap question.
_UNNAMED = Ask("GET", _RATE_LIMIT, otherwise=_NAMED)
# `GET /user` answers 403 to an installation's token, which has no user.
_INSTALLATION = Ask("GET", _RATE_LIMIT, otherwise=Ask("GET", "/installation/repositories?per_page=1"))


def ask(kind: TokenKind, named: bool) -> Ask | None:
    """What to ask with a token of this kind; None where no harmless question exists.

    `named` also learns whose it is. A refresh token can only be exchanged, which would rotate it.
    """
    match kind:
        case TokenKind.REFRESH:
            return None
        case TokenKind.INSTALLATION:
            return _INSTALLATION
        case _:
            return _NAMED if named else _UNNAMED


def judge(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Verdict:
    """What GitHub's answer to `ask` says of the token.

    Header names in lower case, or a mapping that doesn't care. Only an answer that is GitHub's own JSON says
    anything; the rest, a proxy's page among it, is unknown.
    """
    answer = _json_object(body)
    message = str((answer or {}).get("message") or "").lower()
    if status == 200 and answer is not None and ({"id", "resources", "rate", "total_count"} & answer.keys()):
        return Verdict("active", Reason.ACCEPTED, _owner(answer), _scopes(headers), _expiry(headers))
    if status == 401 and "bad credentials" in message:
        return Verdict("inactive", Reason.BAD_CREDENTIALS)
    if status in {403, 429}:
        return _judge_refusal(status, headers, message, now)
    if status == 404:
        return Verdict("unknown", Reason.NOT_FOUND)
    if status >= 500:
        return Verdict("unknown", Reason.SERVER_ERROR)
    return Verdict("unknown", Reason.REDIRECTED if 300 <= status < 400 else Reason.UNEXPECTED)


def _judge_refusal(status: int, headers: Mapping[str, str], message: str, now: float) -> Verdict:
    if status == 403 and "x-github-sso" in headers:
        return Verdict("active", Reason.SSO_REQUIRED)
    if "login attempts" in message:
        return Verdict("unknown", Reason.LOGINS_LOCKED, retry_at=retry_time(headers, now))
    limited = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if status == 429 or limited or "rate limit" in message or "abuse" in message:
        return Verdict("unknown", Reason.RATE_LIMITED, retry_at=retry_time(headers, now))
    if "ip allow list" in message:
        return Verdict("active", Reason.IP_ALLOW_LIST)
    if "resource not accessible by" in message:
        return Verdict("active", Reason.NOT_PERMITTED)
    return Verdict("unknown", Reason.FORBIDDEN)


def retry_time(headers: Mapping[str, str], now: float) -> float:
    """When GitHub will listen again, in Unix seconds: as it says, or else in a minute.

    GitHub's docs: `retry-after` comes first, then `x-ratelimit-reset` where `x-ratelimit-remaining` is 0,
    then at least 60 seconds.
    """
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isascii() and wait.isdigit():
        return now + min(max(int(wait[:9]), 1), 86_400)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return min(max(float(reset[:12]), now + 1), now + 86_400)
    return now + 60


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _owner(answer: Mapping[str, object]) -> TokenOwner | None:
    number, login = answer.get("id"), answer.get("login")
    if isinstance(number, int) and not isinstance(number, bool) and isinstance(login, str) and login:
        return TokenOwner(number, login)
    return None


def _scopes(headers: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(scope for part in headers.get("x-oauth-scopes", "").split(",") if (scope := part.strip()))


def _expiry(headers: Mapping[str, str]) -> float | None:
    text = headers.get("github-authentication-token-expiration", "").replace("UTC", "+0000")
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").timestamp()
    except (ValueError, OverflowError):
        return None
