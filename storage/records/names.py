"""The ids of both platforms and of the store, and the key of an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType, TypeAlias

UnixTime: TypeAlias = float
"""Seconds since 1970-01-01T00:00:00Z."""

StoredJson: TypeAlias = "str | int | float | bool | Sequence[StoredJson] | Mapping[str, StoredJson] | None"

RepositoryId = NewType("RepositoryId", int)
AlertNumber = NewType("AlertNumber", int)
InstallationId = NewType("InstallationId", int)
GitHubId = NewType("GitHubId", int)
"""A GitHub account's numeric id, which stays when its login changes."""
SlackTeamId = NewType("SlackTeamId", str)
SlackUserId = NewType("SlackUserId", str)
ChannelId = NewType("ChannelId", str)
MessageTs = NewType("MessageTs", str)
JobId = NewType("JobId", int)
MessageKey = NewType("MessageKey", str)
"""The opaque key by which Slack's copy of a message is found again, so that none is posted twice."""


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """Identifies an alert: the repository's numeric id, and the alert's number in it."""

    repository_id: RepositoryId
    number: AlertNumber

    def __str__(self) -> str:
        return f"{self.repository_id}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "AlertKey":
        """Parse `<repository_id>/<alert_number>`; raises ValueError for anything else."""
        repository, slash, number = text.partition("/")
        parts = (repository, number)
        if not slash or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
            raise ValueError("not an alert key")
        return cls(RepositoryId(int(repository)), AlertNumber(int(number)))
