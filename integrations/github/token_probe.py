"""Asks GitHub, with a leaked token and nothing else of ours, whether that token still works."""

from collections.abc import Callable, Mapping

import aiohttp

from integrations.github.client import ACCEPT, API_VERSION
from integrations.github.token_format import (
    Ask,
    Reason,
    Verdict,
    ask,
    decode,
    judge,
    kind_of,
    kinds_of_type,
)
from integrations.literal import Literal


async def check(
    session: aiohttp.ClientSession,
    api_url: str,
    user_agent: str,
    literal: Literal,
    *,
    secret_type: str,
    base64_encoded: bool,
    named: bool,
    now: Callable[[], float],
    timeout: float = 10.0,
) -> Verdict:
    """Ask the host at `api_url` whether the literal works there; `named` also learns whose it is.

    Never raises for what happens on the way: no answer is unknown, and so is a literal that is no whole
    GitHub token, with which nothing is sent. The session must have no credentials and no cookies of its own.
    """
    token = decode(literal, base64_encoded)
    kind = kind_of(secret_type, token) if token else None
    if token is None or kind is None:
        of_github = secret_type.startswith("github_") and not kinds_of_type(secret_type)
        return Verdict("unknown", Reason.CANNOT_BE_ASKED if of_github else Reason.NOT_A_TOKEN)
    question = ask(kind, named)
    if question is None:
        return Verdict("unknown", Reason.CANNOT_BE_ASKED)

    async def send(question: Ask) -> Verdict:
        status, headers, body = await _send(session, api_url, user_agent, token, question, timeout)
        return judge(status, headers, body, now=now())

    try:
        verdict = await send(question)
        if verdict.reason == Reason.NOT_FOUND and question.otherwise:
            verdict = await send(question.otherwise)
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
    question: Ask,
    timeout: float,
) -> tuple[int, Mapping[str, str], bytes]:
    async with session.request(
        question.method,
        api_url.rstrip("/") + question.path,
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
