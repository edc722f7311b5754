"""Which connections are listed for a firewall."""

from dataclasses import replace

import pytest

from bot.rules.network_needs import Servers, network_needs

SERVERS = Servers(
    slack_api_url="https://slack.com/api/",
    github_url="https://github.com",
    github_api_url="https://api.github.com",
    database_url="sqlite+aiosqlite:///stanch.db",
    socket_mode=True,
    webhooks=False,
    public_url=None,
    host="127.0.0.1",
    port=3000,
)


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("sqlite+aiosqlite:///stanch.db", []),
        ("postgresql+asyncpg://db.octo.example/stanch", [("db.octo.example", 5432)]),
        ("postgresql+asyncpg://db.octo.example:6432/stanch", [("db.octo.example", 6432)]),
        ("postgresql+asyncpg:///stanch?host=db.octo.example", [("db.octo.example", 5432)]),
        ("postgresql+asyncpg:///stanch", []),
        ("postgresql+asyncpg:///stanch?host=/run/postgresql", []),
    ],
)
def test_the_database_is_listed_where_it_is_reached_by_network(
    url: str, listed: list[tuple[str, int]]
) -> None:
    needs = network_needs(replace(SERVERS, database_url=url))
    assert [(need.host, need.port) for need in needs if need.protocol == "postgresql"] == listed


@pytest.mark.parametrize(
    ("api", "protocol"), [("https://slack.com/api/", "wss"), ("http://10.0.0.9/api/", "ws")]
)
def test_socket_mode_is_listed_with_the_protocol_of_slack(api: str, protocol: str) -> None:
    needs = network_needs(replace(SERVERS, slack_api_url=api))
    assert protocol in [need.protocol for need in needs]
