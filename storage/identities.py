"""Identities: which Slack user is which GitHub account, one to one within a workspace.

A link by a sign-in whose time is over is read as suspended, also before the housekeeping has ended it.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import GitHubId, Identity, IdentitySource, SlackTeamId, SlackUserId, Suspension
from storage.tables import directory_pair, identity, operator_link, sign_in


async def unlink(tx: Tx, team: SlackTeamId, user: SlackUserId) -> Identity | None:
    """Delete a Slack user's identity; returns it, or None if there was none."""
    query = sa.delete(identity).where(_is(team, user)).returning(*identity.c)
    return await rows.one(tx, query, _record)


async def of_slack(
    tx: Tx, team: SlackTeamId, user: SlackUserId, *, suspended: bool = False
) -> Identity | None:
    """The identity of a Slack user, or None; a suspended one only with `suspended`."""
    whose = {"team": team, "user": user, "now": tx.now}
    return await rows.one(tx, _of_slack(suspended=suspended), _record, whose)


async def of_github(tx: Tx, team: SlackTeamId, github_id: GitHubId) -> Identity | None:
    """The identity of a GitHub account in a workspace that is not suspended, or None."""
    whose = {"team": team, "account": github_id, "now": tx.now}
    return await rows.one(tx, _of_github(), _record, whose)


async def of_accounts(tx: Tx, team: SlackTeamId, github_ids: Collection[GitHubId]) -> list[Identity]:
    """The identities of these GitHub accounts in a workspace that are not suspended, in the order of their logins."""
    theirs = sa.and_(identity.c.slack_team == team, identity.c.github_id.in_(github_ids))
    query = _present(suspended=False).where(theirs).order_by(identity.c.github_login)
    return await rows.listed(tx, query, _record, {"now": tx.now})


async def concerning(
    tx: Tx, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> list[Identity]:
    """The identities of these Slack users and GitHub accounts as they are stored, suspended ones too."""
    its = rows.concerns(identity, team, users, accounts)
    return await rows.listed(tx, sa.select(identity).where(its), _record)


async def all_identities(tx: Tx) -> list[Identity]:
    """All identities, suspended ones too, in the order of workspace and login."""
    query = _present(suspended=True).order_by(identity.c.slack_team, identity.c.github_login)
    return await rows.listed(tx, query, _record, {"now": tx.now})


async def put(tx: Tx, new: Identity) -> None:
    """Store an identity instead of its Slack user's former one. Its account must not have another one."""
    await rows.overwrite(
        tx, identity, {**rows.values(new, identity), **rows.account_values("github", new.github)}
    )


async def rename_login(tx: Tx, github_id: GitHubId, login: str) -> None:
    """Store the present login of a GitHub account, wherever a source names it."""
    for table in (identity, operator_link, sign_in, directory_pair):
        query = sa.update(table).where(table.c.github_id == github_id)
        await tx.conn.execute(query.values(github_login=login))


async def save_name(tx: Tx, team: SlackTeamId, user: SlackUserId, name: str) -> None:
    """Store the present Slack name of a linked person."""
    await tx.conn.execute(sa.update(identity).where(_is(team, user)).values(slack_name=name))


def _is(team: SlackTeamId, user: SlackUserId) -> sa.ColumnElement[bool]:
    return sa.and_(identity.c.slack_team == team, identity.c.slack_user == user)


@cache
def _of_slack(*, suspended: bool) -> sa.Select[Any]:
    of_team = identity.c.slack_team == sa.bindparam("team")
    return _present(suspended=suspended).where(of_team, identity.c.slack_user == sa.bindparam("user"))


@cache
def _of_github() -> sa.Select[Any]:
    of_team = identity.c.slack_team == sa.bindparam("team")
    return _present(suspended=False).where(of_team, identity.c.github_id == sa.bindparam("account"))


def _present(*, suspended: bool) -> sa.Select[Any]:
    """The identities as they count at the time of the parameter `now`: with the suspended ones or without them."""
    lapsed = sa.exists().where(
        identity.c.proof == IdentitySource.SIGN_IN,
        sign_in.c.slack_team == identity.c.slack_team,
        sign_in.c.slack_user == identity.c.slack_user,
        sign_in.c.lapses_at <= sa.bindparam("now"),
    )
    now = sa.func.coalesce(identity.c.suspension, sa.case((lapsed, Suspension.LAPSED)))
    others = (column for column in identity.c if column is not identity.c.suspension)
    query = sa.select(*others, now.label("suspension"))
    return query if suspended else query.where(now.is_(None))


def _record(columns: rows.Columns) -> Identity:
    return rows.build(Identity, columns, github=rows.account(columns, "github"))
