"""`stanch demo`: runs the product against stand-ins for Slack and GitHub, with both on one web page."""

import asyncio
import csv
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

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
from integrations.sandbox.demo.world import DEFAULT_CHANNEL


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo: stand-ins, bot process, page address, and the task that sets it up."""

    stage: Stage
    bot: BotProcess
    address: str
    opening: asyncio.Task[None]


async def run_demo(host: str, port: int) -> None:
    """Serve the demo page on this address until SIGINT or SIGTERM; port 0 takes a free one.

    Raises `StartRefused` if the port is taken or the bot doesn't start.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with open_demo(host, port) as demo:
            typer.echo(f"Stanch's demo is at {demo.address}  (Ctrl-C ends it)")
            waiting = asyncio.create_task(stopped.wait())
            await asyncio.wait({demo.opening, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if demo.opening.done():
                demo.opening.result()
            await waiting
    except CommandFailed as failure:
        raise StartRefused(str(failure)) from None
    except OSError as error:
        raise StartRefused(f"The demo can't listen on {host}:{port}: {error.strerror}.") from None


@asynccontextmanager
async def open_demo(host: str, port: int) -> AsyncIterator[Demo]:
    """Run the demo while the block runs. The page is served at once; `opening` ends when the bot serves too.

    The bot is a process of its own that runs `serve` and knows the stand-ins only from its settings. Its
    database is in a temporary directory.
    """
    with tempfile.TemporaryDirectory(prefix="stanch-demo-") as directory:
        async with Stage() as stage:
            bot_port = _free_port()
            bot = BotProcess(_command(stage, Path(directory), bot_port), bot_port)
            stage.point_at(bot.address)
            async with serve_page(stage, bot, host, port) as address:
                opening = asyncio.create_task(_open(stage, bot, Path(directory)))
                try:
                    yield Demo(stage, bot, address, opening)
                finally:
                    opening.cancel()
                    await asyncio.gather(opening, return_exceptions=True)
                    await bot.stop()


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
        *(bot.run("subscriptions", "add", channel, text) for channel, text in subscribed),
    )
    await bot.start()
    await stage.leak_first_secrets()


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
        "DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'stanch.db'}",
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
