"""`stanch setup` as a real process: the page, the way into the terminal, and how it ends."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.processes.bot import ENVIRONMENT


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`stanch setup --no-browser` in a folder of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "setup", "--no-browser"),
        env={**ENVIRONMENT, "PATH": os.environ["PATH"]},
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address_of(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """The page's address and the code, as they are printed."""
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    found = re.fullmatch(
        r"Open (http://127\.0\.0\.1:\d+) in a browser .* code ([0-9A-Z]{4}-[0-9A-Z]{4})\n", line
    )
    assert found is not None, line
    return found[1], found[2]


async def test_the_page_and_then_the_terminal(tmp_path: Path) -> None:
    async with started(tmp_path) as process:
        page, code = await address_of(process)
        async with aiohttp.ClientSession() as session:
            headers = {"Origin": page}
            async with session.post(page, data={"code": code}, headers=headers) as opened:
                assert "GitHub account" in await opened.text()
        output, errors = await asyncio.wait_for(process.communicate(b"\nuser\nocto-cat\n\n\n\n"), 30)
        shown = output.decode()
        assert "GitHub account\n==============" in shown
        assert re.search(
            r"^https://github\.com/settings/apps/new\?name=stanch-octo-cat&", shown, re.MULTILINE
        )
        assert (
            errors.decode() == "There is no more input. Finished steps are kept: run stanch setup to go on.\n"
        )
        assert process.returncode == 1
        assert "STANCH_AUDIT_KEY=" in (tmp_path / ".env").read_text()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(page)


async def test_a_second_run_in_the_folder_and_a_folder_for_all_are_refused(tmp_path: Path) -> None:
    async with started(tmp_path) as first:
        await address_of(first)
        async with started(tmp_path) as second:
            _, errors = await asyncio.wait_for(second.communicate(), 30)
            assert (second.returncode, errors.decode().count("\n")) == (1, 1)
            assert errors.decode().startswith("Another stanch setup runs in ")
        first.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(first.communicate(), 30)
        assert errors.decode() == "Stopped. Finished steps are kept: run stanch setup to go on.\n"
        assert first.returncode == 1
    os.chmod(tmp_path, 0o777)
    async with started(tmp_path) as third:
        output, errors = await asyncio.wait_for(third.communicate(), 30)
        assert (third.returncode, output) == (1, b"")
        assert "can be written by other users" in errors.decode()
