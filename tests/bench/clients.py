"""The load: a process of its own that sends prepared requests over open connections and times the answers.

It speaks just enough HTTP that the servers, and not the client, are what is measured.
"""

import asyncio
import json
import pickle
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Load:
    """The answers to a load."""

    seconds: float
    latencies: tuple[float, ...]
    """Seconds from sending to the end of the answer, one for each request."""
    statuses: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return len(self.latencies) / self.seconds


def http_request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Clients:
    """The parent's side of the process."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "load.pickle"
        self._child: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.close()
        await self._child.wait()

    async def send(self, port: int, requests: Sequence[bytes], *, clients: int) -> Load:
        """Send all requests over so many connections, each of which waits for one answer at a time."""
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._file.write_bytes(pickle.dumps(list(requests)))
        self._child.stdin.write(json.dumps([port, str(self._file), clients]).encode() + b"\n")
        answer = json.loads(await self._child.stdout.readline())
        return Load(answer["seconds"], tuple(answer["latencies"]), answer["statuses"])


async def _run(port: int, requests: list[bytes], clients: int) -> Load:
    requests.reverse()
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while requests:
            request = requests.pop()
            began = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
            latencies.append(time.perf_counter() - began)
            statuses[head.split(" ", 2)[1]] += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work(*connection) for connection in connections))
    return Load(time.perf_counter() - began, tuple(latencies), dict(statuses))


def main() -> None:
    """Run one load for each line on standard input."""
    for line in sys.stdin:
        port, file, clients = json.loads(line)
        load = asyncio.run(_run(port, pickle.loads(Path(file).read_bytes()), clients))
        sys.stdout.write(json.dumps(asdict(load)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
