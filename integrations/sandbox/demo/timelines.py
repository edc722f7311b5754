"""What happened to each alert, as its page on GitHub lists it: each changed value with the one before."""

from dataclasses import dataclass

from integrations.sandbox.github import GitHubAlert, GitHubChange

RESOLUTION_WORDS = {
    "revoked": "revoked",
    "false_positive": "false positive",
    "used_in_tests": "used in tests",
    "wont_fix": "won't fix",
}
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value that changed: its name, both values in words. `old` is None where the alert was found."""

    at: float
    by: str | None
    what: str
    old: str | None
    new: str


class Timelines:
    """The entries of every alert by repository id and number."""

    def __init__(self, alerts: dict[Key, GitHubAlert]) -> None:
        self._alerts = alerts
        self._values: dict[Key, dict[str, str]] = {}
        self._entries: dict[Key, list[Entry]] = {}

    def record(self, change: GitHubChange) -> None:
        """Compare the alert of a change with what it was before."""
        if change.repository_id is None or change.alert_number is None:
            return
        key = (change.repository_id, change.alert_number)
        values, before = _values(self._alerts[key]), self._values.get(key)
        entries = self._entries.setdefault(key, [])
        if before is None:
            entries.append(Entry(change.at, "GitHub", "found", None, values["state"]))
        else:
            entries.extend(
                Entry(change.at, change.by, what, before[what], new)
                for what, new in values.items()
                if new != before[what]
            )
        self._values[key] = values

    def of(self, alert: GitHubAlert) -> list[Entry]:
        """The alert's entries, the oldest first."""
        return self._entries.get((alert.repository.id, alert.number), [])


def _values(alert: GitHubAlert) -> dict[str, str]:
    resolution = RESOLUTION_WORDS.get(alert.resolution or "", alert.resolution)
    return {
        "state": "open" if alert.state == "open" else f"closed as {resolution}",
        "validity": alert.validity,
        "assignee": alert.assigned_to.login if alert.assigned_to else "nobody",
        "public leak": "yes" if alert.publicly_leaked else "no",
        "locations": str(len(alert.locations)),
    }
