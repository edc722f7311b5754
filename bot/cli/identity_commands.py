"""`stanch identities`: which Slack user is which GitHub account, kept by administrators."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from bot.cli.github_accounts import Accounts, GitHubAway
from bot.cli.identity_file import Row
from bot.database import SLACK_TEAM
from bot.errors import StartRefused
from bot.flows.audit import build_entry
from storage import audit, identities, jobs, saved_values
from storage.db import Database, Tx
from storage.identities import IdentityTaken
from storage.records import (
    Account,
    AuditOutcome,
    Identity,
    NewJob,
    Person,
    SlackTeamId,
    SlackUserId,
    StoredJson,
)

SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
Link: TypeAlias = tuple[SlackTeamId, SlackUserId, Account]


class _DryRun(Exception):
    """Rolls a transaction back."""


async def check(accounts: Accounts, user: str, login: str) -> Account:
    """The GitHub account to link a Slack user to; raises StartRefused."""
    if not SLACK_USER.fullmatch(user):
        raise StartRefused(f"{user[:40]!r} is not a Slack user id, which looks like U012AB3CD; names change.")
    return await accounts.find(login)


async def add_identity(db: Database, team: SlackTeamId, user: str, account: Account) -> Identity:
    """Link a Slack user to a GitHub account; audited, and told to the person once the server runs."""
    async with db.begin() as tx:
        return await _link(tx, Identity(team, SlackUserId(user), account, "mapping", tx.now, "cli"))


async def import_identities(
    db: Database,
    accounts: Accounts,
    path: Path,
    rows: Sequence[Row],
    team: str | None,
    *,
    dry_run: bool,
) -> list[Identity]:
    """Link every row of a file, or none; `team` is the workspace of rows that name none.

    Raises StartRefused with a line for each fault. With `dry_run` all is checked and nothing is kept.
    """
    found, faults = await _check_rows(accounts, rows, team)
    linked: list[Identity] = []
    with suppress(_DryRun):
        async with db.begin() as tx:
            for line, (workspace, user, account) in found:
                identity = Identity(workspace, user, account, "mapping", tx.now, "cli")
                try:
                    linked.append(await _link(tx, identity))
                except StartRefused as refused:
                    faults[line] = str(refused)
            if faults:
                told = [f"{path}, line {line}: {faults[line]}" for line in sorted(faults)]
                raise StartRefused("\n".join(told) + " Nobody was linked.")
            if dry_run:
                raise _DryRun
    return linked


async def _check_rows(
    accounts: Accounts, rows: Sequence[Row], team: str | None
) -> tuple[list[tuple[int, Link]], dict[int, str]]:
    """What the rows say, by line and each once, and what is wrong with others, by line."""
    seen: dict[tuple[str, str | int], tuple[int, Link]] = {}
    found: list[tuple[int, Link]] = []
    faults: dict[int, str] = {}
    for row in rows:
        try:
            account = await check(accounts, row.user, row.login)
        except GitHubAway:
            raise
        except StartRefused as refused:
            faults[row.line] = str(refused)
            continue
        link: Link = (SlackTeamId(row.team or team or ""), SlackUserId(row.user), account)
        sides: tuple[str | int, str | int] = (row.user, account.id)
        earlier = [seen[link[0], side] for side in sides if (link[0], side) in seen]
        other = next((line for line, before in earlier if before != link), None)
        if other is not None:
            faults[row.line] = f"{row.user} and {row.login} contradict line {other}."
        elif not earlier:
            found.append((row.line, link))
            seen.update({(link[0], side): (row.line, link) for side in sides})
    return found, faults


async def _link(tx: Tx, identity: Identity) -> Identity:
    """Store, audit, and have the person told; raises StartRefused where one side is somebody else's."""
    try:
        await identities.link(tx, identity)
    except IdentityTaken as taken:
        raise StartRefused(
            f"{taken} ({taken.holder.slack_user} is {taken.holder.github.login}); "
            "remove that identity first: stanch identities remove SLACK_USER."
        ) from None
    await jobs.enqueue(tx, _telling(identity, "linked"))
    await _audit(tx, "link_identity", identity)
    return identity


async def remove_identity(db: Database, user: str, team: str | None) -> Identity:
    """Forget who a Slack user is; audited, and told to the person once the server runs."""
    async with db.begin() as tx:
        identity = await identities.unlink(tx, await _team(tx, team), SlackUserId(user))
        if identity is None:
            raise StartRefused(f"No identity is known for {user[:40]!r}; stanch identities list shows all.")
        await jobs.enqueue(tx, _telling(identity, "unlinked"))
        await _audit(tx, "unlink_identity", identity)
    return identity


async def list_identities(db: Database) -> list[Identity]:
    async with db.read() as tx:
        return await identities.all_identities(tx)


async def _team(tx: Tx, user_input: str | None) -> SlackTeamId:
    known = user_input or await saved_values.load(tx, SLACK_TEAM)
    if not isinstance(known, str):
        raise StartRefused(
            "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
        )
    return SlackTeamId(known)


def _telling(identity: Identity, change: str) -> NewJob:
    payload: dict[str, StoredJson] = {
        "user": identity.slack_user,
        "login": identity.github.login,
        "change": change,
    }
    return NewJob("tell_identity", payload)


async def _audit(tx: Tx, action: str, identity: Identity) -> None:
    person = Person(identity.slack_team, identity.slack_user, identity.github)
    await audit.append(tx, build_entry(action, AuditOutcome.DONE, person, reason="by cli"))
