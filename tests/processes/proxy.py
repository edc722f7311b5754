"""A company's proxy on loopback: it wants a login, and notes what goes through it."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

LOGIN = "ana:hidden"
_REQUEST = re.compile(rb"(GET|POST|PATCH|PUT|DELETE|CONNECT) (\S+) HTTP/1\.1\r\n")


class Proxy:
    """Passes each connection on to the host that its first request names."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        """Method and target of every request."""
        self.refused = 0
        """Connections without the login."""
        self.port = 0
        self._running: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"http://{LOGIN}@127.0.0.1:{self.port}"

    def paths(self, port: int | None) -> list[tuple[str, str]]:
        """Method and path of the requests to a port."""
        parts = [(method, urlsplit(target)) for method, target in self.seen]
        return [(method, part.path) for method, part in parts if part.port == port]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await self._serve(reader, writer)
        writer.close()
        self._running.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        wanted = b"proxy-authorization: basic " + base64.b64encode(LOGIN.encode()).lower()
        if wanted not in head.lower():
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        found = _REQUEST.match(head)
        assert found is not None, head
        target = found[2].decode()
        parts = urlsplit(target if "//" in target else f"//{target}")
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        if found[1] == b"CONNECT":
            self._note(head)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            head = b""
        else:
            self._note(head)
        back.write(head)
        try:
            await asyncio.gather(
                self._pass_on(reader, back, note=found[1] != b"CONNECT"),
                self._pass_on(there, writer, note=False),
            )
        finally:
            back.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, note: bool
    ) -> None:
        while data := await reader.read(65536):
            if note:
                self._note(data)
            writer.write(data)
            await writer.drain()
        writer.close()

    def _note(self, data: bytes) -> None:
        self.seen += [(found[1].decode(), found[2].decode()) for found in _REQUEST.finditer(data)]

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@asynccontextmanager
async def open_proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()
