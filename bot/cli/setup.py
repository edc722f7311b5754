"""`stanch setup`: sets Stanch up, from the GitHub App to the first card, on a local page or in the terminal."""

import asyncio
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.app import open_session
from bot.browser import browser_with_windows
from bot.cli.console import flush, say
from bot.cli.setup_terminal import ask_steps, read_line
from bot.errors import StartRefused
from bot.flows.setup.files import SetupFiles
from bot.flows.setup.progress import SetupProgress
from bot.flows.setup.step import Known, SetupContext
from bot.flows.setup.steps import STEPS
from bot.inbound.setup_routes import SetupEnd, SetupRoutes, serving
from bot.rules.setup_code import ALPHABET, LENGTH, shown_code
from bot.setting_values import http_base, strip
from bot.settings import UNREADABLE_FILE, variables
from bot.views.setup_pages import done_end
from bot.views.setup_text import NO_MORE_INPUT, OTHER_WAY, STOPPED, invitation
from storage.clock import Clock

HOST = "127.0.0.1"


def setup(
    no_browser: Annotated[
        bool,
        typer.Option(
            "--no-browser", help="Open no browser; everything can also be answered in the terminal."
        ),
    ] = False,
) -> None:
    """Set Stanch up in this folder: GitHub App, Slack app, first channel and person. Finished steps are kept."""
    files = SetupFiles(Path.cwd())
    with files.alone():
        try:
            asyncio.run(_set_up(files, in_browser=not no_browser))
        except KeyboardInterrupt:
            raise StartRefused(STOPPED) from None
        except EOFError:
            raise StartRefused(NO_MORE_INPUT) from None


async def _set_up(files: SetupFiles, *, in_browser: bool) -> None:
    known = _known()
    with socket.create_server((HOST, 0)) as listener:
        page = f"http://{HOST}:{listener.getsockname()[1]}"
        async with open_session() as session:
            context = SetupContext(Path.cwd(), session, Clock(), page, _command())
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            progress = SetupProgress(context, files, STEPS, known)
            routes = SetupRoutes(progress, context, code)
            on_page = await _serve(listener, routes, page, code, in_browser=in_browser)
            end = on_page or await _ask_in_terminal(context, files, progress.known)
    if not end.done:
        raise StartRefused(end.sentence)
    say(end.sentence)


async def _ask_in_terminal(context: SetupContext, files: SetupFiles, known: Known) -> SetupEnd:
    """Do the steps that are left in the terminal."""
    # From here on the terminal waits for a line, and Ctrl-C is to end that at once.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    await ask_steps(SetupProgress(replace(context, page=None), files, STEPS, known), read_line)
    return SetupEnd(True, done_end(context.command))


def _command() -> str:
    """How this command was typed, as `.venv/bin/stanch`, to name the next one in the same way."""
    typed = sys.argv[0]
    return shlex.quote(typed) if Path(typed).name == "stanch" else "stanch"


async def _serve(
    listener: socket.socket, routes: SetupRoutes, page: str, code: str, *, in_browser: bool
) -> SetupEnd | None:
    """Serve the page until the run ends; None if the person wants to go on in the terminal."""
    async with serving(routes, listener):
        browser = browser_with_windows() if in_browser else None
        say(invitation(page, shown_code(code)))
        if browser is not None:
            flush()
            await asyncio.to_thread(browser.open, page)
            return await routes.wait()
        say(OTHER_WAY)
        flush()
        with _line_typed() as typed:
            ending = asyncio.ensure_future(routes.wait())
            waited: list[asyncio.Future[Any]] = [ending, typed]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ending.result()
            ending.cancel()
            return None


@contextmanager
def _line_typed() -> Iterator["asyncio.Future[None]"]:
    """Done when a line is typed; never where there is no input."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[None] = loop.create_future()

    def read() -> None:
        line = sys.stdin.readline()
        loop.remove_reader(sys.stdin)
        if line:
            typed.set_result(None)

    try:
        # Not possible for a file, nor without standard input.
        with suppress(OSError, ValueError, AttributeError):
            loop.add_reader(sys.stdin, read)
        yield typed
    finally:
        with suppress(OSError, ValueError, AttributeError):
            loop.remove_reader(sys.stdin)


def _known() -> Known:
    """What the environment and `.env` hold already. Raises StartRefused."""
    try:
        values = {name: strip(value) for name, value in variables().items()}
    except (OSError, UnicodeDecodeError):
        raise StartRefused(UNREADABLE_FILE) from None
    known = Known({name: value for name, value in values.items() if value})
    for name in ("GITHUB_URL", "GITHUB_API_URL", "SLACK_API_URL"):
        try:
            http_base(known.get(name) or "https://github.com")
        except ValueError as fault:
            raise StartRefused(f"{name} {fault}: correct it in .env or in the environment.") from None
    return known
