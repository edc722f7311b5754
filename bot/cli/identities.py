"""`stanch identities`: lists, links and unlinks Slack users and GitHub accounts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import change, read, remark, say
from bot.cli.directory import sync_identities
from bot.cli.github_accounts import open_accounts
from bot.cli.identity_file import read_rows
from bot.cli.identity_import import find_account, import_rows
from bot.cli.workspace import find_workspace
from bot.database import SLACK_TEAM, open_database
from bot.errors import StartRefused
from bot.flows.people.link_by_operator import check_free, make_links, remove_link
from bot.flows.people.rotate_keys import Rotation, rotate_keys
from bot.settings import IdentitySettings, KeySettings, load_settings
from storage import identities, saved_values
from storage.audit import iso
from storage.db import Tx
from storage.encryption import Keyring
from storage.records import Account, Identity, SignIn, SlackTeamId, SlackUserId

group = typer.Typer(no_args_is_help=True, help="Which Slack user is linked to which GitHub account.")
Team = Annotated[str | None, typer.Option(help="Slack workspace id; by default the bot token's.")]


@group.command("list")
def print_identities() -> None:
    """List all: workspace, Slack user, GitHub login and id, source, since when, and why it is suspended."""
    found = read(identities.all_identities)
    _print(found)
    if not found:
        remark("Nobody is linked yet: stanch identities add SLACK_USER GITHUB_LOGIN links somebody.")


@group.command("add")
def link(slack_user: str, github_login: str, team: Team = None) -> None:
    """Link a Slack user to a GitHub account, whose numeric id is looked up and kept."""

    async def work(settings: IdentitySettings) -> None:
        async with open_database(settings) as db, open_accounts(settings, db) as accounts:
            account = await find_account(accounts, slack_user, github_login)
            workspace = await find_workspace(db, settings, team)
            one = (workspace, SlackUserId(slack_user), account)
            async with db.begin() as tx:
                await check_free(tx, one)
                added = await make_links(tx, [one])
        _print(added)

    asyncio.run(work(load_settings(IdentitySettings)))


@group.command("remove")
def unlink(slack_user: str, team: Team = None) -> None:
    """Unlink a Slack user. Where sources disagree, only the operator's link ends, or without one the sign-in."""

    async def work(tx: Tx) -> tuple[Identity | Account, Identity | None]:
        return await remove_link(tx, await _team(tx, team), SlackUserId(slack_user))

    removed, left = change(work)
    if isinstance(removed, Identity):
        say(f"Removed {_line(removed)}")
    else:
        say(f"Removed the sign-in of {slack_user} to {removed.login}")
    if left is not None:
        remark("Another source still links this person:")
        _print([left])


@group.command("import")
def import_file(
    file: Path,
    team: Team = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and link nobody.")] = False,
) -> None:
    """Link all rows of a CSV file with the columns slack_user, github_login and optionally team, or none."""

    async def work(settings: IdentitySettings) -> None:
        rows = read_rows(file)
        async with open_database(settings) as db, open_accounts(settings, db) as accounts:
            default = team
            if not all(row.team for row in rows):
                default = await find_workspace(db, settings, team)
            linked = await import_rows(db, accounts, file, rows, default, dry_run=dry_run)
        _print(linked)
        if dry_run:
            remark("Nobody was linked: this was a dry run.")

    asyncio.run(work(load_settings(IdentitySettings)))


@group.command("sync")
def sync(
    even_if_many: Annotated[
        bool, typer.Option("--even-if-many", help="Also where more than half of the links would be lost.")
    ] = False,
) -> None:
    """Read the organization's directory now: who is matched, ambiguous, suspended, or none of these."""
    sync_identities(even_if_many=even_if_many)


@group.command("rotate")
def rotate() -> None:
    """Encrypt people's stored GitHub tokens again with the first of STANCH_ENCRYPTION_KEYS."""

    async def work(settings: KeySettings) -> Rotation:
        keys = settings.encryption_keys()
        if not keys:
            raise StartRefused("STANCH_ENCRYPTION_KEYS is not set: no tokens are stored without it.")
        async with open_database(settings) as db:
            return await rotate_keys(db, Keyring(keys))

    done = asyncio.run(work(load_settings(KeySettings)))
    say(f"{done.encrypted} encrypted again with the first key, {done.had_it} had it already.")
    faults = [f"{_name(one)} can't be decrypted: {reason}." for one, reason in done.undecryptable]
    faults += [
        f"A dropped token of {one.user} in {one.team} can't be decrypted, and so not deleted: {reason}."
        for one, reason in done.never_deleted
    ]
    faults += [f"{_name(one)} was being refreshed all the time: run this again." for one in done.busy]
    if faults:
        raise StartRefused("\n".join(faults))


def _name(sign_in: SignIn) -> str:
    return f"The token of {sign_in.slack_user} in {sign_in.slack_team} ({sign_in.github.login})"


def _print(found: Sequence[Identity]) -> None:
    """Print identities, and say of those that give no rights how that ends."""
    for identity in found:
        say(_line(identity))
    if any(identity.suspension for identity in found):
        remark(
            "A suspended link gives no rights until the person signs in again; where sources disagree, until an "
            "operator decides: stanch identities add or remove."
        )


def _line(identity: Identity) -> str:
    account = identity.github
    columns = [identity.slack_team, identity.slack_user, account.login, str(account.id), identity.proof]
    columns.append(iso(identity.linked_at))
    if identity.suspension is not None:
        columns.append(f"suspended: {identity.suspension}")
    return "\t".join(columns)


async def _team(tx: Tx, user_input: str | None) -> SlackTeamId:
    known = user_input or await saved_values.load(tx, SLACK_TEAM)
    if not isinstance(known, str):
        raise StartRefused(
            "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
        )
    return SlackTeamId(known)
