"""Reports a leaked credential to GitHub, which then revokes it: the one call that can't be undone."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from integrations.github.client import ACCEPT, API_VERSION
from integrations.github.errors import GitHubUncertain
from integrations.github.rate_limits import is_limited, retry_time
from integrations.github.responses import error_from_exception, message_of
from integrations.literal import Literal

_WHAT = "POST /credentials/revoke"


@dataclass(frozen=True, slots=True)
class RevokeResponse:
    """What GitHub answered to a report of a credential."""

    accepted: bool
    """It will be revoked soon; GitHub does not say whether it was one, or when."""
    status: int
    retry_at: float | None = None
    """Unix seconds from which a report that the rate limit refused may be sent again."""


async def revoke(
    session: aiohttp.ClientSession,
    api_url: str,
    user_agent: str,
    literal: Literal,
    now: Callable[[], float],
    *,
    timeout: float,
) -> RevokeResponse:
    """Send one literal to `POST /credentials/revoke`, on a session without credentials of its own.

    GitHub's docs: without Authorization, else 403; 202 for accepted; 60 an hour for an address. Raises
    Uncertain where GitHub may have received it and the answer was lost, Unreachable where nothing was sent.
    """
    try:
        async with session.post(
            f"{api_url}/credentials/revoke",
            data=json.dumps({"credentials": [literal.reveal()]}),
            headers={
                "Accept": ACCEPT,
                "Content-Type": "application/json",
                "User-Agent": user_agent,
                "X-GitHub-Api-Version": API_VERSION,
            },
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout),
        ) as response:
            status, headers, body = response.status, response.headers, await response.read()
    except (aiohttp.ClientError, OSError) as error:
        lost = error_from_exception(_WHAT, error)
    else:
        if status >= 500:
            raise GitHubUncertain(_WHAT, status)
        if is_limited(status, headers, message_of(body)):
            return RevokeResponse(accepted=False, status=status, retry_at=retry_time(headers, now()))
        return RevokeResponse(accepted=status == 202, status=status)
    # Raised outside the handler, so that no context leads to frames that hold the literal.
    raise GitHubUncertain(_WHAT, None, lost.detail) if lost.maybe_done else lost
