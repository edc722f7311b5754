"""Decides who may approve or deny a report that another person asked for, and what ends such a request. Pure."""

from collections.abc import Sequence

from bot.rules.case import PersonalCase
from bot.rules.owner_message import PROVEN
from bot.rules.validity import effective_validity
from storage.records import Alert, Approval, ApprovalState, ReportFacts, Repository, UnixTime

LASTS = 3600.0
"""Seconds in which a second person can approve, and for which a person can't ask again after a denial."""
MOST_ASKED = 50
"""People of a repository whose roles are looked at before somebody goes ahead alone."""

OF_REPOSITORY = ("visibility",)
OF_ALERT = (*OF_REPOSITORY, "validity", "token_owner")
"""Fields of `ReportFacts`."""


def named_request(value: object) -> str | None:
    """The request that a button's value names: the third part of `<repository_id>/<alert_number>/<request>`."""
    _, _, rest = value.partition("/") if isinstance(value, str) else ("", "", "")
    return rest.partition("/")[2] or None


def facts_of(alert: Alert, repository: Repository, role: str) -> ReportFacts:
    """The facts of a request for approval that a person of this role makes now."""
    owner = alert.token.owner
    return ReportFacts(
        validity=effective_validity(alert),
        visibility=repository.visibility,
        token_owner=str(owner.id) if owner else alert.token.owner_name,
        role=role,
    )


def is_to_be_approved(case: PersonalCase) -> bool:
    """Whether a second person has to approve this report first."""
    return case.options.report.needs_approval and not case.is_approved_run


def ask_obstacle(case: PersonalCase) -> str | None:
    """Why this person can't ask for approval now, as one short word; None if they can."""
    if case.approval is not None:
        return "awaits_approval"
    if case.denied_at is not None and case.now < case.denied_at + LASTS:
        return "denied_before"
    return None


def decision_obstacle(case: PersonalCase) -> str | None:
    """Why this person can't approve or deny the request that their button names, as one short word; None if they can.

    `case.approval` is that request. Whether it can still be reported is checked besides.
    """
    approval, identity = case.approval, case.actor.identity
    if approval is None:
        return "approval_unknown"
    if approval.state is not ApprovalState.OPEN:
        return f"approval_{approval.state}"
    if case.now >= approval.expires_at:
        return "approval_lapsed"
    if approval.is_by_user(identity.slack_user) or approval.is_by_account(identity.github.id):
        return "self_approval"
    if identity.proof not in PROVEN:
        return "weak_link"
    if identity.linked_at >= approval.requested_at:
        return "linked_later"
    return None if case.actor.rights.view_by_role else "not_by_role"


def alone_obstacle(case: PersonalCase) -> str | None:
    """Why the person who asked can't go ahead alone, as one short word; None if they can.

    For somebody whose `decision_obstacle` is `self_approval`.
    """
    at, identity = alone_at(case), case.actor.identity
    if case.approval is None or at is None or not _asked(case.approval, case):
        return "self_approval"
    if case.now < at:
        return "alone_later"
    if identity.proof not in PROVEN:
        return "weak_link"
    if not case.actor.rights.view_by_role:
        return "not_by_role"
    return {False: None, True: "others_can", None: "others_unknown"}[case.others_can_approve]


def alone_at(case: PersonalCase) -> UnixTime | None:
    """From when on the person who asked may go ahead alone, if GitHub names nobody else; None: never."""
    minutes = case.options.report.alone_after
    if case.approval is None or minutes is None:
        return None
    return case.approval.requested_at + minutes * 60.0


def run_obstacle(case: PersonalCase) -> str | None:
    """Why the report is not sent though it was approved, as one short word; None if it is.

    A report that waited for GitHub's limit, or whose run was interrupted, may have changed the facts of the token.
    Then only the repository and the person's role are compared.
    """
    approval = case.approval
    if approval is None:
        return "approval_unknown"
    if approval.state is not ApprovalState.APPROVED:
        return f"approval_{approval.state}"
    if not _asked(approval, case):
        return "other_account"
    began = case.waited or case.resumed
    if not began and case.now >= (approval.decided_at or approval.requested_at) + LASTS:
        return "approval_lapsed"
    names = OF_REPOSITORY if began else OF_ALERT
    return change_obstacle(case, (*names, "role"))


def change_obstacle(case: PersonalCase, names: Sequence[str] = OF_ALERT) -> str | None:
    """Which of these facts has changed since the request, as one short word; None if none has.

    The role is that of the person who acts, so it is compared only for the person who asked.
    """
    if case.approval is None:
        return None
    before = case.approval.facts
    now = facts_of(case.alert, case.repository, case.actor.rights.role)
    changed = next((name for name in names if getattr(before, name) != getattr(now, name)), None)
    return f"{changed}_changed" if changed else None


def _asked(approval: Approval, case: PersonalCase) -> bool:
    """Whether the person who acts made the request, with the same GitHub account as now."""
    identity = case.actor.identity
    return approval.is_by_user(identity.slack_user) and approval.is_by_account(identity.github.id)
