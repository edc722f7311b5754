"""`stanch demo`: runs the product against stand-ins for Slack and GitHub, with both on one web page."""

import asyncio
import base64
import contextlib
import csv
import errno
import secrets
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import typer

from bot.browser import browser_with_windows
from bot.errors import StartRefused
from integrations.sandbox.demo import (
    CHANNELS,
    PEOPLE,
    BotProcess,
    CommandFailed,
    ProcessCommand,
    Stage,
    serve_page,
)
from integrations.sandbox.demo.world import DEFAULT_CHANNEL, DOMAIN, OLIVIA

HIGHEST_PORT = 65535
DATABASE = "stanch.db"
EIGHT_DAYS = 8 * 24 * 3600
OPTIONS = f"""\
[report]
approvals = {{approvals}}
[directory]
source = "auto"
domains = ["{DOMAIN}"]
"""


class Demo:
    """The running demo: stand-ins, bot process, and the task that sets them up. `start_over` replaces all three.

    The bot is a process of its own that runs `serve` and knows the stand-ins only from its settings. Its
    database is in a directory of its own under `directory`.
    """

    stage: Stage
    bot: BotProcess
    opening: asyncio.Task[None]

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.address = ""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets the error of a bot that does not start."""

    async def begin(self) -> None:
        """Start the stand-ins, and the bot in the background."""
        directory = Path(tempfile.mkdtemp(dir=self._directory))
        self.stage = await Stage().__aenter__()
        port = _free_port()
        self._options = directory / "stanch.toml"
        self._options.write_text(OPTIONS.format(approvals=1), encoding="utf-8")
        self.bot = BotProcess(_command(self.stage, directory, port), port)
        self.stage.point_at(self.bot.address)
        self.opening = asyncio.create_task(_open(self.stage, self.bot, directory))
        self.opening.add_done_callback(self._note_failure)

    async def end(self) -> None:
        """Stop the bot and the stand-ins."""
        self.opening.cancel()
        await asyncio.gather(self.opening, return_exceptions=True)
        await self.bot.stop()
        await self.stage.__aexit__(None, None, None)

    async def start_over(self) -> None:
        """Replace everything by what the demo began with."""
        # Nothing of the former bot is kept, so it need not stop in an orderly way.
        await self.bot.kill()
        await self.end()
        await self.begin()

    async def set_two_people(self, *, on: bool) -> None:
        """Restart the bot with the option that a report needs two people, or without it."""
        self._options.write_text(OPTIONS.format(approvals=2 if on else 1), encoding="utf-8")
        await self.bot.stop()
        self.bot.two_people = on
        await self.bot.start()

    def _note_failure(self, opening: asyncio.Task[None]) -> None:
        error = None if opening.cancelled() else opening.exception()
        if error is not None and not self.failed.done():
            self.failed.set_exception(error)


async def run_demo(host: str, port: int, *, in_browser: bool) -> None:
    """Serve the demo page on this address until SIGINT or SIGTERM; port 0 takes a free one.

    With `in_browser`, opens it in the person's browser, if that has windows. Raises `StartRefused` if the port
    is taken, the bot doesn't start, or there is no place for its files.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with open_demo(host, port) as demo:
            typer.echo(f"Stanch's demo is at {demo.address}  (Ctrl-C ends it)")
            browser = browser_with_windows() if in_browser else None
            if browser is not None:
                # Opening may take seconds, in which the page has to be served.
                threading.Thread(target=browser.open, args=(demo.address,), daemon=True).start()
            ends: tuple[asyncio.Future[Any], ...] = (demo.failed, asyncio.create_task(stopped.wait()))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if demo.failed.done():
                demo.failed.result()
    except CommandFailed as failure:
        raise StartRefused(str(failure)) from None
    except OSError as error:
        raise StartRefused(f"The demo can't use its temporary directory: {error}.") from None


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < HIGHEST_PORT else 0
        hint = f"make demo PORT={other}, or stanch demo --port {other}"
        return f"Port {port} is taken by another program. Take another one: {hint}."
    return f"The demo can't listen on {host}, port {port}: {error.strerror}."


@asynccontextmanager
async def open_demo(host: str, port: int) -> AsyncIterator[Demo]:
    """Run the demo while the block runs. The page is served at once; `opening` ends when the bot serves too.

    Raises `StartRefused` if it can't listen there.
    """
    with tempfile.TemporaryDirectory(prefix="stanch-demo-") as directory:
        demo = Demo(Path(directory))
        await demo.begin()
        try:
            async with AsyncExitStack() as stack:
                try:
                    demo.address = await stack.enter_async_context(serve_page(demo, host, port))
                except OSError as error:
                    raise StartRefused(_cannot_listen(host, port, error)) from None
                yield demo
        finally:
            await demo.end()


async def _open(stage: Stage, bot: BotProcess, directory: Path) -> None:
    """An operator's first steps: create the database, link people, subscribe channels, serve."""
    people = directory / "people.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("slack_user", "github_login", "team"))
        table.writerows((p.slack_id, p.login, stage.slack.team_id) for p in PEOPLE if p.linked)
    await bot.run("migrate")
    subscribed = [(each.slack_id, each.filter) for each in CHANNELS if each.filter is not None]
    await asyncio.gather(
        bot.run("identities", "import", str(people)),
        bot.run("identities", "sync"),
        *(bot.run("subscriptions", "add", channel, text) for channel, text in subscribed),
    )
    _age_directory(directory / DATABASE)
    await bot.start()
    await stage.leak_first_secrets()


def _age_directory(database: Path) -> None:
    """Have the directory know its people for eight days: after seven a sign-in needs no code."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE directory_pair SET first_seen_at = first_seen_at - ?", (EIGHT_DAYS,))


def _command(stage: Stage, directory: Path, port: int) -> ProcessCommand:
    """How to run the bot: this program, without the caller's environment."""
    environment = {
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "SLACK_BOT_TOKEN": stage.slack.bot_token,
        "SLACK_SIGNING_SECRET": stage.slack.signing_secret,
        "SLACK_API_URL": stage.slack.api_url,
        "GITHUB_APP_ID": str(stage.github.app_id),
        "GITHUB_APP_PRIVATE_KEY": stage.github.private_key,
        "GITHUB_WEBHOOK_SECRET": stage.github.webhook_secret,
        "GITHUB_URL": stage.github.url,
        "GITHUB_API_URL": stage.github.api_url,
        "GITHUB_APP_CLIENT_ID": stage.github.client_id,
        "GITHUB_APP_CLIENT_SECRET": stage.github.client_secret,
        "STANCH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "STANCH_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "STANCH_OPERATORS": OLIVIA.slack_id,
        "DATABASE_URL": f"sqlite+aiosqlite:///{directory / DATABASE}",
        "STANCH_DEFAULT_CHANNEL": DEFAULT_CHANNEL,
        "STANCH_AUDIT_KEY": secrets.token_hex(16),
        "STANCH_LOG_FORMAT": "text",
        "PORT": str(port),
    }
    return ProcessCommand((sys.executable, "-m", "bot"), environment, directory)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
