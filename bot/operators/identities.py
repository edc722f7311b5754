"""`stanch identities`: which Slack user is which GitHub account, kept by administrators."""

import csv
import re
from pathlib import Path

from bot.database import SLACK_TEAM
from bot.errors import StartRefused
from bot.operators.accounts import Accounts
from storage import audit, identities, jobs, marks
from storage.db import Database, Tx
from storage.identities import IdentityTaken
from storage.records import AuditEntry, AuditOutcome, Identity, JsonValue, NewJob, SlackTeamId, SlackUserId

SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


async def add_identity(db: Database, accounts: Accounts, user: str, login: str, team: str | None) -> Identity:
    """Link a Slack user to a GitHub account; audited, and told to the person once the server runs."""
    if not SLACK_USER.fullmatch(user):
        raise StartRefused(f"{user[:40]!r} is not a Slack user id, which looks like U012AB3CD; names change.")
    account = await accounts.find(login)
    async with db.begin() as tx:
        workspace = await _team(tx, team)
        identity = Identity(workspace, SlackUserId(user), account, "mapping", tx.now, "cli")
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


async def import_identities(db: Database, accounts: Accounts, path: Path) -> list[Identity]:
    """Link every row of a CSV file with the columns slack_user, github_login and, if wanted, team.

    The file is read as a whole before anything is linked; raises StartRefused naming the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"slack_user", "github_login"} - set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartRefused(f"{path} can't be read as CSV: {error}.") from None
    if missing:
        raise StartRefused(
            f"{path} lacks the column {sorted(missing)[0]}; it needs slack_user and github_login."
        )
    linked = []
    for number, row in enumerate(rows, start=2):
        user, login = (row.get("slack_user") or "").strip(), (row.get("github_login") or "").strip()
        try:
            linked.append(
                await add_identity(db, accounts, user, login, (row.get("team") or "").strip() or None)
            )
        except StartRefused as refused:
            raise StartRefused(
                f"{path}, line {number}: {refused} {len(linked)} were linked before it."
            ) from None
    return linked


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


async def _team(tx: Tx, given: str | None) -> SlackTeamId:
    known = given or await marks.load(tx, SLACK_TEAM)
    if not isinstance(known, str):
        raise StartRefused(
            "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
        )
    return SlackTeamId(known)


def _telling(identity: Identity, change: str) -> NewJob:
    payload: dict[str, JsonValue] = {
        "user": identity.slack_user,
        "login": identity.github.login,
        "change": change,
    }
    return NewJob("tell_identity", payload)


async def _audit(tx: Tx, action: str, identity: Identity) -> None:
    entry = AuditEntry(
        action=action,
        outcome=AuditOutcome.DONE,
        slack_team=identity.slack_team,
        slack_user=identity.slack_user,
        github_login=identity.github.login,
        github_id=identity.github.id,
        reason="by cli",
    )
    await audit.append(tx, entry)
