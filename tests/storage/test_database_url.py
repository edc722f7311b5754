"""The parameters of DATABASE_URL have the effect of PostgreSQL's docs, and no error shows the password."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from storage.clock import Clock
from storage.database_url import read_url
from storage.db import Database, StorageUnavailable

PASSWORD = "p" + "ss%40w%2Frd"
TLS, PLAIN = 80877103, 196608
"""Codes of PostgreSQL's first messages: a request for TLS, and a start-up message without it."""


class Server:
    """A server that refuses TLS and closes the connection after PostgreSQL's start-up message."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.startup = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(4))
                word = int.from_bytes(await reader.readexactly(4))
                self.heard.append(word)
                rest = await reader.readexactly(length - 8)
                if word != TLS:
                    self.startup = rest
                    break
                writer.write(b"N")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    yield server, f"{host}:{port}"
    listening.close()
    await listening.wait_closed()


async def failure(address: str, parameters: str) -> str:
    """The error text for a connection to this server."""
    db = Database(f"postgresql+asyncpg://ana:{PASSWORD}@{address}/stanch{parameters}", clock=Clock())
    with pytest.raises(StorageUnavailable) as caught:
        async with db.read():
            pass
    await db.close()
    sentence = str(caught.value)
    assert address in sentence
    assert "ss" + "@w" not in sentence
    assert PASSWORD not in sentence
    return sentence


@pytest.mark.parametrize(
    ("parameters", "heard"),
    [
        ("?sslmode=disable", [PLAIN]),
        ("?ssl=disable", [PLAIN]),
        ("?sslmode=require", [TLS]),
        ("?ssl=require", [TLS]),
        ("?sslmode=require&ssl=require&connect_timeout=5", [TLS]),
        ("?sslmode=verify-full&sslrootcert=system", [TLS]),
        ("?sslmode=prefer&channel_binding=prefer", [TLS, PLAIN]),
        ("", [TLS, PLAIN]),
    ],
)
async def test_a_parameter_has_its_effect(
    server: tuple[Server, str], parameters: str, heard: list[int]
) -> None:
    sentence = await failure(server[1], parameters)
    assert server[0].heard[: len(heard)] == heard
    assert (PLAIN in server[0].heard) is (PLAIN in heard)
    if heard == [TLS]:
        assert "rejected SSL upgrade" in sentence


async def test_the_servers_settings_are_sent(server: tuple[Server, str]) -> None:
    await failure(server[1], "?sslmode=disable&application_name=stanch&options=endpoint%3Dx")
    assert b"application_name\0stanch\0" in server[0].startup
    assert b"options\0endpoint=x\0" in server[0].startup


async def test_a_missing_root_certificate_gives_the_drivers_reason(
    server: tuple[Server, str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    assert "root certificate file" in await failure(server[1], "?sslmode=verify-full")
    assert server[0].heard == []


def test_numbers_and_hosts_are_passed_to_the_driver() -> None:
    found = read_url(
        "postgresql+asyncpg:///stanch?host=/run/postgresql&statement_cache_size=0&prepared_statement_cache_size=0"
    )
    assert found.url.query == {"host": "/run/postgresql"}
    assert found.arguments == {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    assert read_url("sqlite+aiosqlite:///x.db?timeout=3").arguments == {"timeout": 3}


async def test_a_real_server_is_used_with_parameters(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        parameters = "?timeout=5"
    else:
        joint = "&" if "?" in database_url else "?"
        parameters = f"{joint}sslmode=prefer&application_name=stanch&connect_timeout=5"
    db = Database(database_url + parameters, clock=Clock())
    assert await db.is_migrated()
    await db.close()
