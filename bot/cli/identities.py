"""`stanch identities`: lists, links and unlinks Slack users and GitHub accounts."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from bot.cli.console import change, read, remark, say
from bot.cli.github_accounts import Accounts, GitHubUnavailable, open_accounts
from bot.cli.identity_file import Row, read_rows
from bot.cli.workspace import find_workspace
from bot.database import SLACK_TEAM, open_database
from bot.errors import StartRefused
from bot.flows.audit import build_entry
from bot.job_rows import new_job
from bot.people_job_kinds import SendIdentityNotice
from bot.settings import IdentitySettings, load_settings
from storage import audit, identities, jobs, saved_values
from storage.db import Database, Tx
from storage.identities import IdentityTaken
from storage.records import Account, AuditOutcome, Identity, Person, SlackTeamId, SlackUserId

group = typer.Typer(no_args_is_help=True, help="Which Slack user is linked to which GitHub account.")
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
Link: TypeAlias = tuple[SlackTeamId, SlackUserId, Account]
Team = Annotated[str | None, typer.Option(help="Slack workspace id; by default the bot token's.")]


@group.command("list")
def print_identities() -> None:
    """List every identity: workspace, Slack user, GitHub login and id, and how it was linked."""
    found = read(identities.all_identities)
    for identity in found:
        say(_line(identity))
    if not found:
        remark("Nobody is linked yet: stanch identities add SLACK_USER GITHUB_LOGIN links somebody.")


@group.command("add")
def link(slack_user: str, github_login: str, team: Team = None) -> None:
    """Link a Slack user to a GitHub account, whose numeric id is looked up and kept."""

    async def work(settings: IdentitySettings) -> None:
        async with open_database(settings) as db, open_accounts(settings, db) as accounts:
            account = await _check(accounts, slack_user, github_login)
            workspace = await find_workspace(db, settings, team)
            async with db.begin() as tx:
                added = await _link(tx, (workspace, SlackUserId(slack_user), account))
        say(_line(added))

    asyncio.run(work(load_settings(IdentitySettings)))


@group.command("remove")
def unlink(slack_user: str, team: Team = None) -> None:
    """Unlink a Slack user."""
    removed = change(lambda tx: _unlink(tx, slack_user, team))
    say(f"Removed {_line(removed)}")


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
        for identity in linked:
            say(_line(identity))
        if dry_run:
            remark("Nobody was linked: this was a dry run.")

    asyncio.run(work(load_settings(IdentitySettings)))


def _line(identity: Identity) -> str:
    account = identity.github
    return f"{identity.slack_team}\t{identity.slack_user}\t{account.login}\t{account.id}\t{identity.proof}"


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
                    linked.append(await _link(tx, link))
                except StartRefused as refused:
                    faults[line] = str(refused)
            if faults:
                messages = [f"{path}, line {line}: {faults[line]}" for line in sorted(faults)]
                raise StartRefused("\n".join(messages) + " Nobody was linked.")
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


async def _link(tx: Tx, link: Link) -> Identity:
    """Store and audit an identity; raises StartRefused if one side is linked to somebody else."""
    identity = Identity(*link, "mapping", tx.now, "cli")
    try:
        await identities.link(tx, identity)
    except IdentityTaken as taken:
        raise StartRefused(
            f"{taken} ({taken.holder.slack_user} is {taken.holder.github.login}); "
            "remove that identity first: stanch identities remove SLACK_USER."
        ) from None
    await _record(tx, identity, "link_identity", "linked")
    return identity


async def _unlink(tx: Tx, user: str, team: str | None) -> Identity:
    """Unlink a Slack user; raises StartRefused."""
    identity = await identities.unlink(tx, await _team(tx, team), SlackUserId(user))
    if identity is None:
        raise StartRefused(f"No identity is known for {user[:40]!r}; stanch identities list shows all.")
    await _record(tx, identity, "unlink_identity", "unlinked")
    return identity


async def _team(tx: Tx, user_input: str | None) -> SlackTeamId:
    known = user_input or await saved_values.load(tx, SLACK_TEAM)
    if not isinstance(known, str):
        raise StartRefused(
            "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
        )
    return SlackTeamId(known)


async def _record(tx: Tx, identity: Identity, action: str, notice: str) -> None:
    """Audit a change; the running server tells the person about it."""
    await jobs.enqueue(tx, new_job(SendIdentityNotice(identity.slack_user, identity.github.login, notice)))
    person = Person(identity.slack_team, identity.slack_user, identity.github)
    await audit.append(tx, build_entry(action, AuditOutcome.DONE, person, reason="by cli"))
