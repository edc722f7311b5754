"""Repositories and installations are loaded as they were stored."""

from dataclasses import replace

from storage import repositories
from storage.db import Database
from storage.records import InstallationId, InstallationState, RepositoryId, RepositoryState
from tests.storage.examples import BEN, installation, repository


async def test_a_repository_is_overwritten_by_its_id(db: Database) -> None:
    later = replace(
        repository(full_name="octo/Renamed"),
        owner=BEN,
        installation_id=None,
        state=RepositoryState.DELETED,
        delegated_dismissal=True,
    )
    async with db.begin() as tx:
        assert await repositories.load_repository(tx, repository().id) is None
        for known in (repository(), later):
            await repositories.save_repository(tx, known)
            assert await repositories.load_repository(tx, known.id) == known
        assert await repositories.load_by_name(tx, "octo/payments") == []


async def test_a_reused_name_finds_both_repositories_in_any_case(db: Database) -> None:
    async with db.begin() as tx:
        for number, name in ((1, "Octo/Payments"), (2, "octo/payments"), (3, "octo/other")):
            await repositories.save_repository(tx, repository(number, name))
        found = await repositories.load_by_name(tx, "OCTO/PAYMENTS")
    assert [known.id for known in found] == [RepositoryId(2), RepositoryId(1)]


async def test_installation_and_its_repositories(db: Database) -> None:
    removed = replace(installation(), state=InstallationState.REMOVED)
    async with db.begin() as tx:
        for known in (installation(12), installation(), removed):
            await repositories.save_installation(tx, known)
        await repositories.save_repository(tx, repository(1, "octo/b"))
        await repositories.save_repository(tx, repository(2, "octo/a"))
        await repositories.save_repository(tx, replace(repository(3), installation_id=None))
        assert await repositories.load_installation(tx, InstallationId(11)) == removed
        assert await repositories.load_installation(tx, InstallationId(13)) is None
        assert await repositories.load_installation(tx, InstallationId(12)) == installation(12)
        mine = await repositories.repositories_of(tx, InstallationId(11))
    assert [known.full_name for known in mine] == ["octo/a", "octo/b"]
