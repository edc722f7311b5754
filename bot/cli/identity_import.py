"""Links the people of a CSV file, for `stanch identities import`: checks all rows, then links a few at a time."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bot.cli.github_accounts import Accounts, GitHubUnavailable
from bot.cli.identity_file import Row
from bot.errors import StartRefused
from bot.flows.people.directory import AT_ONCE, TOLD_EVERY
from bot.flows.people.link_by_operator import Link, check_free, make_links
from storage.db import Database, StorageUnavailable
from storage.records import Account, Identity, SlackTeamId, SlackUserId

SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
Found = Sequence[tuple[int, Link]]
"""Links to make, each with the line of its row."""


class _DryRun(Exception):
    """Rolls the transaction back."""


async def find_account(accounts: Accounts, user: str, login: str) -> Account:
    """The GitHub account to link a Slack user to; raises StartRefused."""
    if not SLACK_USER.fullmatch(user):
        raise StartRefused(f"{user[:40]!r} is not a Slack user id, which looks like U012AB3CD; names change.")
    return await accounts.find(login)


async def import_rows(
    db: Database, accounts: Accounts, path: Path, rows: Sequence[Row], team: str | None, *, dry_run: bool
) -> list[Identity]:
    """Link the rows of a file, a few in each transaction: on SQLite a server's webhooks wait for one.

    `team` is the workspace of rows that name none. Raises StartRefused with a line for each fault of the file; then
    nobody is linked. If the database fails or the command is interrupted, it says before which row it stopped. With
    `dry_run` all is checked and nothing is stored.
    """
    found, faults = await _check_rows(accounts, rows, team)
    async with db.read() as tx:
        for line, link in found:
            try:
                await check_free(tx, link)
            except StartRefused as refused:
                faults[line] = str(refused)
    if faults:
        messages = [f"{path}, line {line}: {faults[line]}" for line in sorted(faults)]
        raise StartRefused("\n".join(messages) + " Nobody was linked.")
    linked: list[Identity] = []
    for start in range(0, len(found), AT_ONCE):
        links = [link for _, link in found[start : start + AT_ONCE]]
        told_after = TOLD_EVERY * (start // AT_ONCE)
        try:
            linked += await _link(db, links, told_after, dry_run=dry_run)
        except (StartRefused, StorageUnavailable) as error:
            raise _stopped(str(error), path, found, start) from error
        except asyncio.CancelledError as error:
            raise _stopped("The command was interrupted.", path, found, start) from error
    return linked


async def _link(db: Database, links: Sequence[Link], told_after: float, *, dry_run: bool) -> list[Identity]:
    linked: list[Identity] = []
    with suppress(_DryRun):
        async with db.begin() as tx:
            for link in links:
                # Somebody else may have linked them since all were checked.
                await check_free(tx, link)
            linked = await make_links(tx, links, told_after=told_after)
            if dry_run:
                raise _DryRun
    return linked


def _stopped(why: str, path: Path, found: Found, start: int) -> StartRefused:
    """Why the import stopped, and before which row."""
    if start == 0:
        return StartRefused(f"{why} Nobody was linked.")
    return StartRefused(
        f"{why} {start} of {len(found)} people are linked, those before line {found[start][0]} of {path}. "
        "Import the file again for the others."
    )


async def _check_rows(
    accounts: Accounts, rows: Sequence[Row], team: str | None
) -> tuple[list[tuple[int, Link]], dict[int, str]]:
    """The links to make, each once with its line, and the faults of other rows by line."""
    seen: dict[tuple[str, str | int], tuple[int, Link]] = {}
    found: list[tuple[int, Link]] = []
    faults: dict[int, str] = {}
    for row in rows:
        try:
            account = await find_account(accounts, row.user, row.login)
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
