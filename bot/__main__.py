"""The command line: `stanch serve`, and what operators do beside it."""

import asyncio
import csv
import json
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
import typer

from bot import app
from bot.database import open_database
from bot.errors import StartRefused
from bot.logs import set_up_logging
from bot.operators import audit as audit_log
from bot.operators import identities as people
from bot.operators import jobs as work_table
from bot.operators import subscriptions as channels
from bot.operators.accounts import open_accounts
from bot.operators.sync import sync as sync_all
from bot.options import Options
from bot.settings import GitHubSettings, Settings, StorageSettings, load_all, load_settings, questions
from bot.version import VERSION
from storage.db import StorageUnavailable
from storage.records import Identity

log = structlog.get_logger(__name__)
cli = typer.Typer(name="stanch", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
identities = typer.Typer(no_args_is_help=True, help="Which Slack user is which GitHub account.")
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
Team = Annotated[str | None, typer.Option(help="Slack workspace id; by default the one that serve saw.")]


@cli.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Stanch brings GitHub secret scanning alerts into Slack."""
    if version:
        typer.echo(f"stanch {VERSION}")
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
    settings, options = load_all(Settings)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    set_up_logging(settings.stanch_log_level, settings.stanch_log_format)
    for setting, advice in questions(settings):
        log.warning("questionable_setting", setting=setting, advice=advice)
    _run(_serve(settings, options, role))


async def _serve(settings: Settings, options: Options, role: app.Role) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with app.run(settings, options, role=role):
        await stopped.wait()


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
    _run(run_demo(host, port))


@cli.command()
def migrate() -> None:
    """Bring the database to this version's shape."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            typer.echo(f"The database at {db.name} is up to date.")

    _run(work(load_settings(StorageSettings)))


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
            typer.echo(f"{found.account}: {found.seen} seen, {found.new} new, {found.changed} changed.")

    _run(work())


@identities.command("list")
def list_identities() -> None:
    """Every identity: workspace, Slack user, GitHub login and id, how it is known."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            for identity in await people.list_identities(db):
                typer.echo(_identity(identity))

    _run(work(load_settings(StorageSettings)))


@identities.command("add")
def add_identity(slack_user: str, github_login: str, team: Team = None) -> None:
    """Link a Slack user id to a GitHub login; GitHub is asked for the account's numeric id."""

    async def work(settings: GitHubSettings) -> None:
        async with open_database(settings) as db, open_accounts(settings) as accounts:
            typer.echo(_identity(await people.add_identity(db, accounts, slack_user, github_login, team)))

    _run(work(load_settings(GitHubSettings)))


@identities.command("remove")
def remove_identity(slack_user: str, team: Team = None) -> None:
    """Forget who a Slack user is on GitHub."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            typer.echo(f"Removed {_identity(await people.remove_identity(db, slack_user, team))}")

    _run(work(load_settings(StorageSettings)))


@identities.command("import")
def import_identities(file: Path) -> None:
    """Link every row of a CSV file with the columns slack_user, github_login and optionally team."""

    async def work(settings: GitHubSettings) -> None:
        async with open_database(settings) as db, open_accounts(settings) as accounts:
            for identity in await people.import_identities(db, accounts, file):
                typer.echo(_identity(identity))

    _run(work(load_settings(GitHubSettings)))


@subscriptions.command("list")
def list_subscriptions() -> None:
    """Every channel with its filter."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            for subscription in await channels.list_subscriptions(db):
                typer.echo(f"{subscription.channel}\t{subscription.filter or 'every alert'}")

    _run(work(load_settings(StorageSettings)))


@subscriptions.command("add")
def add_subscription(
    channel: str, filter_text: Annotated[str, typer.Argument(metavar="[FILTER]")] = ""
) -> None:
    """Let a channel have the alerts of a filter: `repo:octo/payments org:octo`; all without one."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            added = await channels.add_subscription(db, channel, filter_text)
            typer.echo(f"{added.channel} gets {added.filter or 'every alert'}.")

    _run(work(load_settings(StorageSettings)))


@subscriptions.command("remove")
def remove_subscription(channel: str) -> None:
    """Give a channel no more alerts."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            await channels.remove_subscription(db, channel)
            typer.echo(f"{channel} gets no more alerts.")

    _run(work(load_settings(StorageSettings)))


@jobs.command("list")
def list_jobs() -> None:
    """What is parked, runs or waits: id, state, kind, tries, reason."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            for job in await work_table.list_jobs(db):
                typer.echo(f"{job.id}\t{job.state}\t{job.kind}\t{job.attempts}\t{job.error or ''}")

    _run(work(load_settings(StorageSettings)))


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
                typer.echo(f"{await work_table.retry_all_jobs(db)} jobs run again.")
            else:
                await work_table.retry_job(db, job_id)
                typer.echo(f"Job {job_id} runs again.")

    _run(work(load_settings(StorageSettings)))


@audit.command("export")
def export_audit(
    style: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines or CSV.")] = "jsonl",
    since: Annotated[str | None, typer.Option(metavar="ISO", help="From this time on.")] = None,
) -> None:
    """Print the audit log."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            table = csv.DictWriter(sys.stdout, audit_log.AUDIT_COLUMNS)
            if style == "csv":
                table.writeheader()
            async for row in audit_log.export_audit(db, since):
                if style == "csv":
                    table.writerow(row)
                else:
                    typer.echo(json.dumps(row))

    _run(work(load_settings(StorageSettings)))


@audit.command("verify")
def verify_audit(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="A head noted earlier.")] = None,
) -> None:
    """Check that no row was altered, removed or added."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            typer.echo(await audit_log.verify_audit(db, head))

    _run(work(load_settings(StorageSettings)))


def _identity(identity: Identity) -> str:
    account = identity.github
    return f"{identity.slack_team}\t{identity.slack_user}\t{account.login}\t{account.id}\t{identity.proof}"


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line, by default this process's own; always ends in SystemExit.

    Its status is 0 for done, 1 with a sentence for each fault on standard error, 2 for wrong usage.
    """
    # Before anything else: structlog left to itself prints the values of a traceback's frames.
    set_up_logging("warning", "text")
    try:
        cli(args=words)
    except (StartRefused, StorageUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
