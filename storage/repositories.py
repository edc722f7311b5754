"""Repositories with alerts, and the installations of the GitHub App."""

from collections.abc import Collection

import sqlalchemy as sa

from storage.db import Row, Tx, columns_of
from storage.records import (
    Account,
    GitHubId,
    Installation,
    InstallationId,
    InstallationState,
    Repository,
    RepositoryId,
    RepositoryState,
)
from storage.tables import installation, repository


async def load_repository(tx: Tx, repository_id: RepositoryId) -> Repository | None:
    """The repository of that id, or None."""
    row = (await tx.conn.execute(sa.select(repository).where(repository.c.id == repository_id))).one_or_none()
    return None if row is None else record(row)


async def load_all(tx: Tx, ids: Collection[RepositoryId]) -> dict[RepositoryId, Repository]:
    """The stored repositories of these ids."""
    rows = await tx.conn.execute(sa.select(repository).where(repository.c.id.in_(ids)))
    return {found.id: found for found in map(record, rows)}


async def load_by_name(tx: Tx, full_name: str) -> list[Repository]:
    """All repositories whose last known name is `full_name`, newest id first.

    There can be several, since a name can be given to another repository. `full_name` is `owner/name` in any case.
    """
    query = sa.select(repository).where(repository.c.folded_name == full_name.casefold())
    return [record(row) for row in await tx.conn.execute(query.order_by(repository.c.id.desc()))]


async def save_repository(tx: Tx, known: Repository) -> None:
    """Store the repository, or overwrite the one of the same id."""
    values = {
        "full_name": known.full_name,
        "folded_name": known.full_name.casefold(),
        "owner_id": known.owner.id,
        "owner_login": known.owner.login,
        "owner_type": known.owner_type,
        "visibility": known.visibility,
        "html_url": known.html_url,
        "installation_id": known.installation_id,
        "state": known.state,
        "delegated_dismissal": known.delegated_dismissal,
    }
    query = tx.insert(repository).values(id=known.id, **values)
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[repository.c.id], set_=values))


async def repositories_of(tx: Tx, installation_id: InstallationId) -> list[Repository]:
    """The repositories that are reached by that installation, in the order of their names."""
    query = sa.select(repository).where(repository.c.installation_id == installation_id)
    return [record(row) for row in await tx.conn.execute(query.order_by(repository.c.folded_name))]


async def lost_repositories(tx: Tx) -> list[Repository]:
    """The repositories that no installation reaches, and that may become reachable again."""
    query = sa.select(repository).where(repository.c.state == RepositoryState.REMOVED)
    return [record(row) for row in await tx.conn.execute(query.order_by(repository.c.folded_name))]


async def load_installation(tx: Tx, installation_id: InstallationId) -> Installation | None:
    """The installation of that id, or None."""
    query = sa.select(installation).where(installation.c.id == installation_id)
    row = (await tx.conn.execute(query)).one_or_none()
    return None if row is None else _installation(row)


async def load_with_installation(
    tx: Tx, installation_id: InstallationId, repository_id: RepositoryId
) -> tuple[Installation | None, Repository | None]:
    """An installation and a repository, by one statement; both None if the installation is not stored."""
    joined = installation.outerjoin(repository, repository.c.id == repository_id)
    query = (
        sa.select(installation, repository).select_from(joined).where(installation.c.id == installation_id)
    )
    row = (await tx.conn.execute(query)).one_or_none()
    if row is None:
        return None, None
    found = columns_of(row, repository)
    return _installation(columns_of(row, installation)), None if found.id is None else record(found)


async def all_installations(tx: Tx) -> list[Installation]:
    """All installations, removed ones too."""
    return [_installation(row) for row in await tx.conn.execute(sa.select(installation))]


async def account_ids(tx: Tx, login: str) -> set[GitHubId]:
    """The ids of all accounts whose last known login is `login`, which is in lower case."""
    of_installations = sa.select(installation.c.account_id).where(
        sa.func.lower(installation.c.account_login) == login
    )
    of_repositories = sa.select(repository.c.owner_id).where(sa.func.lower(repository.c.owner_login) == login)
    found = await tx.conn.scalars(of_installations.union(of_repositories))
    return {GitHubId(number) for number in found}


async def save_installation(tx: Tx, known: Installation) -> None:
    """Store the installation, or overwrite the one of the same id."""
    values = {
        "account_id": known.account.id,
        "account_login": known.account.login,
        "account_type": known.account_type,
        "state": known.state,
    }
    query = tx.insert(installation).values(id=known.id, **values)
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[installation.c.id], set_=values))


def record(row: Row) -> Repository:
    """The repository of one row of the table."""
    return Repository(
        id=RepositoryId(row.id),
        full_name=row.full_name,
        owner=Account(GitHubId(row.owner_id), row.owner_login),
        owner_type=row.owner_type,
        visibility=row.visibility,
        html_url=row.html_url,
        installation_id=row.installation_id,
        state=RepositoryState(row.state),
        delegated_dismissal=row.delegated_dismissal,
    )


def _installation(row: Row) -> Installation:
    return Installation(
        id=InstallationId(row.id),
        account=Account(GitHubId(row.account_id), row.account_login),
        account_type=row.account_type,
        state=InstallationState(row.state),
    )
