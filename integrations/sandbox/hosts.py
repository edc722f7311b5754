"""Where the stand-ins send requests: to this machine alone, whatever addresses the product gives them."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def real_address(url: str, hosts: Mapping[str, str]) -> str | None:
    """The address on this machine that `hosts` has for a public origin; None for one that can't be reached."""
    for public, real in hosts.items():
        if url.startswith(f"{public}/"):
            return real + url.removeprefix(public)
    return url if is_loopback(urlsplit(url).hostname or "") else None
