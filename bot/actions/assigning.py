"""The job that follows whenever somebody takes an alert or steps back: GitHub's assignee, in its own time."""

from storage.records import AlertKey, NewJob


def settling(key: AlertKey) -> NewJob:
    """Brings GitHub's assignee in line with whoever is on the alert, as soon as GitHub answers."""
    return NewJob("assignment", {"alert": str(key)}, key=f"assignment:{key}")
