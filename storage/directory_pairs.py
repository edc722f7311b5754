"""Directory pairs: which Slack user and GitHub account have one confirmed address in the organization's directory."""

from collections.abc import Collection

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import DirectoryPair, GitHubId, SlackTeamId, SlackUserId, Suspension, UnixTime
from storage.tables import directory_pair


async def pin(tx: Tx, pair: DirectoryPair) -> None:
    """Store a pair that is new, or that comes back after the person had left; a pair in any other state stays."""
    left = sa.and_(_is(pair), directory_pair.c.suspension == Suspension.LEFT)
    await tx.conn.execute(sa.delete(directory_pair).where(left))
    row = {**rows.values(pair, directory_pair), **rows.account_values("github", pair.github)}
    await tx.conn.execute(tx.insert(directory_pair).values(row).on_conflict_do_nothing())


async def mark_seen(tx: Tx, team: SlackTeamId) -> None:
    """Note that the directory has just shown all pairs of a workspace that are in force."""
    counts = sa.and_(directory_pair.c.slack_team == team, directory_pair.c.suspension.is_(None))
    await tx.conn.execute(sa.update(directory_pair).where(counts).values(seen_at=tx.now))


async def prune_left(tx: Tx, before: UnixTime) -> int:
    """Delete the pairs of those who left before then; returns how many."""
    left = sa.and_(directory_pair.c.suspension == Suspension.LEFT, directory_pair.c.suspended_at < before)
    return (await tx.conn.execute(sa.delete(directory_pair).where(left))).rowcount


async def of_user(tx: Tx, team: SlackTeamId, user: SlackUserId) -> list[DirectoryPair]:
    """The pairs of a Slack user, the first one first."""
    mine = sa.and_(directory_pair.c.slack_team == team, directory_pair.c.slack_user == user)
    return await rows.listed(
        tx, sa.select(directory_pair).where(mine).order_by(directory_pair.c.first_seen_at), _record
    )


async def all_pairs(tx: Tx, team: SlackTeamId) -> list[DirectoryPair]:
    """The pairs of a workspace, in the order of Slack users."""
    query = sa.select(directory_pair).where(directory_pair.c.slack_team == team)
    key = (directory_pair.c.slack_user, directory_pair.c.github_id)
    return await rows.listed(tx, query.order_by(*key), _record)


async def concerning(
    tx: Tx, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> list[DirectoryPair]:
    """The pairs of these Slack users, and those of these GitHub accounts."""
    its = rows.concerns(directory_pair, team, users, accounts)
    return await rows.listed(tx, sa.select(directory_pair).where(its), _record)


async def are_there(tx: Tx) -> bool:
    """Whether there is a pair that was not unlinked by hand."""
    some = sa.or_(directory_pair.c.suspension.is_(None), directory_pair.c.suspension != Suspension.UNLINKED)
    return bool(await tx.conn.scalar(sa.select(sa.exists().where(some))))


async def suspend(tx: Tx, pair: DirectoryPair, suspension: str) -> bool:
    """Suspend a pair, with the reason; False if it is suspended already."""
    query = sa.update(directory_pair).where(_is(pair), directory_pair.c.suspension.is_(None))
    return (await tx.conn.execute(query.values(suspended_at=tx.now, suspension=suspension))).rowcount == 1


async def delete(tx: Tx, pair: DirectoryPair) -> None:
    """Delete a pair that the directory shows no more."""
    await tx.conn.execute(sa.delete(directory_pair).where(_is(pair)))


async def has_held(
    tx: Tx,
    team: SlackTeamId,
    user: SlackUserId,
    github_id: GitHubId,
    *,
    since: UnixTime,
    seen_since: UnixTime,
) -> bool:
    """Whether the directory has shown this very pair since that time, and no other one of either side.

    It must have been read after `seen_since`, since an older reading may no longer be true.
    """
    either = sa.or_(directory_pair.c.slack_user == user, directory_pair.c.github_id == github_id)
    query = sa.select(directory_pair).where(directory_pair.c.slack_team == team, either)
    found = await rows.listed(tx, query, _record)
    return [(pair.slack_user, pair.github.id) for pair in found] == [(user, github_id)] and (
        found[0].suspension is None and found[0].first_seen_at <= since and found[0].seen_at >= seen_since
    )


def _is(pair: DirectoryPair) -> sa.ColumnElement[bool]:
    return sa.and_(
        directory_pair.c.slack_team == pair.slack_team,
        directory_pair.c.slack_user == pair.slack_user,
        directory_pair.c.github_id == pair.github.id,
    )


def _record(columns: rows.Columns) -> DirectoryPair:
    return rows.build(DirectoryPair, columns, github=rows.account(columns, "github"))
