"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, for every call to Slack and GitHub alike.

aiohttp's own `trust_env` is not used: it would also send logins of `~/.netrc` along, which GitHub refuses beside a
token of ours, and it has no proxy for `wss:` addresses.
"""

from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class ProxiedRequest(aiohttp.ClientRequest):
    """A request that goes through the environment's proxy; for `aiohttp.ClientSession(request_class=…)`."""

    def __init__(self, method: str, url: URL, **given: Any) -> None:
        if given.get("proxy") is None:
            given["proxy"] = proxy_for(url)
        super().__init__(method, url, **given)


def proxy_for(url: URL) -> URL | None:
    """The proxy for an address; None where there is none or NO_PROXY names the host."""
    host = url.host or ""
    # Entries of NO_PROXY may name a port too.
    if proxy_bypass(host if ":" in host else f"{host}:{url.port}"):
        return None
    given = getproxies().get(_SCHEMES.get(url.scheme, ""))
    return _read(given) if given else None


def proxy_fault() -> str | None:
    """What is wrong with the proxies, in a sentence that shows no password; None where nothing is."""
    for scheme in ("http", "https"):
        given = getproxies().get(scheme)
        if given and _read(given) is None:
            return f"{scheme.upper()}_PROXY must be the address of an HTTP proxy, as http://proxy.example.com:3128."
    return None


def _read(given: str) -> URL | None:
    """A proxy as people write it, often without `http://`."""
    try:
        url = URL(given.strip() if "://" in given else f"http://{given.strip()}")
        return url if url.scheme in ("http", "https") and url.host and url.port else None
    except ValueError:
        return None
