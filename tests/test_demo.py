"""The demo as a program: its address, its end, and why it does not start. What it shows is in tests/browser."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.__main__ import import_structlog
from bot.demo import open_demo, run_demo
from bot.errors import StartRefused

OPENS = "Stanch's demo is at "


async def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What the demo has printed, once it is served."""
    output = ""
    async with asyncio.timeout(10):
        while OPENS not in output:
            await asyncio.sleep(0.01)
            output += capsys.readouterr().out
    return output


async def test_the_demo_says_its_address_and_runs_until_it_is_told_to_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    running = asyncio.create_task(run_demo("127.0.0.1", 0, in_browser=False))
    address = (await printed(capsys)).partition(OPENS)[2].split()[0]
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as page:
            assert page.status == 200
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(address)


async def test_the_demo_says_why_it_can_not_listen() -> None:
    with pytest.raises(
        StartRefused, match=r"^The demo can't listen on 192\.0\.2\.1, port 0: .*cannot assign"
    ):
        await run_demo("192.0.2.1", 0, in_browser=False)


@pytest.fixture
def another_python() -> Iterator[None]:
    """Python's settings can be changed by the test."""
    before = sys.executable, tempfile.tempdir
    yield
    sys.executable, tempfile.tempdir = before


@pytest.mark.usefixtures("another_python")
async def test_the_demo_ends_with_the_reason_of_a_bot_that_does_not_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sys.executable = shutil.which("false") or "false"
    with pytest.raises(StartRefused, match=r"^migrate failed$"):
        await run_demo("127.0.0.1", 0, in_browser=False)
    assert OPENS in capsys.readouterr().out


@pytest.mark.usefixtures("another_python")
async def test_the_demo_says_why_it_can_not_write_its_files(tmp_path: Path) -> None:
    tempfile.tempdir = str(tmp_path / "none")
    with pytest.raises(StartRefused, match=r"temporary directory: .*No such file or directory"):
        await run_demo("127.0.0.1", 0, in_browser=False)


async def test_starting_over_replaces_the_stand_ins_and_keeps_the_page() -> None:
    async with open_demo("127.0.0.1", 0) as demo:
        address, stage = demo.address, demo.stage
        await demo.start_over()
        assert demo.stage is not stage
        assert demo.address == address
        async with aiohttp.ClientSession() as session, session.get(demo.stage.github.api_url):
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(stage.github.api_url)


def test_what_structlog_has_loaded_stays_loaded() -> None:
    rich = pytest.importorskip("rich")
    import_structlog()
    assert sys.modules["rich"] is rich
