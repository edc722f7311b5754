"""Checks the database: its file, its server, its schema, and the key of the audit log."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bot.database import SLACK_TEAM
from bot.flows.doctor.examined import Examined, StoredFacts
from bot.flows.messages.time_away import RUNNING_AT
from bot.rules.check_results import CheckResult, fault, note, ok, warning
from bot.rules.file_systems import NETWORK, file_system_of
from storage import audit, identities, move, saved_values, subscriptions
from storage.db import Database, StorageUnavailable
from storage.migrations import HEAD, VERSIONS

LITTLE_SPACE = 200_000_000
"""Bytes that should be free beside a SQLite file; a sync of 100,000 alerts takes about so many."""


async def check_database(examined: Examined) -> list[CheckResult]:
    """The database is neither created nor migrated, and no mode of a file is changed."""
    db = examined.db
    if db is None:
        return []
    found = _usable_file(db.path, examined.mounts) if db.path is not None else []
    if any(result.level == "fault" for result in found):
        return found
    try:
        revision = await db.revision()
        if revision is None:
            return [*found, note("database.empty", db.name)]
        if revision != HEAD:
            return [*found, _other_schema(db.name, revision)]
        async with db.read() as tx:
            source, keyed = await move.unfinished(tx), await audit.last_row_verifies(tx)
    except StorageUnavailable as error:
        return [*found, fault("database.unreachable", db.name, reason=str(error))]
    if source is not None:
        return [*found, fault("database.move_unfinished", db.name, source=source)]
    if not keyed:
        found.append(fault("database.other_audit_key", db.name))
    if not found:
        found.append(ok("database.ok", db.name, version=VERSIONS[HEAD]))
    return found


async def read_stored(db: Database | None) -> StoredFacts:
    """What the other checks need; nothing where the database can't be read, which is a finding of its own."""
    if db is None:
        return StoredFacts()
    try:
        if not await db.is_migrated():
            return StoredFacts()
        async with db.read() as tx:
            if await move.unfinished(tx) is not None:
                return StoredFacts()
            team, running = await saved_values.load(tx, SLACK_TEAM), await saved_values.load(tx, RUNNING_AT)
            return StoredFacts(
                team=team if isinstance(team, str) else None,
                subscriptions=tuple(await subscriptions.all_subscriptions(tx)),
                identities=tuple(await identities.all_identities(tx)),
                running_at=float(running) if isinstance(running, int | float) else 0.0,
                is_known=True,
            )
    except StorageUnavailable:
        return StoredFacts()


def _usable_file(path: Path, mounts: str) -> list[CheckResult]:
    try:
        return list(_file(path, mounts))
    except OSError:  # A folder above it that this user may not enter, or a name that is too long.
        return [fault("database.not_writable", str(path), folder=path.parent)]


def _file(path: Path, mounts: str) -> Iterator[CheckResult]:
    """What is wrong with SQLite's file and its folder."""
    folder = path.resolve().parent
    if not folder.is_dir():
        yield fault("database.no_folder", str(path), folder=folder)
        return
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
        yield fault("database.not_writable", str(path), folder=folder)
        return
    system = file_system_of(PurePosixPath(folder), mounts)
    if system in NETWORK:
        yield warning("database.on_network", str(path), system=system)
    if path.exists() and path.stat().st_mode & 0o077:
        yield warning("database.open_file", str(path), mode=f"{path.stat().st_mode & 0o777:04o}")
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        yield warning("database.little_space", str(folder), megabytes=free // 1_000_000)


def _other_schema(name: str, revision: str) -> CheckResult:
    if revision in VERSIONS:
        return fault("database.not_migrated", name, version=VERSIONS[revision])
    return fault("database.newer", name)
