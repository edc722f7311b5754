"""Decides whether an alert may be handed over to somebody, and what that changes on GitHub."""

from enum import StrEnum

from bot.rules.assignment import is_free_to_assign
from bot.rules.case import PersonalCase, Receiver
from bot.rules.rights import Rights


class Effect(StrEnum):
    """What a possible hand over changes on GitHub."""

    GRANT = "grant"
    """The receiver becomes GitHub's assignee, and may see and resolve the alert by that alone."""
    ASSIGN = "assign"
    """The receiver becomes GitHub's assignee, and may resolve the alert anyway."""
    SHOWN = "shown"
    """The receiver is GitHub's assignee already."""
    NOT_ASSIGNED = "not_assigned"
    """GitHub takes them not as the assignee, or has another one."""
    NOT_WRITTEN = "not_written"
    """The giver may not resolve the alert by role, so Stanch writes nothing for them."""
    LATER = "later"
    """GitHub does not answer now: the receiver's role is checked, and the assignee set, when it is back."""


class Obstacle(StrEnum):
    """Why an alert can't be handed over to that person. Stored in the audit log."""

    YOURSELF = "yourself"
    ON_IT = "on_it"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OTHER_ORGANIZATION = "other_organization"
    GUEST = "guest"
    NOT_LINKED = "not_linked"
    UNKNOWN_PERSON = "unknown_person"
    SLACK_UNREACHABLE = "slack_unreachable"
    NO_VIEW = "no_view"
    """The receiver may not view the alert, and the giver may not change that."""
    NO_VIEW_OFFLINE = "no_view_offline"
    """The receiver could not view the alert when GitHub was asked last."""
    NO_ASSIGNEES = "no_assignees"
    """The receiver may not view the alert, and this GitHub server has no assignees."""
    NO_WRITE = "no_write"
    """The same, and GitHub takes only people with write access as assignees."""
    OTHER_ASSIGNEE = "other_assignee"
    """The same, and somebody else is the assignee on GitHub."""


def hand_over_effect(case: PersonalCase, receiver: Receiver) -> Effect | Obstacle:
    """What handing the alert over to the receiver changes on GitHub, or why it is not possible.

    An assignee may see and resolve an alert (GitHub's changelog, 2025-11-25), so an assignment can grant these
    rights. Only a person who may resolve the alert by role makes one. Others hand over to people who may view the
    alert, and nothing is written to GitHub.
    """
    obstacle = _obstacle(case, receiver)
    if obstacle is not None or receiver.rights is None or receiver.identity is None:
        return obstacle or Obstacle.NOT_LINKED
    rights, assignee = receiver.rights, case.alert.assigned_to
    if case.offline:
        return Effect.LATER if rights.view else Obstacle.NO_VIEW_OFFLINE
    if not case.actor.rights.resolve_by_role:
        return Effect.NOT_WRITTEN if rights.view else Obstacle.NO_VIEW
    if assignee is not None and assignee.id == receiver.identity.github.id and rights.view:
        return Effect.SHOWN
    unassignable = _unassignable(case, rights)
    if unassignable is not None:
        return Effect.NOT_ASSIGNED if rights.view else unassignable
    return Effect.ASSIGN if rights.resolve_by_role else Effect.GRANT


def _obstacle(case: PersonalCase, receiver: Receiver) -> Obstacle | None:
    """What does not depend on the receiver's rights."""
    holder = case.alert.taken_by
    if receiver.user == case.actor.identity.slack_user:
        return Obstacle.YOURSELF
    if receiver.outsider is not None:
        return Obstacle(receiver.outsider)
    account = receiver.identity.github.id if receiver.identity else None
    if holder is not None and holder.github is not None and holder.github.id == account:
        return Obstacle.ON_IT
    return None


def _unassignable(case: PersonalCase, rights: Rights) -> Obstacle | None:
    """Why Stanch can't make the receiver GitHub's assignee."""
    if not case.server.assigns:
        return Obstacle.NO_ASSIGNEES
    if not rights.write:
        return Obstacle.NO_WRITE
    return None if is_free_to_assign(case.alert) else Obstacle.OTHER_ASSIGNEE
