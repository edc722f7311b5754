"""Checks whether the address for people's browsers leads to Stanch."""

import asyncio
import ssl

import aiohttp

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, note, ok, warning
from integrations.proxies import proxy_fault

SIGN = b"Stanch"
"""Every page of a sign-in has it in its title."""
LONGEST = 100_000
WITHIN = 5.0


async def check_address(examined: Examined, stored: StoredFacts) -> list[CheckResult]:
    """Ask for the page of a sign-in that does not exist, which uses nothing up."""
    url = examined.settings.stanch_public_url if examined.settings is not None else None
    if url is None or proxy_fault() is not None:
        return []
    try:
        async with (
            asyncio.timeout(WITHIN),
            examined.session.get(f"{url}/github/link", allow_redirects=False) as response,
        ):
            status, body = response.status, await response.content.read(LONGEST)
    except aiohttp.ClientConnectorCertificateError as error:
        reason = getattr(error.certificate_error, "verify_message", "") or "verify failed"
        return [warning("address.certificate", url, reason=reason)]
    except (aiohttp.ClientConnectorDNSError, ssl.SSLError):
        return [warning("address.not_found", url)]
    except (aiohttp.ClientError, OSError):
        return [_no_answer(examined, stored, url)]
    if SIGN in body and status == 404:
        return [ok("address.ok", url)]
    if status in (502, 503, 504):
        return [_no_answer(examined, stored, url)]
    return [warning("address.other_server", url, status=status)]


def _no_answer(examined: Examined, stored: StoredFacts, url: str) -> CheckResult:
    runs = stored.is_running(examined.clock.now())
    return warning("address.no_answer", url) if runs else note("address.not_asked", url)
