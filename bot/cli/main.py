"""The command `stanch`: its subcommands and its exit status."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from bot.cli.console import OutputLost, flush, give_up_output, remark, say
from bot.errors import StartRefused
from bot.logs import set_up_logging
from bot.version import VERSION
from storage.db import StorageUnavailable

COMMANDS = ("serve", "setup", "doctor", "demo", "migrate", "backup", "sync")
"""Each is the function of that name in the module of that name."""
GROUPS = ("identities", "subscriptions", "jobs", "audit")
"""Each is the `group` of the module of that name."""


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Stanch brings GitHub secret scanning alerts into Slack."""
    if version:
        say(f"stanch {VERSION}")
        raise typer.Exit


def import_commands(words: Sequence[str]) -> Mapping[str, ModuleType]:
    """The module of the command that is the first word; the modules of all commands if that is none, as `--help`.

    So a server does not hold the code of the other commands in its memory.
    """
    names = (*COMMANDS, *GROUPS)
    needed = words[:1] if words and words[0] in names else names
    return {name: import_module(f"bot.cli.{name}") for name in needed}


def build(words: Sequence[str] = ()) -> typer.Typer:
    """The command line with the commands that these words need, by default all."""
    cli = typer.Typer(name="stanch", no_args_is_help=True, pretty_exceptions_enable=False)
    cli.callback(invoke_without_command=True)(root)
    for name, module in import_commands(words).items():
        if name in GROUPS:
            cli.add_typer(module.group, name=name)
        else:
            cli.command()(getattr(module, name))
    return cli


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line with these words, by default the process's arguments; always raises SystemExit.

    Exit status: 0 done, 1 failed with a sentence for each fault on standard error, 2 wrong usage.
    """
    words = sys.argv[1:] if words is None else words
    # First of all: structlog's default configuration prints local variables in tracebacks.
    set_up_logging("warning", "text")
    try:
        Path.cwd()
    except FileNotFoundError:
        remark("The folder in which this was started does not exist any more: change to another one.")
        sys.exit(1)
    try:
        try:
            build(words)(args=words, prog_name="stanch")
        finally:
            flush()
    except (StartRefused, StorageUnavailable, OutputLost) as error:
        remark(str(error))
        give_up_output()
        sys.exit(1)
