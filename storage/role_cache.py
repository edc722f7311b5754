"""A cache of GitHub's answers about the rights of persons in repositories."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import GitHubId, RepositoryId, StoredJson, UnixTime
from storage.tables import role

Facts: TypeAlias = Mapping[str, StoredJson]


async def save(
    tx: Tx,
    github_id: GitHubId,
    repository_id: RepositoryId,
    owner_id: GitHubId,
    facts: Facts,
    *,
    asked_at: UnixTime | None = None,
) -> None:
    """Store the facts about a person in a repository of that owner, as of `asked_at`, or of now."""
    key = {"github_id": github_id, "repository_id": repository_id}
    known = {
        "owner_id": owner_id,
        "facts": dict(facts),
        "fetched_at": tx.now if asked_at is None else asked_at,
    }
    await rows.overwrite(tx, role, {**key, **known})


async def load(tx: Tx, github_id: GitHubId, repository_id: RepositoryId) -> tuple[Facts, UnixTime] | None:
    """The facts and when they were fetched, or None. The caller decides how old they may be."""
    return await rows.find(
        tx,
        role,
        lambda columns: (columns["facts"], columns["fetched_at"]),
        github_id=github_id,
        repository_id=repository_id,
    )


async def of_person(
    tx: Tx, github_id: GitHubId, since: UnixTime
) -> Mapping[str, Mapping[RepositoryId, UnixTime]]:
    """All facts about a person fetched since then, as JSON, and when they were fetched for which repositories.

    They are the same in most of what can be thousands of repositories.
    """
    query = sa.select(sa.cast(role.c.facts, sa.Text), role.c.repository_id, role.c.fetched_at)
    query = query.where(role.c.github_id == github_id, role.c.fetched_at >= since)
    found: defaultdict[str, dict[RepositoryId, UnixTime]] = defaultdict(dict)
    for facts, repository_id, at in (await tx.conn.execute(query)).all():
        found[facts][repository_id] = at
    return found


async def of_owner(
    tx: Tx, owner_id: GitHubId, since: UnixTime, limit: int
) -> list[tuple[GitHubId, RepositoryId, Facts]]:
    """The latest facts about persons in an owner's repositories, fetched since then: account, repository, facts."""
    query = sa.select(role.c.github_id, role.c.repository_id, role.c.facts)
    query = query.where(role.c.owner_id == owner_id, role.c.fetched_at >= since)
    found = await tx.conn.execute(query.order_by(role.c.fetched_at.desc()).limit(limit))
    return [(row.github_id, row.repository_id, row.facts) for row in found]


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete facts that were fetched before then; returns how many."""
    return (await tx.conn.execute(sa.delete(role).where(role.c.fetched_at < before))).rowcount


async def drop_person(tx: Tx, github_id: GitHubId) -> None:
    """Delete all facts about a person."""
    await tx.conn.execute(sa.delete(role).where(role.c.github_id == github_id))


async def drop_repository(tx: Tx, repository_id: RepositoryId) -> None:
    """Delete all facts about a repository."""
    await tx.conn.execute(sa.delete(role).where(role.c.repository_id == repository_id))


async def drop_owner(tx: Tx, owner_id: GitHubId) -> None:
    """Delete all facts about the repositories of an owner."""
    await tx.conn.execute(sa.delete(role).where(role.c.owner_id == owner_id))
