"""Reports a leaked credential to GitHub, which then revokes it. This can't be undone."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from integrations.github.client import send_alone
from integrations.github.errors import GitHubUncertain
from integrations.github.rate_limits import is_limited, retry_time
from integrations.github.responses import error_from_exception, message_of
from integrations.literal import Literal

_CALL = "POST /credentials/revoke"


@dataclass(frozen=True, slots=True)
class RevokeResponse:
    """GitHub's response to the report of a credential."""

    accepted: bool
    """GitHub will process it. Its response tells neither whether it was a credential nor when it is revoked."""
    status: int
    retry_at: float | None = None
    """Unix seconds from which a report that the rate limit refused (60 an hour) may be sent again."""


async def revoke(
    session: aiohttp.ClientSession,
    api_url: str,
    user_agent: str,
    literal: Literal,
    now: Callable[[], float],
    *,
    timeout: float,
) -> RevokeResponse:
    """Send one literal to `POST /credentials/revoke`; `timeout` is in seconds, the session has no credentials.

    GitHub's docs: with an Authorization header the response is 403; 202 means accepted; an IP address has 60 reports
    an hour. Raises GitHubUncertain where GitHub may have received the report, Unreachable where it was not sent.
    """
    url = f"{api_url}/credentials/revoke"
    try:
        # The body has no name here, so that no frame of ours holds the literal.
        status, headers, body = await send_alone(
            session, "POST", url, user_agent, timeout=timeout, json={"credentials": [literal.reveal()]}
        )
    except (aiohttp.ClientError, OSError) as error:
        lost = error_from_exception(_CALL, error)
    else:
        if status >= 500:
            raise GitHubUncertain(_CALL, status)
        if is_limited(status, headers, message_of(body)):
            return RevokeResponse(accepted=False, status=status, retry_at=retry_time(headers, now()))
        return RevokeResponse(accepted=status == 202, status=status)
    # Raised outside the handler: the error's context would lead to frames that hold the literal.
    raise GitHubUncertain(_CALL, None, lost.detail) if lost.maybe_done else lost
