"""How far a sweep has to go, and which of the alerts it finds are old."""

import re
from dataclasses import dataclass

from integrations.github.facts import AlertFacts, RepositoryFacts
from storage.records import AlertState, StoredJson, UnixTime

FULL_SYNC_INTERVAL = 86400.0
"""Seconds after which every alert is looked at once more: not every change moves GitHub's `updated_at`."""
OVERLAP = 3600.0
"""Seconds by which a sweep goes back behind the start of the last one."""
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
"""GitHub's docs: its list leaves generic patterns out unless they are named. With the first Enterprise Server that
knows each one."""
_RELEASE = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert in GitHub's list, with its repository."""

    repository: RepositoryFacts
    alert: AlertFacts


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """When the last complete sweep began, and the last that looked at every alert."""

    finished_at: UnixTime
    all_at: UnixTime

    @property
    def read_until(self) -> UnixTime:
        """What was changed before then has been seen."""
        return self.finished_at - OVERLAP

    def to_json(self) -> dict[str, StoredJson]:
        return {"finished_at": self.finished_at, "all_at": self.all_at}


def parse_progress(stored: StoredJson) -> SyncProgress | None:
    """What an earlier sweep noted; None where there was none."""
    if not isinstance(stored, dict):
        return None
    finished_at, all_at = stored.get("finished_at"), stored.get("all_at")
    if not isinstance(finished_at, int | float) or not isinstance(all_at, int | float):
        return None
    return SyncProgress(float(finished_at), float(all_at))


def generic_types(version: str | None) -> tuple[str, ...]:
    """The generic secret types that a server knows; `version` is an Enterprise Server's, None elsewhere.

    Of a server that does not tell its version, those that every one knows.
    """
    if version is None:
        return tuple(_GENERIC_TYPES)
    found = _RELEASE.match(version)
    release = (int(found[1]), int(found[2])) if found else (0, 0)
    return tuple(name for name, since in _GENERIC_TYPES.items() if since <= release)


def is_full_sync_due(last: SyncProgress | None, now: UnixTime) -> bool:
    """Whether it is time to look at every alert and not at the changed ones alone."""
    return last is None or now - last.all_at >= FULL_SYNC_INTERVAL


def is_unchanged(facts: AlertFacts, known: tuple[UnixTime, AlertState, str]) -> bool:
    """Whether GitHub's list says nothing of an alert that isn't known: `updated_at`, state and validity."""
    updated_at, state, validity = known
    newer = facts.updated_at is not None and facts.updated_at > updated_at
    return not newer and facts.state == state and facts.validity in (None, validity)


def is_old(facts: AlertFacts, last: SyncProgress | None) -> bool:
    """Whether an alert was there before Stanch looked: then it is no news, though we see it for the first time.

    After the first sweep that is so for repositories that were given to the installation later.
    """
    if last is None:
        return True
    return facts.created_at is not None and facts.created_at < last.read_until
