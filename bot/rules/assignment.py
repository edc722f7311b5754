"""Keeps GitHub's assignee and the person who took the alert in Stanch in step."""

from dataclasses import dataclass, replace

from bot.rules.rights import Rights
from integrations.github.facts import AlertFacts
from storage.records import Account, Alert, GitHubId, Person


@dataclass(frozen=True, slots=True)
class Assignment:
    """The new assignee to write to GitHub: an account, or None to unassign."""

    account: Account | None


def may_be_assigned(alert: Alert, rights: Rights) -> bool:
    """Whether Stanch may assign the person on the alert, who has these rights.

    An assignee may see and resolve the alert. So Stanch assigns only a person who may resolve by role, or who got the
    alert from such a person by a hand over that grants it. GitHub requires write access of an assignee.
    """
    hand_over = alert.hand_over
    allowed = rights.resolve_by_role if hand_over is None else hand_over.grants
    return allowed and rights.write


def is_free_to_assign(alert: Alert) -> bool:
    """Whether Stanch may change GitHub's assignee: there is none, or Stanch set it."""
    ours, now = alert.assigned_by_us, alert.assigned_to
    return now is None or (ours is not None and ours.id == now.id)


def assignment_change(alert: Alert, *, may_be_assigned: bool) -> Assignment | None:
    """The change that Stanch makes to GitHub's assignee; None for no change.

    Stanch assigns only the person who is on the alert, and only if `may_be_assigned` says so. An assignee that
    somebody else set on GitHub is never changed.
    """
    now = alert.assigned_to
    if not is_free_to_assign(alert):
        return None
    holder = alert.taken_by.github if alert.taken_by else None
    target = holder if may_be_assigned else None
    if now is not None:
        # Unassign before assigning another person: if the second call fails, nobody is assigned wrongly.
        return None if target is not None and target.id == now.id else Assignment(None)
    # A closed alert needs no assignee.
    return Assignment(target) if target is not None and alert.is_open else None


def keep_answered_assignee(merged: Alert, facts: AlertFacts) -> Alert:
    """The merged alert; its assignee is removed unless `facts`, GitHub's current answer, name the same account.

    An assignment gives rights, so a stored one is not enough, and neither is an answer older than the stored one.
    """
    named = facts.assigned_to.id if facts.assigned_to else None
    same = merged.assigned_to is not None and merged.assigned_to.id == named
    return merged if same else replace(merged, assigned_to=None)


def follow_assignment(before: Alert | None, after: Alert, assignee: Person | None) -> Alert:
    """Apply a change of GitHub's assignee to `taken_by`: a new assignee is on the alert, an unassigned one is not.

    A different person who took the alert in Stanch stays on it. `assignee` is GitHub's new assignee, with their Slack
    user if known. `assigned_by_us` is cleared once GitHub names another account, or nobody.
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
    """Whether Stanch made this change itself: it assigned who took the alert, or unassigned who stepped back."""
    if after.assigned_to is not None:
        return _id(after.assigned_to) == _id(before.assigned_by_us)
    holder = before.taken_by.github if before.taken_by else None
    ours = _id(before.assigned_to) == _id(before.assigned_by_us)
    return ours and _id(holder) != _id(before.assigned_to)


def _id(account: Account | None) -> GitHubId | None:
    return account.id if account else None
