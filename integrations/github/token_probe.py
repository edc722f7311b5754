"""Probes a leaked token: sends it to GitHub, without a credential of ours, to see whether it still works."""

from collections.abc import Callable, Mapping

import aiohttp

from integrations.github.client import ACCEPT, API_VERSION
from integrations.github.token_format import decode, kind_of, kinds_of_type
from integrations.github.token_verdict import ProbeRequest, Reason, Verdict, probe_request, verdict_of
from integrations.literal import Literal


async def probe_token(
    session: aiohttp.ClientSession,
    api_url: str,
    user_agent: str,
    literal: Literal,
    *,
    secret_type: str,
    base64_encoded: bool,
    with_owner: bool,
    now: Callable[[], float],
    timeout: float = 10.0,
) -> Verdict:
    """Send the literal to the API at `api_url` and return the verdict; `with_owner` also asks for the owner.

    Never raises for a network fault: without a response the verdict is `unknown`. A literal that is not a whole
    GitHub token is not sent, and is `unknown` too. `timeout` is for one request, in seconds. The session must have
    no credentials and no cookies.
    """
    token = decode(literal, base64_encoded)
    kind = kind_of(secret_type, token) if token else None
    if token is None or kind is None:
        of_github = secret_type.startswith("github_") and not kinds_of_type(secret_type)
        return Verdict("unknown", Reason.CANNOT_BE_PROBED if of_github else Reason.NOT_A_TOKEN)
    first = probe_request(kind, with_owner)
    if first is None:
        return Verdict("unknown", Reason.CANNOT_BE_PROBED)

    async def send(request: ProbeRequest) -> Verdict:
        status, headers, body = await _send(session, api_url, user_agent, token, request, timeout)
        return verdict_of(status, headers, body, now=now())

    try:
        verdict = await send(first)
        if verdict.reason == Reason.NOT_FOUND and first.after_not_found:
            verdict = await send(first.after_not_found)
    except TimeoutError:
        return Verdict("unknown", Reason.TIMEOUT)
    except (aiohttp.ClientError, OSError):
        return Verdict("unknown", Reason.UNREACHABLE)
    return verdict


async def _send(
    session: aiohttp.ClientSession,
    api_url: str,
    user_agent: str,
    token: Literal,
    request: ProbeRequest,
    timeout: float,
) -> tuple[int, Mapping[str, str], bytes]:
    async with session.request(
        request.method,
        api_url.rstrip("/") + request.path,
        headers={
            "Authorization": f"Bearer {token.reveal()}",
            "User-Agent": user_agent,
            "Accept": ACCEPT,
            "X-GitHub-Api-Version": API_VERSION,
        },
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=timeout),
    ) as response:
        return response.status, response.headers, await response.read()
