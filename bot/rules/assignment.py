"""GitHub's assignee of an alert, beside whoever took the alert here: what Stanch writes to GitHub, if anything."""

from dataclasses import dataclass

from storage.records import Account, Alert


@dataclass(frozen=True, slots=True)
class Assignment:
    """What GitHub's assignee becomes: an account, or nobody (None)."""

    account: Account | None


def assignment(alert: Alert, *, may_be_assigned: bool) -> Assignment | None:
    """How Stanch changes GitHub's assignee; None where it stays as it is.

    Assigning grants the right to see and to resolve, so only whoever took the alert and `may_be_assigned` (may
    resolve by role, has write access) is assigned, where nobody is or where Stanch set the assignee. What somebody
    else set on GitHub is never changed.
    """
    ours, now = alert.assigned_by_us, alert.assigned_to
    if now is not None and (ours is None or ours.id != now.id):
        return None
    holder = alert.taken_by.github if alert.taken_by else None
    target = holder if may_be_assigned else None
    if now is not None:
        # First nobody, then somebody else: an answer that is lost between the two leaves nobody behind.
        return None if target is not None and target.id == now.id else Assignment(None)
    # An alert that is closed meanwhile needs no assignee any more.
    return Assignment(target) if target is not None and alert.is_open else None
