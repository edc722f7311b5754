"""GitHub's assignee of an alert, beside whoever took the alert here: what Stanch writes to GitHub, if anything."""

from dataclasses import dataclass, replace

from integrations.github.facts import AlertFacts
from storage.records import (
    Account,
    Alert,
    GitHubId,
    Person,
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What GitHub's assignee becomes: an account, or nobody (None)."""

    account: Account | None


def assignment_change(alert: Alert, *, may_be_assigned: bool) -> Assignment | None:
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


def keep_answered_assignee(merged: Alert, facts: AlertFacts) -> Alert:
    """The merged alert, with its assignee only where GitHub's answer of this moment names the same account.

    Being assigned gives rights, so neither a stored assignment nor an answer that is older than it is enough.
    """
    named = facts.assigned_to.id if facts.assigned_to else None
    same = merged.assigned_to is not None and merged.assigned_to.id == named
    return merged if same else replace(merged, assigned_to=None)


def follow_assignment(before: Alert | None, after: Alert, assignee: Person | None) -> Alert:
    """Follow a change of GitHub's assignee: with nobody on the alert, the new one is; an unassigned one no longer is.

    Somebody else who took the alert here stays on it. `assignee` is the person that GitHub names now, with their
    Slack user where it is known. Whom Stanch assigned is forgotten once GitHub names somebody else, or nobody.
    """
    was, now = _id(before.assigned_to if before else None), _id(after.assigned_to)
    if now == was:
        return after
    if after.assigned_by_us is not None and after.assigned_by_us.id != now:
        after = replace(after, assigned_by_us=None)
    if after.taken_by is not None and _id(after.taken_by.github) != was:
        return after
    return replace(after, taken_by=assignee, taken_at=after.updated_at if assignee else None)


def is_our_assignment(before: Alert, after: Alert) -> bool:
    """Whether Stanch assigned whoever is assigned now, or unassigned whoever stepped back: that is no news."""
    if after.assigned_to is not None:
        return _id(after.assigned_to) == _id(before.assigned_by_us)
    holder = before.taken_by.github if before.taken_by else None
    ours = _id(before.assigned_to) == _id(before.assigned_by_us)
    return ours and _id(holder) != _id(before.assigned_to)


def _id(account: Account | None) -> GitHubId | None:
    return account.id if account else None
