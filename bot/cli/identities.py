"""`stanch identities`: which Slack user is which GitHub account."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli import identity_commands as people
from bot.cli.console import remark, run, say
from bot.cli.github_accounts import open_accounts
from bot.cli.identity_file import read_rows
from bot.cli.workspace import find_workspace
from bot.database import open_database
from bot.settings import IdentitySettings, StorageSettings, load_settings
from storage.records import Identity

identities = typer.Typer(no_args_is_help=True, help="Which Slack user is which GitHub account.")
Team = Annotated[str | None, typer.Option(help="Slack workspace id; by default the bot token's.")]


@identities.command("list")
def list_identities() -> None:
    """Every identity: workspace, Slack user, GitHub login and id, how it is known."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            found = await people.list_identities(db)
        for identity in found:
            say(_line(identity))
        if not found:
            remark("Nobody is linked yet: stanch identities add SLACK_USER GITHUB_LOGIN links somebody.")

    run(work(load_settings(StorageSettings)))


@identities.command("add")
def add_identity(slack_user: str, github_login: str, team: Team = None) -> None:
    """Link a Slack user id to a GitHub login; GitHub is asked for the account's numeric id."""

    async def work(settings: IdentitySettings) -> None:
        async with open_database(settings) as db, open_accounts(settings, db) as accounts:
            account = await people.check(accounts, slack_user, github_login)
            workspace = await find_workspace(db, settings, team)
            say(_line(await people.add_identity(db, workspace, slack_user, account)))

    run(work(load_settings(IdentitySettings)))


@identities.command("remove")
def remove_identity(slack_user: str, team: Team = None) -> None:
    """Forget who a Slack user is on GitHub."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            say(f"Removed {_line(await people.remove_identity(db, slack_user, team))}")

    run(work(load_settings(StorageSettings)))


@identities.command("import")
def import_identities(
    file: Path,
    team: Team = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and link nobody.")] = False,
) -> None:
    """Link every row of a CSV file with the columns slack_user, github_login and optionally team; all or none."""

    async def work(settings: IdentitySettings) -> None:
        rows = read_rows(file)
        async with open_database(settings) as db, open_accounts(settings, db) as accounts:
            default = team
            if not all(row.team for row in rows):
                default = await find_workspace(db, settings, team)
            linked = await people.import_identities(db, accounts, file, rows, default, dry_run=dry_run)
        for identity in linked:
            say(_line(identity))
        if dry_run:
            remark("Nobody was linked: this was a dry run.")

    run(work(load_settings(IdentitySettings)))


def _line(identity: Identity) -> str:
    account = identity.github
    return f"{identity.slack_team}\t{identity.slack_user}\t{account.login}\t{account.id}\t{identity.proof}"
