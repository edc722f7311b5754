"""The command `stanch`: its subcommands and its exit status."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import audit, identities, jobs, subscriptions
from bot.cli.backup import backup
from bot.cli.console import OutputLost, flush, give_up_output, remark, say
from bot.cli.demo import demo
from bot.cli.doctor import doctor
from bot.cli.migrate import migrate
from bot.cli.serve import serve
from bot.cli.setup import setup
from bot.cli.sync import sync
from bot.errors import StartRefused
from bot.logs import set_up_logging
from bot.version import VERSION
from storage.db import StorageUnavailable

COMMANDS = (serve, setup, doctor, demo, migrate, backup, sync)
GROUPS = (
    ("identities", identities.group),
    ("subscriptions", subscriptions.group),
    ("jobs", jobs.group),
    ("audit", audit.group),
)


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Stanch brings GitHub secret scanning alerts into Slack."""
    if version:
        say(f"stanch {VERSION}")
        raise typer.Exit


def build() -> typer.Typer:
    """The command line with all its commands."""
    cli = typer.Typer(name="stanch", no_args_is_help=True, pretty_exceptions_enable=False)
    cli.callback(invoke_without_command=True)(root)
    for command in COMMANDS:
        cli.command()(command)
    for name, group in GROUPS:
        cli.add_typer(group, name=name)
    return cli


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line with these words, by default the process's arguments; always raises SystemExit.

    Exit status: 0 done, 1 failed with a sentence for each fault on standard error, 2 wrong usage.
    """
    # First of all: structlog's default configuration prints local variables in tracebacks.
    set_up_logging("warning", "text")
    try:
        Path.cwd()
    except FileNotFoundError:
        remark("The folder in which this was started does not exist any more: change to another one.")
        sys.exit(1)
    try:
        try:
            build()(args=words)
        finally:
            flush()
    except (StartRefused, StorageUnavailable, OutputLost) as error:
        remark(str(error))
        give_up_output()
        sys.exit(1)
