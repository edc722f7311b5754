"""`stanch identities`: lists, links and unlinks Slack users and GitHub accounts."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import change, read, remark, say
from bot.cli.directory import sync_identities
from bot.cli.github_accounts import Accounts, GitHubUnavailable, open_accounts
from bot.cli.identity_file import Row, read_rows
from bot.cli.identity_links import Link, check_free, make_links, remove_link
from bot.cli.workspace import find_workspace
from bot.database import SLACK_TEAM, open_database
from bot.errors import StartRefused
from bot.flows.people.rotate_keys import Rotation, rotate_keys
from bot.settings import IdentitySettings, KeySettings, load_settings
from storage import identities, saved_values
from storage.audit import iso
from storage.db import Database, Tx
from storage.encryption import Keyring
from storage.records import Account, Identity, SignIn, SlackTeamId, SlackUserId

group = typer.Typer(no_args_is_help=True, help="Which Slack user is linked to which GitHub account.")
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
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
            account = await _check(accounts, slack_user, github_login)
            workspace = await find_workspace(db, settings, team)
            one = (workspace, SlackUserId(slack_user), account)
            async with db.begin() as tx:
                await check_free(tx, one)
                added = await make_links(tx, [one])
        _print(added)

    asyncio.run(work(load_settings(IdentitySettings)))


@group.command("remove")
def unlink(slack_user: str, team: Team = None) -> None:
    """Unlink a Slack user. Where sources disagree, only what was said last by an operator, or else by a sign-in."""

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
            linked = await _import_identities(db, accounts, file, rows, default, dry_run=dry_run)
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


class _DryRun(Exception):
    """Rolls the transaction back."""


async def _check(accounts: Accounts, user: str, login: str) -> Account:
    """The GitHub account to link a Slack user to; raises StartRefused."""
    if not SLACK_USER.fullmatch(user):
        raise StartRefused(f"{user[:40]!r} is not a Slack user id, which looks like U012AB3CD; names change.")
    return await accounts.find(login)


async def _import_identities(
    db: Database, accounts: Accounts, path: Path, rows: Sequence[Row], team: str | None, *, dry_run: bool
) -> list[Identity]:
    """Link all rows of a file, or none; `team` is the workspace of rows that name none.

    Raises StartRefused with a line for each fault. With `dry_run` everything is checked and nothing is stored.
    """
    found, faults = await _check_rows(accounts, rows, team)
    linked: list[Identity] = []
    with suppress(_DryRun):
        async with db.begin() as tx:
            for line, link in found:
                try:
                    await check_free(tx, link)
                except StartRefused as refused:
                    faults[line] = str(refused)
            if faults:
                messages = [f"{path}, line {line}: {faults[line]}" for line in sorted(faults)]
                raise StartRefused("\n".join(messages) + " Nobody was linked.")
            linked = await make_links(tx, [link for _, link in found])
            if dry_run:
                raise _DryRun
    return linked


async def _check_rows(
    accounts: Accounts, rows: Sequence[Row], team: str | None
) -> tuple[list[tuple[int, Link]], dict[int, str]]:
    """The links to make, each once with its line, and the faults of other rows by line."""
    seen: dict[tuple[str, str | int], tuple[int, Link]] = {}
    found: list[tuple[int, Link]] = []
    faults: dict[int, str] = {}
    for row in rows:
        try:
            account = await _check(accounts, row.user, row.login)
        except GitHubUnavailable:
            raise
        except StartRefused as refused:
            faults[row.line] = str(refused)
            continue
        link: Link = (SlackTeamId(row.team or team or ""), SlackUserId(row.user), account)
        keys: tuple[str | int, str | int] = (row.user, account.id)
        earlier = [seen[link[0], key] for key in keys if (link[0], key) in seen]
        other = next((line for line, before in earlier if before != link), None)
        if other is not None:
            faults[row.line] = f"{row.user} and {row.login} contradict line {other}."
        elif not earlier:
            found.append((row.line, link))
            seen.update({(link[0], key): (row.line, link) for key in keys})
    return found, faults


async def _team(tx: Tx, user_input: str | None) -> SlackTeamId:
    known = user_input or await saved_values.load(tx, SLACK_TEAM)
    if not isinstance(known, str):
        raise StartRefused(
            "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
        )
    return SlackTeamId(known)
