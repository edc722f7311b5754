"""Repositories with alerts, and the installations of the GitHub App."""

from collections.abc import Collection

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import GitHubId, Installation, InstallationId, Repository, RepositoryId, RepositoryState
from storage.tables import installation, repository


async def load_repository(tx: Tx, repository_id: RepositoryId) -> Repository | None:
    """The repository of that id, or None."""
    return await rows.find(tx, repository, record, id=repository_id)


async def load_all(tx: Tx, ids: Collection[RepositoryId]) -> dict[RepositoryId, Repository]:
    """The stored repositories of these ids."""
    found = await rows.listed(tx, sa.select(repository).where(repository.c.id.in_(ids)), record)
    return {one.id: one for one in found}


async def load_by_name(tx: Tx, full_name: str) -> list[Repository]:
    """All repositories whose last known name is `full_name`, newest id first.

    There can be several, since a name can be given to another repository. `full_name` is `owner/name` in any case.
    """
    query = sa.select(repository).where(repository.c.folded_name == full_name.casefold())
    return await rows.listed(tx, query.order_by(repository.c.id.desc()), record)


async def similar_names(tx: Tx, full_name: str) -> list[str]:
    """Names of up to 1,000 repositories with the same owner or the same name as `full_name`, `owner/name`."""
    owner, _, name = full_name.casefold().partition("/")
    like = sa.or_(
        repository.c.folded_name.startswith(f"{owner}/", autoescape=True),
        repository.c.folded_name.endswith(f"/{name}", autoescape=True),
    )
    query = sa.select(repository.c.full_name).where(like).order_by(repository.c.folded_name).limit(1_000)
    return [str(found) for found in await tx.conn.scalars(query)]


async def save_repository(tx: Tx, known: Repository) -> None:
    """Store the repository, or overwrite the one of the same id."""
    own = {**rows.account_values("owner", known.owner), "folded_name": known.full_name.casefold()}
    await rows.overwrite(tx, repository, {**rows.values(known, repository), **own})


async def repositories_of(tx: Tx, installation_id: InstallationId) -> list[Repository]:
    """The repositories that are reached by that installation, in the order of their names."""
    query = sa.select(repository).where(repository.c.installation_id == installation_id)
    return await rows.listed(tx, query.order_by(repository.c.folded_name), record)


async def lost_repositories(tx: Tx) -> list[Repository]:
    """The repositories that no installation reaches, and that may become reachable again."""
    query = sa.select(repository).where(repository.c.state == RepositoryState.REMOVED)
    return await rows.listed(tx, query.order_by(repository.c.folded_name), record)


async def load_installation(tx: Tx, installation_id: InstallationId) -> Installation | None:
    """The installation of that id, or None."""
    return await rows.find(tx, installation, _installation, id=installation_id)


_WITH_INSTALLATION = (
    sa.select(installation, repository)
    .select_from(installation.outerjoin(repository, repository.c.id == sa.bindparam("of_repository")))
    .where(installation.c.id == sa.bindparam("of_installation"))
)


async def load_with_installation(
    tx: Tx, installation_id: InstallationId, repository_id: RepositoryId
) -> tuple[Installation | None, Repository | None]:
    """An installation and a repository, by one statement; both None if the installation is not stored."""
    ids = {"of_installation": installation_id, "of_repository": repository_id}
    row = (await tx.conn.execute(_WITH_INSTALLATION, ids)).one_or_none()
    if row is None:
        return None, None
    found = rows.part(row, repository)
    return _installation(rows.part(row, installation)), None if found["id"] is None else record(found)


async def all_installations(tx: Tx) -> list[Installation]:
    """All installations, removed ones too."""
    return await rows.listed(tx, sa.select(installation), _installation)


async def account_ids(tx: Tx, login: str) -> set[GitHubId]:
    """The ids of all accounts whose last known login is `login`, which is in lower case."""
    installed = sa.select(installation.c.account_id).where(
        sa.func.lower(installation.c.account_login) == login
    )
    owning = sa.select(repository.c.owner_id).where(sa.func.lower(repository.c.owner_login) == login)
    return {GitHubId(number) for number in await tx.conn.scalars(installed.union(owning))}


async def save_installation(tx: Tx, known: Installation) -> None:
    """Store the installation, or overwrite the one of the same id."""
    account = rows.account_values("account", known.account)
    await rows.overwrite(tx, installation, {**rows.values(known, installation), **account})


def record(columns: rows.Columns) -> Repository:
    """The repository of one row of the table."""
    return rows.build(Repository, columns, owner=rows.account(columns, "owner"))


def _installation(columns: rows.Columns) -> Installation:
    return rows.build(Installation, columns, account=rows.account(columns, "account"))
