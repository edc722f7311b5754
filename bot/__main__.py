"""The command line: `stanch serve`, and what operators do beside it."""

import asyncio
import csv
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Annotated, Literal

import structlog
import typer

from bot import app
from bot.cli import audit as audit_log
from bot.cli import jobs as work_table
from bot.cli import subscriptions as channels
from bot.cli.console import Output, OutputLost, flush, give_up_output, remark, run, say
from bot.cli.identities import identities
from bot.cli.sync import run_sync as sync_all
from bot.database import open_database
from bot.errors import StartRefused
from bot.logs import set_up_logging
from bot.options import Options
from bot.settings import Settings, StorageSettings, load_all, load_settings, questions
from bot.version import VERSION
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
cli = typer.Typer(name="stanch", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
subscriptions = typer.Typer(no_args_is_help=True, help="Which channel gets which alerts.")
jobs = typer.Typer(no_args_is_help=True, help="Durable work, and what was given up.")
audit = typer.Typer(no_args_is_help=True, help="Who did, tried or was refused what.")
for name, group in (
    ("identities", identities),
    ("subscriptions", subscriptions),
    ("jobs", jobs),
    ("audit", audit),
):
    cli.add_typer(group, name=name)

LARGEST_ID = 2**63 - 1


@cli.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Stanch brings GitHub secret scanning alerts into Slack."""
    if version:
        say(f"stanch {VERSION}")
        raise typer.Exit


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST otherwise.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; PORT otherwise.")
    ] = None,
    role: Annotated[
        app.Role, typer.Option(help="Everything, the requests alone, or the jobs alone.")
    ] = app.Role.ALL,
) -> None:
    """Serve Slack and GitHub until stopped."""
    user_input = (("host", host), ("port", port))
    settings, options = load_all(Settings)
    settings = settings.model_copy(update={name: value for name, value in user_input if value is not None})
    set_up_logging(settings.stanch_log_level, settings.stanch_log_format)
    for setting, advice in questions(settings):
        log.warning("questionable_setting", setting=setting, advice=advice)
    run(_serve(settings, options, role))


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

    serving, told = asyncio.create_task(serve_until_stopped()), asyncio.create_task(stopped.wait())
    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not started.is_set() and stopped.is_set():
        # A start waits up to ten seconds for each server that does not answer; nothing has to come to its end yet.
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


@cli.command()
def demo(
    host: Annotated[str, typer.Option(help="Address of the page.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page; 0 for any.")] = 8080,
) -> None:
    """Try Stanch against stand-ins of Slack and GitHub on one page."""
    try:
        from bot.demo import run_demo  # The stand-ins and their packages are no part of serving.
    except ModuleNotFoundError as missing:
        advice = f"The demo needs {missing.name}; make demo installs it, and so does pip install '.[demo]'."
        raise StartRefused(advice) from None
    run(run_demo(host, port))


@cli.command()
def migrate() -> None:
    """Bring the database to this version's shape."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            say(f"The database at {db.name} is up to date.")

    run(work(load_settings(StorageSettings)))


@cli.command()
def sync(
    org: Annotated[str | None, typer.Option(help="This organization alone.")] = None,
    repo: Annotated[str | None, typer.Option(metavar="OWNER/REPO", help="This repository alone.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and store nothing.")] = False,
) -> None:
    """Compare GitHub's alerts with the store now."""
    settings, options = load_all(Settings)

    async def work() -> None:
        for found in await sync_all(settings, options, org=org, repository=repo, dry_run=dry_run):
            say(f"{found.account}: {found.seen} seen, {found.new} new, {found.changed} changed.")

    run(work())


@subscriptions.command("list")
def list_subscriptions() -> None:
    """Every channel with its filter."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            found = await channels.list_subscriptions(db)
        for subscription in found:
            say(f"{subscription.channel}\t{subscription.filter or 'every alert'}")
        if not found:
            remark("No channel is subscribed: all alerts go to STANCH_DEFAULT_CHANNEL.")

    run(work(load_settings(StorageSettings)))


# A term like -repo:octo/web looks like an option.
@subscriptions.command("add", context_settings={"ignore_unknown_options": True})
def add_subscription(
    channel: str, words: Annotated[list[str] | None, typer.Argument(metavar="[FILTER…]")] = None
) -> None:
    """Let a channel have the alerts of a filter: `org:octo -repo:octo/web`; all without one."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            added, former = await channels.add_subscription(db, channel, words or [])
        before = f" instead of {former.filter or 'every alert'}" if former else ""
        say(f"{added.channel} gets {added.filter or 'every alert'}{before}.")

    run(work(load_settings(StorageSettings)))


@subscriptions.command("remove")
def remove_subscription(channel: str) -> None:
    """Give a channel no more alerts."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            await channels.remove_subscription(db, channel)
            say(f"{channel} gets no more alerts.")

    run(work(load_settings(StorageSettings)))


@jobs.command("list")
def list_jobs() -> None:
    """What is parked, runs or waits: id, state, kind, tries, reason."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            found = await work_table.list_jobs(db)
        for job in found:
            say(f"{job.id}\t{job.state}\t{job.kind}\t{job.attempts}\t{job.error or ''}")
        if not found:
            remark("No job waits, runs or is parked.")

    run(work(load_settings(StorageSettings)))


@jobs.command("retry")
def retry_jobs(
    job_id: Annotated[int | None, typer.Argument(metavar="ID", min=1, max=LARGEST_ID)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every parked job.")] = False,
) -> None:
    """Let a parked job run again, or all of them."""
    if every == (job_id is not None):
        raise typer.BadParameter("give one job's ID or --all")

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            if job_id is None:
                say(f"{await work_table.retry_all_jobs(db)} jobs run again.")
            else:
                await work_table.retry_job(db, job_id)
                say(f"Job {job_id} runs again.")

    run(work(load_settings(StorageSettings)))


@audit.command("export")
def export_audit(
    style: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines or CSV.")] = "jsonl",
    since: Annotated[str | None, typer.Option(metavar="ISO", help="From this time on.")] = None,
) -> None:
    """Print the audit log."""

    async def work(settings: StorageSettings) -> None:
        table, printed = csv.DictWriter(Output(), audit_log.AUDIT_COLUMNS), 0
        async with open_database(settings) as db, aclosing(audit_log.export_audit(db, since)) as rows:
            if style == "csv":
                table.writeheader()
            async for row in rows:
                printed += 1
                if style == "csv":
                    table.writerow(row)
                else:
                    say(json.dumps(row))
        if not printed:
            remark("The audit log has no row since then." if since else "The audit log has no row yet.")

    run(work(load_settings(StorageSettings)))


@audit.command("verify")
def verify_audit(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="A head noted earlier.")] = None,
) -> None:
    """Check that no row was altered, removed or added."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            say(await audit_log.verify_audit(db, head))

    run(work(load_settings(StorageSettings)))


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line, by default this process's own; always ends in SystemExit.

    Its status is 0 for done, 1 with a sentence for each fault on standard error, 2 for wrong usage.
    """
    # Before anything else: structlog left to itself prints the values of a traceback's frames.
    set_up_logging("warning", "text")
    try:
        try:
            cli(args=words)
        finally:
            flush()
    except (StartRefused, StorageUnavailable, OutputLost) as error:
        remark(str(error))
        give_up_output()
        sys.exit(1)


if __name__ == "__main__":
    main()
