"""Sign-ins: which Slack user signed in to which GitHub account, and the encrypted tokens of it."""

from collections.abc import Collection

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import GitHubId, SignIn, SlackTeamId, SlackUserId, StoredTokens, UnixTime
from storage.tables import sign_in
from storage.token_columns import stored_tokens, token_values


async def save(tx: Tx, new: SignIn) -> None:
    """Store a sign-in instead of the Slack user's former one. Its version is counted on from there."""
    row = {
        **rows.values(new, sign_in),
        **rows.account_values("github", new.github),
        **token_values(new.tokens),
    }
    changed = {name: value for name, value in row.items() if name not in ("slack_team", "slack_user")}
    query = tx.insert(sign_in).values(row)
    await tx.conn.execute(
        query.on_conflict_do_update(
            index_elements=["slack_team", "slack_user"],
            set_={**changed, "version": sign_in.c.version + 1},
        )
    )


async def load(tx: Tx, team: SlackTeamId, user: SlackUserId) -> SignIn | None:
    """The sign-in of a Slack user, or None."""
    return await rows.find(tx, sign_in, _record, slack_team=team, slack_user=user)


async def concerning(
    tx: Tx, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> list[SignIn]:
    """The sign-ins of these Slack users, and those to these GitHub accounts."""
    its = rows.concerns(sign_in, team, users, accounts)
    return await rows.listed(tx, sa.select(sign_in).where(its), _record)


async def everywhere_of(tx: Tx, github_id: GitHubId) -> list[SignIn]:
    """The sign-ins to a GitHub account in all workspaces."""
    query = sa.select(sign_in).where(sign_in.c.github_id == github_id)
    return await rows.listed(tx, query.order_by(sign_in.c.slack_team, sign_in.c.slack_user), _record)


async def delete(tx: Tx, team: SlackTeamId, user: SlackUserId) -> SignIn | None:
    """Delete a Slack user's sign-in with its tokens; returns it, or None if there was none."""
    return await rows.one(tx, sa.delete(sign_in).where(_of(team, user)).returning(*sign_in.c), _record)


async def begin_refresh(tx: Tx, stored: SignIn, process: str, until: UnixTime) -> bool:
    """Claim the refresh of the tokens for one process; False if they have changed or another one has it."""
    free = sa.or_(sign_in.c.refreshing_until.is_(None), sign_in.c.refreshing_until <= tx.now)
    return await _change(tx, stored, free, refreshing_by=process, refreshing_until=until)


async def end_refresh(tx: Tx, stored: SignIn, process: str) -> bool:
    """Give up the claim without new tokens, since GitHub did not answer."""
    mine = sign_in.c.refreshing_by == process
    return await _change(tx, stored, mine, refreshing_by=None, refreshing_until=None)


async def replace_tokens(tx: Tx, stored: SignIn, tokens: StoredTokens) -> bool:
    """Store the pair that GitHub gave for the one of this version; False if that one has changed.

    The claim of the refresh is not checked: GitHub gives a new pair only once, so it is stored even if it came late.
    """
    return await _change(
        tx,
        stored,
        sa.true(),
        **token_values(tokens),
        version=stored.version + 1,
        refreshing_by=None,
        refreshing_until=None,
    )


async def reseal(tx: Tx, stored: SignIn, tokens: StoredTokens) -> bool:
    """Store the same tokens under another key; False if they have changed, or are being refreshed.

    The version stays: a refresh that began before has its effect.
    """
    free = sa.or_(sign_in.c.refreshing_until.is_(None), sign_in.c.refreshing_until <= tx.now)
    return await _change(tx, stored, free, **token_values(tokens))


async def suspend(tx: Tx, stored: SignIn, suspension: str, *, process: str | None = None) -> bool:
    """Drop the tokens and say why the sign-in counts no more; False if the tokens have changed since they were read.

    With `process`, only as long as that process has the claim of the refresh.
    """
    mine = sa.true() if process is None else sign_in.c.refreshing_by == process
    return await _change(
        tx,
        stored,
        mine,
        **token_values(None),
        version=stored.version + 1,
        refreshing_by=None,
        refreshing_until=None,
        suspended_at=tx.now,
        suspension=suspension,
    )


async def lapsed(tx: Tx, most: int) -> list[SignIn]:
    """Some of those that have lapsed and are not suspended yet."""
    query = sa.select(sign_in).where(sign_in.c.lapses_at <= tx.now, sign_in.c.suspension.is_(None))
    return await rows.listed(tx, query.order_by(sign_in.c.lapses_at).limit(most), _record)


async def with_tokens(tx: Tx, after: tuple[str, str], most: int) -> list[SignIn]:
    """The next ones that have tokens, in the order of workspace and user after this one."""
    key = (sign_in.c.slack_team, sign_in.c.slack_user)
    query = sa.select(sign_in).where(sign_in.c.access.is_not(None), sa.tuple_(*key) > sa.tuple_(*after))
    return await rows.listed(tx, query.order_by(*key).limit(most), _record)


async def _change(tx: Tx, stored: SignIn, condition: sa.ColumnElement[bool], **values: object) -> bool:
    """Change a sign-in if it still has that version, and the condition holds."""
    same = sa.and_(_of(stored.slack_team, stored.slack_user), sign_in.c.version == stored.version, condition)
    return (await tx.conn.execute(sa.update(sign_in).where(same).values(values))).rowcount == 1


def _of(team: SlackTeamId, user: SlackUserId) -> sa.ColumnElement[bool]:
    return sa.and_(sign_in.c.slack_team == team, sign_in.c.slack_user == user)


def _record(columns: rows.Columns) -> SignIn:
    return rows.build(SignIn, columns, github=rows.account(columns, "github"), tokens=stored_tokens(columns))
