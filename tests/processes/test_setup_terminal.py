"""`stanch setup` as a real process: the page, the way into the terminal, and how it ends."""

import asyncio
import os
import pty
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.views.setup_pages import TRIES_END
from integrations.sandbox.github import GitHubSandbox, Organization
from integrations.sandbox.slack import SlackSandbox
from tests.flows.planted import make_secret
from tests.processes.bot import ENVIRONMENT, run_command
from tests.processes.setup_sinks import find_secrets
from tests.processes.sinks import messages

INVITATION = r"Open (http://127\.0\.0\.1:\d+) in a browser .* code ([0-9A-Z]{4}-[0-9A-Z]{4})\r?\n"
OTHER_WAY = r"in the terminal\.\r\n$"
PROMPT = r"(> |\[.*\] |Press Enter to go on\. )$"
# Gives the process the terminal that it has as standard input: Python asks for secrets on the process's terminal.
ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "bot", "setup", "--no-browser"])
"""


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`stanch setup --no-browser` in a folder of its own, without a terminal."""
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


async def address_of(screen: asyncio.StreamReader | None) -> tuple[str, str]:
    """The page's address and the code, as they are printed."""
    assert screen is not None
    line = (await asyncio.wait_for(screen.readline(), 30)).decode()
    found = re.fullmatch(INVITATION, line)
    assert found is not None, line
    return found[1], found[2]


@dataclass
class Terminal:
    """The terminal of `stanch setup`, and the person before it."""

    child: asyncio.subprocess.Process
    keyboard: int
    screen: asyncio.StreamReader
    shown: str = ""
    """Everything that is shown after the invitation, with what is echoed."""
    answered: int = 0
    """How much of it was shown when the last line was typed."""
    awaited: str = OTHER_WAY

    async def asked(self) -> None:
        """Wait for the prompt."""
        while not re.search(self.awaited, self.shown[self.answered :]):
            assert await self._read(), f"it ended instead: {self.shown}"

    async def type(self, answer: str) -> None:
        """Wait for the prompt, and type a line."""
        await self.asked()
        os.write(self.keyboard, f"{answer}\n".encode())
        self.answered, self.awaited = len(self.shown), PROMPT

    async def end(self) -> int:
        """Wait until the process has ended by itself; returns its status."""
        while await self._read():
            pass
        return await self.child.wait()

    async def _read(self) -> bool:
        """Wait for more text; False at its end."""
        try:
            read = await asyncio.wait_for(self.screen.read(65536), 30)
        except TimeoutError:
            pytest.fail(f"nothing more is shown: {self.shown}")
        self.shown += read.decode()
        return bool(read)


@asynccontextmanager
async def in_a_terminal(environment: Mapping[str, str], folder: Path) -> AsyncIterator[Terminal]:
    """`stanch setup --no-browser` in a folder, in a terminal of its own."""
    keyboard, its_end = pty.openpty()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ON_TERMINAL),
        env={**ENVIRONMENT, **environment, "PATH": os.environ["PATH"]},
        cwd=folder,
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    )
    os.close(its_end)
    loop, screen = asyncio.get_running_loop(), asyncio.StreamReader()

    def read() -> None:
        try:
            screen.feed_data(os.read(keyboard, 65536))
        except OSError:  # Linux's word for a terminal whose other end is closed.
            loop.remove_reader(keyboard)
            screen.feed_eof()

    loop.add_reader(keyboard, read)
    try:
        yield Terminal(child, keyboard, screen)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        loop.remove_reader(keyboard)
        os.close(keyboard)


async def test_after_the_page_all_is_answered_in_the_terminal_which_shows_no_secret(
    tmp_path: Path, private_key: str
) -> None:
    os.chmod(tmp_path, 0o700)
    (tmp_path / "github-app.pem").write_text(private_key)
    async with SlackSandbox() as slack, GitHubSandbox(private_key=private_key) as github:
        octo = github.app_owner
        assert isinstance(octo, Organization)
        github.add_member(octo, github.add_user("olga"), role="admin")
        github.install(octo)
        slack.workspace.add_user("U0OLGA", name="olga")
        slack.workspace.add_channel("C0SECURITY", name="security", members=["U0OLGA"], private=True)
        slack.use_socket_mode()
        slack.faults.add("auth.test", times=1, status=200, body={"ok": False, "error": slack.bot_token})
        servers = {"SLACK_API_URL": slack.api_url, "GITHUB_URL": github.url, "GITHUB_API_URL": github.api_url}
        async with in_a_terminal(servers, tmp_path) as terminal:
            page, code = await address_of(terminal.screen)
            async with aiohttp.ClientSession() as session:
                async with session.post(page, data={"code": code}, headers={"Origin": page}) as opened:
                    shown_page = f"{opened.headers} {await opened.text()}"
                assert "GitHub account" in shown_page
                for answer in answers(github, slack, private_key):
                    await terminal.type(answer)
                await terminal.asked()
                seen = messages(slack).decode()
                await terminal.type("")  # The test card is taken away.
                with pytest.raises(aiohttp.ClientConnectorError):
                    await session.get(page)
            assert await terminal.end() == 0
        assert f"\n{github.url}/organizations/octo/settings/apps/new?name=stanch-octo&" in terminal.shown
        for said in ("Write the login", "looks like the signing secret", "This is the bot token"):
            assert said in terminal.shown
        assert "Test card" in terminal.shown
        planted = {"the code": code.replace("-", ""), "the signing secret": slack.signing_secret}
        shown = terminal.shown
        # Typed once each where the login is asked for, which is echoed.
        for secret in (github.client_secret, slack.signing_secret):
            assert f"> {secret}\r\n" in shown
            shown = shown.replace(f"> {secret}\r\n", "", 1)
        outputs = {"what the terminal shows": shown, "what people see in Slack": seen}
        assert find_secrets(tmp_path, [shown_page], outputs, slack, github, planted) == []
        assert slack.violations == slack.hygiene == slack.unexpected == []
        assert github.violations == github.unexpected == []


def answers(github: GitHubSandbox, slack: SlackSandbox, private_key: str) -> Iterator[str]:
    """What a person types at each prompt; most secrets are typed into a wrong field first."""
    yield ""  # To go on in the terminal.
    address = ("https://stanch.example.com", "y", "n")
    yield from (
        "",
        github.client_secret,
        *address,
    )  # An organization, its login, our address, webhooks, no more.
    yield from ("", "octo", *address)
    secrets = (make_secret("webhook"), github.client_secret)
    yield from (str(github.app_id), private_key.splitlines()[0], *secrets)
    yield from ("", "github-app.pem", *secrets)
    for token in (slack.signing_secret, slack.bot_token, slack.bot_token):  # Slack's first answer quotes it.
        yield from ("", token)
    yield from (slack.bot_token, slack.app_token)
    yield from ("", "")  # The channel, which is the only one.
    yield from ("", slack.signing_secret, "n")  # Who the person is in Slack and, first wrong, on GitHub.
    yield from ("", "olga", "n")
    yield ""  # The test card is posted.


async def test_a_second_run_in_the_folder_and_a_folder_for_all_are_refused(tmp_path: Path) -> None:
    async with started(tmp_path) as first:
        await address_of(first.stdout)
        second = await run_command({}, tmp_path, "setup", "--no-browser")
        assert second.status == 1
        assert second.sentence.startswith("Another stanch setup runs in ")
        # The input ends before all is answered, as that of a script may.
        output, errors = await asyncio.wait_for(first.communicate(b"\nuser\nocto-cat\n\n\n\n"), 30)
        assert "\nhttps://github.com/settings/apps/new?name=stanch-octo-cat&" in output.decode()
        assert errors.decode() == (
            "There is no more input. Finished steps are kept: run stanch setup to go on.\n"
        )
        assert first.returncode == 1
        assert "STANCH_AUDIT_KEY=" in (tmp_path / ".env").read_text()
    os.chmod(tmp_path, 0o777)
    third = await run_command({}, tmp_path, "setup", "--no-browser")
    assert (third.status, third.output) == (1, "")
    assert "can be written by other users" in third.errors


async def test_without_input_the_page_is_waited_for_and_five_wrong_codes_end_the_command(
    tmp_path: Path,
) -> None:
    os.chmod(tmp_path, 0o700)
    async with started(tmp_path) as child, aiohttp.ClientSession() as session:
        assert child.stdin is not None
        child.stdin.close()
        page, _ = await address_of(child.stdout)
        for _ in range(5):
            await session.post(page, data={"code": "AAAA-AAAA"}, headers={"Origin": page})
        _, errors = await asyncio.wait_for(child.communicate(), 30)
    assert errors.decode() == (f"{TRIES_END}\n")
    assert child.returncode == 1
