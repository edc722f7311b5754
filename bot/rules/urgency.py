"""How urgent an alert is, by what is known of its secret."""

from collections.abc import Mapping
from enum import StrEnum

from bot.rules.validity import effective_validity
from storage.records import Alert, Repository


class Urgency(StrEnum):
    """The most urgent first. The words are stored."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def is_urgent(self) -> bool:
        """Whether such an alert may never be swallowed by a summary."""
        return self in URGENT


# By whether the secret works, and whether that is the worse for it: it is exposed, or, as long as it is not known
# whether it works, it was pushed past push protection.
TABLE: Mapping[tuple[str, bool], Urgency] = {
    ("active", True): Urgency.CRITICAL,
    ("active", False): Urgency.HIGH,
    ("unknown", True): Urgency.HIGH,
    ("unknown", False): Urgency.NORMAL,
    ("inactive", True): Urgency.LOW,
    ("inactive", False): Urgency.LOW,
}
URGENT = frozenset({Urgency.CRITICAL, Urgency.HIGH})
ORDER = tuple(Urgency)


def urgency(alert: Alert, repository: Repository) -> Urgency:
    """The urgency of an open alert; a validity that nobody knows counts as not known."""
    exposed = alert.publicly_leaked or alert.multi_repo or repository.is_public
    validity = effective_validity(alert)
    known = validity if validity in {"active", "inactive"} else "unknown"
    return TABLE[known, exposed or (known == "unknown" and alert.bypassed)]
