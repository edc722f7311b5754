"""Decides from GitHub's log what state the deliveries of webhooks are in. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.github.app_facts import DeliveryFacts


@dataclass(frozen=True, slots=True)
class DeliveryHealth:
    """The deliveries of a time, each counted once however often it was tried."""

    number: int
    failed: int
    """Those of which no attempt succeeded."""
    last: DeliveryFacts | None
    """The latest attempt of all; None without any."""
    last_failure: DeliveryFacts | None
    """The latest attempt at a delivery that has failed."""


def delivery_health(attempts: Iterable[DeliveryFacts]) -> DeliveryHealth:
    """Sum the attempts up; they come with the latest one first."""
    listed = list(attempts)
    succeeded = {attempt.guid for attempt in listed if attempt.ok}
    failures = [attempt for attempt in listed if attempt.guid not in succeeded]
    return DeliveryHealth(
        number=len({attempt.guid for attempt in listed}),
        failed=len({attempt.guid for attempt in failures}),
        last=listed[0] if listed else None,
        last_failure=failures[0] if failures else None,
    )
