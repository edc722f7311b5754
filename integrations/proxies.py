"""Applies HTTP_PROXY, HTTPS_PROXY and NO_PROXY to all calls to Slack and GitHub.

aiohttp's `trust_env` is not used. It also sends the logins in `~/.netrc`, which GitHub refuses beside a token, and it
has no proxy for `wss:` addresses.
"""

import functools
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class ProxiedRequest(aiohttp.ClientRequest):
    """A request through the environment's proxy, for `aiohttp.ClientSession(request_class=…)`."""

    def __init__(self, method: str, url: URL, **options: Any) -> None:
        super().__init__(method, url, **{**options, "proxy": proxy_for(url)})


def proxy_for(url: URL) -> URL | None:
    """Return the proxy for an address; None without one, or if NO_PROXY lists the host."""
    return _proxy_for(url.scheme, url.host or "", url.port)


# Kept, since the environment stays the same, and its reading takes a quarter of the time of a short request.
@functools.lru_cache
def _proxy_for(scheme: str, host: str, port: int | None) -> URL | None:
    setting = getproxies().get(_SCHEMES.get(scheme, ""))
    # With the port, since entries of NO_PROXY may have one.
    if not setting or proxy_bypass(host if ":" in host else f"{host}:{port}"):
        return None
    return _parse(setting)


def proxy_fault() -> str | None:
    """Return the fault in the proxy settings as a sentence without their passwords; None if they are right."""
    for scheme in ("http", "https"):
        setting = getproxies().get(scheme)
        if setting and _parse(setting) is None:
            return f"{scheme.upper()}_PROXY must be the address of an HTTP proxy, as http://proxy.example.com:3128."
    return None


def _parse(setting: str) -> URL | None:
    """Parse a proxy's address; `http://` is optional. None if it is not an address."""
    try:
        url = URL(setting.strip() if "://" in setting else f"http://{setting.strip()}")
        return url if url.scheme in ("http", "https") and url.host and url.port else None
    except ValueError:
        return None
