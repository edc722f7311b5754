"""Counts each repository's deliveries about alerts, to tell those of a flood."""

from collections import Counter

from storage.clock import Clock
from storage.records import RepositoryId

MINUTE = 60.0
"""Seconds in which deliveries are counted."""
FLOOD = 1
"""Deliveries about one repository in a minute. More are worked after those of other repositories, where there are so
many that some have to wait. The second one that GitHub sends for a new alert, about its location, may wait too."""


class DeliveryRates:
    """The deliveries that this process got in the present minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._counts: Counter[RepositoryId] = Counter()

    def note(self, repository: RepositoryId) -> bool:
        """Count one more delivery about a repository; True if it has had too many."""
        now = self._clock.monotonic()
        if now - self._began >= MINUTE:
            self._began = now
            self._counts.clear()
        self._counts[repository] += 1
        return self._counts[repository] > FLOOD
