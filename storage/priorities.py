"""Which jobs come first, and how many of each sort run at once in one process."""

from collections.abc import Mapping
from enum import IntEnum


class Priority(IntEnum):
    """Lower comes first. The numbers are stored."""

    PERSON = 0
    """Somebody waits for it."""
    MESSAGE = 1
    """A message in a channel, or to a person who did not ask for it."""
    INTAKE = 2
    """What GitHub or Slack tells, and what follows from it later."""
    SYNC = 3
    """Comparing with GitHub: nothing of it is urgent."""


PRIORITIES: Mapping[str, Priority] = {
    "act": Priority.PERSON,
    "look": Priority.PERSON,
    "fill_form": Priority.PERSON,
    "button": Priority.PERSON,
    "shortcut": Priority.PERSON,
    "command": Priority.PERSON,
    "outdated": Priority.PERSON,
    "tell": Priority.PERSON,
    "message": Priority.MESSAGE,
    "tell_identity": Priority.MESSAGE,
    "delivery": Priority.INTAKE,
    "details": Priority.INTAKE,
    "follow_up": Priority.INTAKE,
    "revoked_look": Priority.INTAKE,
    "keep_validity": Priority.INTAKE,
    "subscribed": Priority.INTAKE,
    "channel": Priority.INTAKE,
    "redraw_cards": Priority.INTAKE,
    "repository": Priority.INTAKE,
    "assignment": Priority.INTAKE,
    "holders": Priority.SYNC,
    "sweep": Priority.SYNC,
    "sweep_installation": Priority.SYNC,
}
"""By kind of job."""
CONCURRENCY: Mapping[Priority, int] = {
    Priority.PERSON: 16,
    Priority.MESSAGE: 4,
    Priority.INTAKE: 8,
    Priority.SYNC: 2,
}
"""So many of each run at once in one process: all others together leave two of its 16 places to people."""


def priority_of(kind: str) -> Priority:
    """A kind's priority; one that this version does not know is taken like a delivery."""
    return PRIORITIES.get(kind, Priority.INTAKE)
