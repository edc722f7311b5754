"""Lists the connections that Stanch makes and takes, for the rules of a firewall. Pure."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

POSTGRESQL_PORT = 5432
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


@dataclass(frozen=True, slots=True)
class NetworkNeed:
    """One connection."""

    direction: Literal["out", "in"]
    protocol: str
    host: str
    """The host that is connected to; for `in` the one on which Stanch listens, or that a proxy passes on."""
    port: int
    purpose: str
    proxy: str | None = None
    """The proxy of the environment through which it goes, without user and password."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of an installation, by its settings."""

    slack_api_url: str
    github_url: str
    github_api_url: str
    database_url: str
    """Without user and password."""
    socket_mode: bool
    webhooks: bool
    public_url: str | None
    host: str
    port: int


def network_needs(servers: Servers) -> list[NetworkNeed]:
    """Every connection, outgoing ones first."""
    return [*_outgoing(servers), *_incoming(servers)]


def _outgoing(servers: Servers) -> list[NetworkNeed]:
    needs = [_out(servers.slack_api_url, "Slack's Web API")]
    slack = needs[0].host == "slack.com"
    if servers.socket_mode and slack:
        # Slack's docs: the address is made by each apps.connections.open, so no host is fixed.
        needs.append(
            NetworkNeed(
                "out", "wss", "*.slack.com", 443, "Socket Mode: a WebSocket to the host that Slack names"
            )
        )
    elif servers.socket_mode:
        protocol = "wss" if needs[0].protocol == "https" else "ws"
        needs.append(NetworkNeed("out", protocol, needs[0].host, needs[0].port, "Socket Mode"))
    if slack:
        needs.append(
            NetworkNeed("out", "https", "hooks.slack.com", 443, "private answers to clicks and commands")
        )
    api = "GitHub's API, checks of leaked tokens, and reports of them"
    needs.append(_out(servers.github_api_url, api))
    if servers.public_url:
        needs.append(_out(servers.github_url, "GitHub's sign-in, which people's browsers need too"))
    if servers.database_url.startswith("postgresql"):
        needs += _to_postgresql(servers.database_url)
    return needs


def _to_postgresql(url: str) -> list[NetworkNeed]:
    """None for a socket in the file system, which the URL names by a path or not at all."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    if not host or host.startswith("/"):
        return []
    return [NetworkNeed("out", "postgresql", host, parts.port or POSTGRESQL_PORT, "PostgreSQL")]


def _incoming(servers: Servers) -> list[NetworkNeed]:
    needs = []
    if servers.webhooks:
        needs.append(_in(servers, "GitHub's webhooks: POST /github/webhooks"))
    if not servers.socket_mode:
        needs.append(_in(servers, "Slack's requests: POST /slack/events"))
    if servers.public_url:
        parts = _out(servers.public_url, "")
        purpose = "people's browsers: GET /github/link and /github/callback"
        needs.append(NetworkNeed("in", parts.protocol, parts.host, parts.port, purpose))
    needs.append(_in(servers, "your monitoring: GET /healthz, /readyz, /metrics; keep them inside"))
    return needs


def _in(servers: Servers, purpose: str) -> NetworkNeed:
    return NetworkNeed("in", "http", servers.host, servers.port, purpose)


def _out(url: str, purpose: str) -> NetworkNeed:
    parts = urlsplit(url)
    return NetworkNeed("out", parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme], purpose)
