"""Probes a leaked token: sends it to GitHub, without a credential of ours, to see whether it still works."""

from collections.abc import Callable

import aiohttp

from integrations.github.client import send_alone
from integrations.github.token_format import decode, kind_of, kinds_of_type
from integrations.github.token_verdict import Reason, Verdict, probe_paths, verdict_of
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
    verdict = Verdict("unknown", Reason.CANNOT_BE_PROBED)
    try:
        for path in probe_paths(kind, with_owner):
            url = api_url.rstrip("/") + path
            response = await send_alone(session, "GET", url, user_agent, timeout=timeout, token=token)
            verdict = verdict_of(*response, now=now())
            if verdict.reason != Reason.NOT_FOUND:
                break
    except TimeoutError:
        return Verdict("unknown", Reason.TIMEOUT)
    except (aiohttp.ClientError, OSError):
        return Verdict("unknown", Reason.UNREACHABLE)
    return verdict
