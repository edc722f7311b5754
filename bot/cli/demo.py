"""`stanch demo`: starts the demo, whose packages are an extra."""

import asyncio
from typing import Annotated

import typer

from bot.errors import StartRefused


def demo(
    host: Annotated[str, typer.Option(help="Address of the page.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 8080,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Don't open the page in a browser window.")
    ] = False,
) -> None:
    """Try Stanch against stand-ins for Slack and GitHub on one web page."""
    try:
        from bot.demo import run_demo  # Only the demo needs the stand-ins and their packages.
    except ModuleNotFoundError as missing:
        advice = f"The demo needs {missing.name}; make demo installs it, and so does pip install '.[demo]'."
        raise StartRefused(advice) from None
    asyncio.run(run_demo(host, port, in_browser=not no_browser))
