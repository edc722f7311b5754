"""What to ask GitHub with a leaked token, and what the response says about the token.

GitHub has no API that starts its validity check, so the token itself is sent with one harmless request
(`token_probe` sends it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal as OneOf
from typing import TypeAlias

from integrations.github.accounts import GitHubAccount, account
from integrations.github.json_fields import decode_object
from integrations.github.rate_limits import is_limited, retry_time
from integrations.github.token_format import TokenKind

Validity: TypeAlias = OneOf["active", "inactive", "unknown"]


class Reason(StrEnum):
    """Why a verdict is what it is."""

    ACCEPTED = "accepted"
    BAD_CREDENTIALS = "bad_credentials"
    """Not valid on this host. GitHub gives the same response to a token of another host."""
    SSO_REQUIRED = "sso_required"
    IP_ALLOW_LIST = "ip_allow_list"
    NOT_PERMITTED = "not_permitted"
    """The token works, but not for this request."""
    RATE_LIMITED = "rate_limited"
    LOGINS_LOCKED = "logins_locked"
    """GitHub's docs: after several 401s GitHub refuses all logins for a while."""
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    SERVER_ERROR = "server_error"
    REDIRECTED = "redirected"
    UNEXPECTED = "unexpected_answer"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NOT_A_TOKEN = "not_a_token"  # noqa: S105 - a word for people, not a password.
    CANNOT_BE_PROBED = "cannot_be_asked"
    """No harmless request exists for this kind of token."""


UNPROBEABLE = frozenset({Reason.CANNOT_BE_PROBED, Reason.NOT_A_TOKEN})
"""Reasons for an unknown verdict that another probe would not change."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a secret works, as far as we know."""

    value: Validity
    reason: str
    """One of `Reason`."""
    account: GitHubAccount | None = None
    """The token's owner."""
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None
    """Unix seconds; None for a token that does not expire, and where GitHub gives no time."""
    retry_at: float | None = None
    """Unix seconds from which another probe may succeed."""


def probe_paths(kind: TokenKind, with_owner: bool) -> tuple[str, ...]:
    """Return the paths to GET with a token of this kind, each after a 404 to the one before.

    GitHub's docs: a server with rate limits turned off answers 404 to `GET /rate_limit`. With `with_owner` the
    response also names the token's owner. A refresh token has no path: it can only be exchanged, which rotates it.
    """
    match kind:
        case TokenKind.REFRESH:
            return ()
        case TokenKind.INSTALLATION:
            # `GET /user` answers 403 to an installation token, since it has no user.
            return ("/rate_limit", "/installation/repositories?per_page=1")
        case _:
            return ("/user",) if with_owner else ("/rate_limit", "/user")


def verdict_of(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Verdict:
    """Read GitHub's response to a probe; `body` is the raw body, `now` Unix seconds.

    The names in `headers` are in lower case, or the mapping ignores case. A body that is not GitHub's JSON, such as
    a proxy's page, gives `unknown`.
    """
    content = decode_object(body) or {}
    message = str(content.get("message") or "").lower()
    if status == 200 and {"id", "resources", "rate", "total_count"} & content.keys():
        return Verdict("active", Reason.ACCEPTED, account(content), _scopes(headers), _expiry(headers))
    if status == 401 and "bad credentials" in message:
        return Verdict("inactive", Reason.BAD_CREDENTIALS)
    if status in {403, 429}:
        return _verdict_of_refusal(status, headers, message, now)
    if status == 404:
        return Verdict("unknown", Reason.NOT_FOUND)
    if status >= 500:
        return Verdict("unknown", Reason.SERVER_ERROR)
    return Verdict("unknown", Reason.REDIRECTED if 300 <= status < 400 else Reason.UNEXPECTED)


def _verdict_of_refusal(status: int, headers: Mapping[str, str], message: str, now: float) -> Verdict:
    if status == 403 and "x-github-sso" in headers:
        return Verdict("active", Reason.SSO_REQUIRED)
    if "login attempts" in message:
        return Verdict("unknown", Reason.LOGINS_LOCKED, retry_at=retry_time(headers, now))
    if is_limited(status, headers, message) or "abuse" in message:
        return Verdict("unknown", Reason.RATE_LIMITED, retry_at=retry_time(headers, now))
    if "ip allow list" in message:
        return Verdict("active", Reason.IP_ALLOW_LIST)
    if "resource not accessible by" in message:
        return Verdict("active", Reason.NOT_PERMITTED)
    return Verdict("unknown", Reason.FORBIDDEN)


def _scopes(headers: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(scope for part in headers.get("x-oauth-scopes", "").split(",") if (scope := part.strip()))


def _expiry(headers: Mapping[str, str]) -> float | None:
    text = headers.get("github-authentication-token-expiration", "").replace("UTC", "+0000")
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").timestamp()
    except (ValueError, OverflowError):
        return None
