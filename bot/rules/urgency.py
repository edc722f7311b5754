"""Table of how urgent an alert is, by the validity and the exposure of its secret."""

from collections.abc import Mapping
from enum import StrEnum

from bot.rules.validity import effective_validity
from integrations.github.facts import AlertFacts, RepositoryFacts
from storage.records import Alert, Repository


class Urgency(StrEnum):
    """Ordered from the most to the least urgent. The words are stored."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


# By validity, and by whether the secret is exposed. While the validity is unknown, a bypass of push protection counts
# as exposure.
TABLE: Mapping[tuple[str, bool], Urgency] = {
    ("active", True): Urgency.CRITICAL,
    ("active", False): Urgency.HIGH,
    ("unknown", True): Urgency.HIGH,
    ("unknown", False): Urgency.NORMAL,
    ("inactive", True): Urgency.LOW,
    ("inactive", False): Urgency.LOW,
}
URGENT = frozenset({Urgency.CRITICAL, Urgency.HIGH})
"""Those that get a card of their own in a flood, or beyond a limit are named in its summary."""
ORDER = tuple(Urgency)


def urgency(alert: Alert, repository: Repository) -> Urgency:
    """The urgency of an open alert; any validity but `active` and `inactive` counts as `unknown`."""
    exposed = alert.publicly_leaked or alert.multi_repo or repository.is_public
    return _level(effective_validity(alert), exposed=exposed, bypassed=alert.bypassed)


def delivered_urgency(alert: AlertFacts, repository: RepositoryFacts) -> Urgency:
    """The urgency of an open alert by what a delivery says alone."""
    exposed = bool(alert.publicly_leaked or alert.multi_repo or repository.visibility == "public")
    return _level(alert.validity or "unknown", exposed=exposed, bypassed=bool(alert.bypassed))


def _level(validity: str, *, exposed: bool, bypassed: bool) -> Urgency:
    known = validity if validity in {"active", "inactive"} else "unknown"
    return TABLE[known, exposed or (known == "unknown" and bypassed)]
