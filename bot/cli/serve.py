"""`stanch serve`: serves Slack and GitHub until SIGINT or SIGTERM."""

import asyncio
import signal
from contextlib import suppress
from typing import Annotated

import structlog
import typer

from bot import app
from bot.logs import set_up_logging
from bot.options import Options
from bot.setting_warnings import questionable_settings
from bot.settings import Settings, load_all

log = structlog.get_logger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; default: PORT.")
    ] = None,
    role: Annotated[app.Role, typer.Option(help="Everything, only requests, or only jobs.")] = app.Role.ALL,
) -> None:
    """Serve Slack and GitHub until stopped."""
    settings, options = load_all(Settings)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    set_up_logging(settings.stanch_log_level, settings.stanch_log_format)
    for setting, advice in questionable_settings(settings):
        log.warning("questionable_setting", setting=setting, advice=advice)
    asyncio.run(_serve(settings, options, role))


async def _serve(settings: Settings, options: Options, role: app.Role) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    started = asyncio.Event()

    async def serve_until_stopped() -> None:
        async with app.run(settings, options, role=role, alone=True):
            started.set()
            await stopped.wait()

    serving = asyncio.create_task(serve_until_stopped())
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not started.is_set() and stopped.is_set():
        # The start waits up to ten seconds for each server that does not answer; no job runs yet.
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
