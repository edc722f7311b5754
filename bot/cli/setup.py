"""`stanch setup`: sets Stanch up, from the GitHub App to the first card, on a local page or in the terminal."""

import asyncio
import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from bot.app import open_session
from bot.browser import browser_with_windows
from bot.cli.console import flush, say
from bot.errors import StartRefused
from bot.flows.setup.files import SetupFiles
from bot.flows.setup.progress import SetupProgress
from bot.flows.setup.step import Known, SetupContext
from bot.flows.setup.steps import STEPS
from bot.inbound.setup_routes import LARGEST, SetupEnd, SetupRoutes
from bot.rules.setup_code import ALPHABET, LENGTH, shown_code
from bot.setting_values import strip
from bot.settings import variables
from storage.clock import Clock

HOST = "127.0.0.1"


def setup(
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Ask everything in the terminal, without a page.")
    ] = False,
) -> None:
    """Set Stanch up in this folder: GitHub App, Slack app, first channel and person. Finished steps are kept."""
    files = SetupFiles(Path.cwd())
    with files.alone():
        asyncio.run(_on_page(files))


async def _on_page(files: SetupFiles) -> None:
    clock = Clock()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    with socket.create_server((HOST, 0)) as listener:
        page = f"http://{HOST}:{listener.getsockname()[1]}"
        async with open_session() as session:
            context = SetupContext(Path.cwd(), session, clock, page)
            routes = SetupRoutes(SetupProgress(context, files, STEPS, _known()), context, code)
            end = await _serve(listener, routes, page, code)
    if not end.done:
        raise StartRefused(end.sentence)
    say(end.sentence)


async def _serve(listener: socket.socket, routes: SetupRoutes, page: str, code: str) -> SetupEnd:
    application = web.Application(client_max_size=LARGEST)
    application.router.add_route("*", "/{path:.*}", routes.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        say(f"Open {page} in a browser on this machine, and enter the code {shown_code(code)}")
        flush()
        browser = browser_with_windows()
        if browser is not None:
            await asyncio.to_thread(browser.open, page)
        return await routes.wait()
    finally:
        await runner.cleanup()


def _known() -> Known:
    """What the environment and `.env` hold already. Raises StartRefused."""
    try:
        values = {name: strip(value) for name, value in variables().items()}
    except (OSError, UnicodeDecodeError):
        raise StartRefused(".env can't be read as a text file in UTF-8: correct or remove it.") from None
    return Known({name: value for name, value in values.items() if value})
