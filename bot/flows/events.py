"""Adding to an alert's timeline."""

from collections.abc import Sequence
from dataclasses import replace

from storage import alerts
from storage.db import Tx
from storage.records import Event


async def store_events(tx: Tx, happened: Sequence[Event]) -> list[Event]:
    """Add entries; returns those that were not there before, with their ids."""
    stored = []
    for event in happened:
        number = await alerts.add_event(tx, event)
        if number is not None:
            stored.append(replace(event, id=number))
    return stored
