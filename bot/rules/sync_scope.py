"""Decides how far back a sync reads, and which of the alerts that it finds are old."""

import re
from dataclasses import dataclass

from integrations.github.facts import AlertFacts, RepositoryFacts
from storage.records import AlertState, StoredJson, UnixTime

FULL_SYNC_INTERVAL = 86400.0
"""Seconds after which a sync reads every alert again, because not every change updates GitHub's `updated_at`."""
OVERLAP = 3600.0
"""Seconds that a sync reads back before the start of the last one."""
SET_UP_LATELY = 86400.0
"""Seconds after a set-up in which the first sync tells alerts from after it from those before."""
CLOCKS_APART = 60.0
"""Seconds by which the clocks of GitHub and Stanch may differ; GitHub's times are whole seconds besides."""
_GENERIC_TYPES = {
    "ec_private_key": (3, 19),
    "generic_private_key": (3, 20),
    "http_basic_authentication_header": (0, 0),
    "http_bearer_authentication_header": (0, 0),
    "mongodb_connection_string": (0, 0),
    "mysql_connection_url": (0, 0),
    "openssh_private_key": (0, 0),
    "password": (0, 0),
    "pgp_private_key": (0, 0),
    "postgres_connection_string": (0, 0),
    "rsa_private_key": (0, 0),
}
"""Generic secret types, each with the first Enterprise Server release that knows it. GitHub's list of alerts leaves
them out unless they are named (GitHub's docs)."""
_RELEASE = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert from GitHub's list, with its repository."""

    repository: RepositoryFacts
    alert: AlertFacts


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """When the last complete sync began (`finished_at`), and the last one that read every alert (`all_at`)."""

    finished_at: UnixTime
    all_at: UnixTime

    @property
    def read_until(self) -> UnixTime:
        """Changes before this time were read."""
        return self.finished_at - OVERLAP

    def to_json(self) -> dict[str, StoredJson]:
        return {"finished_at": self.finished_at, "all_at": self.all_at}


def parse_progress(stored: StoredJson) -> SyncProgress | None:
    """The stored progress of the last sync; None if there was none or it can't be read."""
    match stored:
        case {"finished_at": int() | float() as finished_at, "all_at": int() | float() as all_at}:
            return SyncProgress(float(finished_at), float(all_at))
    return None


def generic_types(version: str | None) -> tuple[str, ...]:
    """The generic secret types that a server knows; `version` is an Enterprise Server's release, None elsewhere.

    For a version that can't be read, only the types that every release knows.
    """
    if version is None:
        return tuple(_GENERIC_TYPES)
    found = _RELEASE.match(version)
    release = (int(found[1]), int(found[2])) if found else (0, 0)
    return tuple(name for name, since in _GENERIC_TYPES.items() if since <= release)


def is_full_sync_due(last: SyncProgress | None, now: UnixTime) -> bool:
    """Whether the next sync has to read every alert instead of the changed ones only."""
    return last is None or now - last.all_at >= FULL_SYNC_INTERVAL


def is_unchanged(facts: AlertFacts, known: tuple[UnixTime, AlertState, str]) -> bool:
    """Whether GitHub's list shows no change to the known `updated_at`, state and validity of an alert."""
    updated_at, state, validity = known
    newer = facts.updated_at is not None and facts.updated_at > updated_at
    return not newer and facts.state == state and facts.validity in (None, validity)


def is_old(facts: AlertFacts, last: SyncProgress | None, set_up_at: UnixTime | None) -> bool:
    """Whether a newly seen alert existed before the last sync, so that it is not announced as new.

    In the first sync these are all alerts; after a set-up, at `set_up_at`, those from before it. In later syncs they
    are alerts of repositories that were added to the installation later.
    """
    since = set_up_at if last is None else last.read_until
    if since is None or facts.created_at is None:
        return last is None
    return facts.created_at < since


def set_up_lately(stored: StoredJson, now: UnixTime) -> UnixTime | None:
    """The stored time of the set-up by GitHub's clock; None without one, and for one that is too long ago."""
    if isinstance(stored, int | float) and now - stored < SET_UP_LATELY:
        return stored - CLOCKS_APART
    return None
