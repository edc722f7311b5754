"""Operator links: which Slack user an operator linked to which GitHub account, one to one within a workspace."""

from collections.abc import Collection

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import GitHubId, OperatorLink, SlackTeamId, SlackUserId
from storage.tables import operator_link


async def save(tx: Tx, link: OperatorLink) -> None:
    """Store a link instead of all others of its Slack user or its GitHub account."""
    its = sa.and_(
        operator_link.c.slack_team == link.slack_team,
        sa.or_(operator_link.c.slack_user == link.slack_user, operator_link.c.github_id == link.github.id),
    )
    await tx.conn.execute(sa.delete(operator_link).where(its))
    row = {**rows.values(link, operator_link), **rows.account_values("github", link.github)}
    await tx.conn.execute(tx.insert(operator_link).values(row))


async def of_user(tx: Tx, team: SlackTeamId, user: SlackUserId) -> OperatorLink | None:
    """The link of a Slack user, or None."""
    return await rows.find(tx, operator_link, _record, slack_team=team, slack_user=user)


async def concerning(
    tx: Tx, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> list[OperatorLink]:
    """The links of these Slack users, and those of these GitHub accounts."""
    its = rows.concerns(operator_link, team, users, accounts)
    return await rows.listed(tx, sa.select(operator_link).where(its), _record)


async def delete(tx: Tx, team: SlackTeamId, user: SlackUserId) -> OperatorLink | None:
    """Delete a Slack user's link; returns it, or None if there was none."""
    query = sa.delete(operator_link).where(_of(team, user))
    return await rows.one(tx, query.returning(*operator_link.c), _record)


def _of(team: SlackTeamId, user: SlackUserId) -> sa.ColumnElement[bool]:
    return sa.and_(operator_link.c.slack_team == team, operator_link.c.slack_user == user)


def _record(columns: rows.Columns) -> OperatorLink:
    return rows.build(OperatorLink, columns, github=rows.account(columns, "github"))
