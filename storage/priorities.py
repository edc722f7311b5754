"""The priority of each job kind, and how many jobs of a priority one process runs at once."""

from collections.abc import Mapping
from enum import IntEnum


class Priority(IntEnum):
    """Lower numbers come first. The numbers are stored."""

    URGENT = -1
    """A delivery about an urgent alert, and the post of its card, whatever else waits."""
    PERSON = 0
    """A person waits for the result."""
    MESSAGE = 1
    """A message in a channel, or to a person who does not wait for it."""
    INTAKE = 2
    """An event of GitHub or Slack, and the work that follows from it."""
    SYNC = 3
    """Comparing GitHub with the store, which is never urgent."""
    FLOOD = 4
    """Deliveries about a repository that has had very many; deliveries about others don't wait for them."""


_KINDS: Mapping[Priority, tuple[str, ...]] = {
    Priority.PERSON: (
        *("act", "look", "fill_form", "button", "shortcut", "command", "outdated", "tell"),
        *("owner_answer", "finish_link"),
    ),
    Priority.MESSAGE: (
        *("message", "tell_identity", "tell_receiver", "owner_message"),
        *("announce_identities", "tell_operators"),
    ),
    Priority.INTAKE: (
        *("delivery", "details", "follow_up", "revoked_look", "keep_validity", "subscribed", "channel"),
        *("redraw_cards", "repository", "assignment", "arrival_check", "approval_lapse"),
        "delete_tokens",
    ),
    Priority.SYNC: ("holders", "sweep", "sweep_installation", "subscription_check", "sync_directory"),
}
PRIORITIES: Mapping[str, Priority] = {kind: priority for priority, kinds in _KINDS.items() for kind in kinds}
"""By job kind."""
CONCURRENCY: Mapping[Priority, int] = {
    Priority.URGENT: 4,
    Priority.PERSON: 20,
    Priority.MESSAGE: 4,
    Priority.INTAKE: 8,
    Priority.SYNC: 2,
    Priority.FLOOD: 4,
}
"""The greatest number of jobs of each priority that run at once in one process.

A process runs 24 jobs at once, so the other priorities always leave two of these for `PERSON`.
"""

CONCURRENCY_IN_A_BURST: Mapping[Priority, int] = {
    **dict.fromkeys(Priority, 1),
    Priority.PERSON: 4,
    Priority.MESSAGE: 4,
    Priority.INTAKE: 4,
}
"""The same in a long burst of incoming requests: ten in all."""


def priority_of(kind: str) -> Priority:
    """The priority of a job kind; INTAKE for a kind that this version does not know."""
    return PRIORITIES.get(kind, Priority.INTAKE)
