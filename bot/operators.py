"""What operators do at the command line: identities, subscriptions, jobs and the audit log."""

import csv
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bot.database import SLACK_TEAM, build_database
from bot.errors import StartRefused
from bot.rules.filters import BadFilter, parse_filter
from bot.settings import GitHubSettings, StorageSettings
from bot.version import VERSION
from integrations.github.api import GitHub
from integrations.github.errors import GitHubError, NotFound
from storage import audit, identities, jobs, marks, subscriptions
from storage.clock import Clock
from storage.db import Database, Tx
from storage.identities import IdentityTaken
from storage.records import (
    Account,
    AuditEntry,
    AuditOutcome,
    AuditRow,
    ChannelId,
    GitHubId,
    Identity,
    Job,
    JobId,
    JobState,
    JsonValue,
    NewJob,
    SlackTeamId,
    SlackUserId,
    Subscription,
    UnixTime,
)

SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@asynccontextmanager
async def open_database(settings: StorageSettings) -> AsyncIterator[Database]:
    """The migrated database of the settings; raises StorageUnavailable."""
    db = build_database(settings, Clock())
    try:
        await db.migrate()
        yield db
    finally:
        await db.close()


class Accounts:
    """GitHub's answer to who has a login now, asked through the first installation that there is."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._installation_id: int | None = None

    async def find(self, login: str) -> Account:
        """The account with its numeric id; raises StartRefused."""
        if not LOGIN.fullmatch(login):
            raise StartRefused(f"{login[:100]!r} is not a GitHub login.")
        try:
            if self._installation_id is None:
                self._installation_id = await self._first_installation()
            found = await self._github.of(self._installation_id).account(login)
        except NotFound:
            raise StartRefused(f"GitHub has no account {login}; check its spelling.") from None
        except GitHubError as error:
            raise StartRefused(f"GitHub could not be asked for {login}: {error}.") from None
        return Account(GitHubId(found.id), found.login)

    async def _first_installation(self) -> int:
        async for installation in self._github.installations():
            if not installation.suspended:
                return installation.id
        raise StartRefused("The GitHub App is not installed anywhere yet; install it on your account first.")


@asynccontextmanager
async def open_accounts(settings: GitHubSettings) -> AsyncIterator[Accounts]:
    """A way to ask GitHub for accounts."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Accounts(
            GitHub(
                session,
                api_url=settings.github_api_url,
                url=settings.github_url,
                app_id=settings.github_app_id,
                private_key=settings.github_app_private_key.get_secret_value(),
                version=VERSION,
                now=Clock().now,
            )
        )


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


async def add_subscription(db: Database, channel: str, filter_text: str) -> Subscription:
    """Let a channel have the alerts that a filter names; replaces the channel's former one."""
    if not CHANNEL.fullmatch(channel):
        raise StartRefused(f"{channel[:40]!r} is not a channel id, which looks like C012AB3CD; names change.")
    try:
        wanted = parse_filter(filter_text)
    except BadFilter as error:
        raise StartRefused(str(error)) from None
    async with db.begin() as tx:
        subscription = Subscription(ChannelId(channel), str(wanted), created_at=tx.now)
        await subscriptions.add(tx, subscription)
        await audit.append(
            tx,
            AuditEntry(
                action="subscribe", outcome=AuditOutcome.DONE, reason=f"cli: {channel} {wanted}".strip()
            ),
        )
    return subscription


async def remove_subscription(db: Database, channel: str) -> None:
    async with db.begin() as tx:
        if not await subscriptions.remove(tx, ChannelId(channel)):
            raise StartRefused(f"{channel[:40]!r} has no subscription; stanch subscriptions list shows all.")
        await audit.append(
            tx, AuditEntry(action="unsubscribe", outcome=AuditOutcome.DONE, reason=f"cli: {channel}")
        )


async def list_subscriptions(db: Database) -> list[Subscription]:
    async with db.read() as tx:
        return await subscriptions.all_subscriptions(tx)


async def list_jobs(db: Database) -> list[Job]:
    """What waits, runs or is parked; done jobs are left out."""
    async with db.read() as tx:
        return await jobs.list_jobs(tx, states=(JobState.PARKED, JobState.RUNNING, JobState.READY))


async def retry_job(db: Database, job_id: int) -> None:
    async with db.begin() as tx:
        if not await jobs.retry(tx, JobId(job_id)):
            raise StartRefused(f"No parked job has the id {job_id}; stanch jobs list shows them.")


async def retry_all_jobs(db: Database) -> int:
    async with db.begin() as tx:
        return await jobs.retry_all(tx)


async def export_audit(db: Database, since: str | None) -> AsyncIterator[dict[str, JsonValue]]:
    """The rows of the audit log as flat objects, oldest first."""
    start = _since(since)
    async with db.read() as tx:
        async for row in audit.rows(tx, start):
            yield audit_object(row)


def audit_object(row: AuditRow) -> dict[str, JsonValue]:
    """One row by its public names."""
    return {
        "seq": row.seq,
        "at": audit.iso(row.at),
        "slack_team": row.entry.slack_team,
        "slack_user": row.entry.slack_user,
        "github_login": row.entry.github_login,
        "github_id": row.entry.github_id,
        "action": row.entry.action,
        "repository_id": row.entry.repository_id,
        "repository": row.entry.repository,
        "alert_number": row.entry.alert_number,
        "outcome": row.entry.outcome,
        "reason": row.entry.reason,
        "previous": row.previous,
        "hash": row.hash,
    }


AUDIT_COLUMNS = tuple(
    audit_object(AuditRow(0, 0.0, AuditEntry(action="", outcome=AuditOutcome.DONE), "", ""))
)


async def verify_audit(db: Database, head: str | None) -> str:
    """Check the chain, and that it still holds a head noted earlier; raises StartRefused with the first fault."""
    async with db.read() as tx:
        found = await audit.verify(tx, head)
    if not found.ok:
        raise StartRefused(f"The audit log does not verify: {found.problem}")
    return f"{found.rows} rows verify; the head is {found.head}."


def _since(text: str | None) -> UnixTime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StartRefused(
            f"--since {text[:40]!r} is not a time; write it as 2026-11-24T02:40:00+00:00."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


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
