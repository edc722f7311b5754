"""The rules of GitHub's "Update a secret scanning alert"; all are checked before anything changes."""

from __future__ import annotations

from typing import cast

from integrations.sandbox.github.calls import Call, Refusal
from integrations.sandbox.github.records import GitHubAlert, GitHubUser, Organization, Validity
from integrations.sandbox.github.rights import has_write_access, is_owner, is_security_manager
from integrations.sandbox.github.sign_in_records import AuditLogEntry

COMMENT_LENGTH = 280
"""The limit of GitHub's web form; the description of its API has none."""


def update_alert(call: Call, alert: GitHubAlert) -> None:
    """Apply a PATCH body, or raise the `Refusal` that GitHub documents.

    400: comment invalid or resolution unchanged. 403: delegated dismissal, or an archived repository. 422: the rest.
    """
    body = call.body
    if alert.repository.archived:
        raise Refusal(403, "Repository was archived so is read-only.")
    for name, since in (("assignee", (3, 20)), ("validity", (3, 22))):
        if name in body and not call.github.is_at_least(since):
            raise Refusal(422, f"{name} is not a permitted key")
    if "state" in body:
        _check_state(call, alert)
    elif body.get("resolution") is not None or body.get("resolution_comment") is not None:
        raise Refusal(422, "resolution and resolution_comment need a state")
    assignee = _assignee(call, alert) if body.get("assignee") is not None else None
    if "validity" in body and not alert.accepts_validity:
        raise Refusal(422, "validity could not be applied to this alert")
    _apply(call, alert, assignee)


def _check_state(call: Call, alert: GitHubAlert) -> None:
    state, resolution = call.body["state"], call.body.get("resolution")
    comment = call.body.get("resolution_comment")
    if state == "resolved" and resolution is None:
        raise Refusal(422, "resolution is required when state is resolved")
    if state == "open" and resolution is not None:
        raise Refusal(422, "resolution must be null when state is open")
    if state == alert.state and resolution == alert.resolution:
        raise Refusal(400, "Alert already has this state and resolution")
    if isinstance(comment, str) and len(comment) > COMMENT_LENGTH:
        raise Refusal(400, f"resolution_comment is longer than {COMMENT_LENGTH} characters")
    if state == "resolved" and alert.repository.delegated_dismissal and not _reviews_dismissals(call, alert):
        raise Refusal(403, "Alert dismissal requires approval by a reviewer")


def _reviews_dismissals(call: Call, alert: GitHubAlert) -> bool:
    user = call.principal.user
    if user is None:
        return alert.repository.app_reviews_dismissals
    owner = alert.repository.owner
    return isinstance(owner, Organization) and (is_owner(owner, user) or is_security_manager(owner, user))


def _assignee(call: Call, alert: GitHubAlert) -> GitHubUser:
    user = call.github.user(str(call.body["assignee"]))
    if user is None or not has_write_access(alert.repository, user):
        raise Refusal(422, "assignee must have write access to the repository")
    return user


def _apply(call: Call, alert: GitHubAlert, assignee: GitHubUser | None) -> None:
    body = call.body
    actor = call.principal.user or call.github.bot
    comment = cast("str | None", body.get("resolution_comment"))
    _audit(call, alert, actor)
    if body.get("state") == "resolved":
        call.alerts.close(alert, actor, str(body["resolution"]), comment)
    elif body.get("state") == "open":
        call.alerts.reopen(alert, actor, comment)
    if "validity" in body:
        call.alerts.override_validity(alert, cast("Validity | None", body["validity"]), actor)
    if "assignee" not in body or assignee is alert.assigned_to:
        return
    if assignee is None:
        call.alerts.unassign(alert, actor)
    else:
        call.alerts.assign(alert, assignee, actor)


def _audit(call: Call, alert: GitHubAlert, actor: GitHubUser) -> None:
    """GitHub's docs: the audit log names the person whose token it was, and that an App used it."""
    by_app = call.principal.kind == "installation" or (
        call.principal.live_token is not None and call.principal.live_token.kind == "app_user"
    )
    access = "user-to-server" if call.principal.user else "server-to-server"
    call.github.audit_log.append(
        AuditLogEntry(
            call.github.now(),
            actor.login,
            f"GitHub App {access} token" if by_app else None,
            alert.repository.id,
            alert.number,
            tuple(sorted(call.body)),
        )
    )
