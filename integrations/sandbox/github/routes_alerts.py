"""The secret scanning endpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from integrations.sandbox.github import shapes_alerts
from integrations.sandbox.github.calls import Call, Refusal, Route, RouteResponse
from integrations.sandbox.github.paging import cursor_page_of, page_of
from integrations.sandbox.github.records import GitHubAlert
from integrations.sandbox.github.shapes import timestamp
from integrations.sandbox.github.updates import update_alert

METADATA_KEYS = frozenset(
    {
        "owner-email",
        "owner-id",
        "owner-name",
        "secret-id",
        "secret-name",
        "secret-issued-date",
        "secret-expiration-date",
        "organization-name",
        "organization-id",
        "last-used-date",
        "has-organization-access",
    }
)


def list_repository_alerts(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/secret-scanning/alerts`."""
    _require_scanning(call)
    alerts, headers = _page(call, call.github.shown_alerts(call.repository))
    hide = call.flag("hide_secret")
    body = [shapes_alerts.rest_alert(call.github, each, hide_secret=hide, in_list=True) for each in alerts]
    return RouteResponse(200, body, headers)


def list_organization_alerts(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/secret-scanning/alerts`: only of repositories that the token reaches."""
    github = call.github
    reached = [
        repository
        for repository in github.repositories_of(call.organization)
        if repository.secret_scanning and call.principal.reaches(repository)
    ]
    alerts, headers = _page(call, (alert for each in reached for alert in github.shown_alerts(each)))
    hide = call.flag("hide_secret")
    body = [shapes_alerts.organization_alert(github, each, hide_secret=hide) for each in alerts]
    return RouteResponse(200, body, headers)


def get_alert(call: Call) -> RouteResponse:
    """`GET …/alerts/{alert_number}`: with the literal unless `hide_secret=true`."""
    return RouteResponse(
        200, shapes_alerts.rest_alert(call.github, _alert(call), hide_secret=call.flag("hide_secret"))
    )


def patch_alert(call: Call) -> RouteResponse:
    """`PATCH …/alerts/{alert_number}`: the answer always has the literal; there is no `hide_secret`."""
    alert = _alert(call)
    update_alert(call, alert)
    return RouteResponse(200, shapes_alerts.rest_alert(call.github, alert, hide_secret=False))


def list_locations(call: Call) -> RouteResponse:
    """`GET …/alerts/{alert_number}/locations`."""
    locations, headers = page_of(call, _alert(call).locations)
    return RouteResponse(200, [shapes_alerts.location(each) for each in locations], headers)


def get_scan_history(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/secret-scanning/scan-history`."""
    _require_scanning(call)
    at = timestamp(call.github.app_created_at)
    done = {"type": "git", "status": "completed", "started_at": at, "completed_at": at}
    pending = {"type": "git", "status": "pending"}
    return RouteResponse(200, {"backfill_scans": [done if call.repository.scanned else pending]})


def _alert(call: Call) -> GitHubAlert:
    _require_scanning(call)
    alert = call.github.alerts.get((call.repository.id, call.number("alert_number")))
    if alert is None or not call.github.is_shown(alert):
        raise Refusal(404, "Not Found")
    return alert


def _require_scanning(call: Call) -> None:
    if not call.repository.secret_scanning:
        raise Refusal(404, "Secret scanning is disabled on this repository.")


def _page(call: Call, alerts: Iterable[GitHubAlert]) -> tuple[list[GitHubAlert], dict[str, str]]:
    _check_filters(call)
    chosen = [alert for alert in alerts if _matches(call, alert)]
    by_update = call.text("sort") == "updated"
    chosen.sort(
        key=lambda alert: (alert.updated_at if by_update else alert.created_at, alert.id),
        reverse=call.text("direction") != "asc",
    )
    if "before" in call.query or "after" in call.query:
        page, headers = cursor_page_of(call, chosen, [str(alert.id) for alert in chosen])
    else:
        page, headers = page_of(call, chosen)
    return list(page), headers


def _check_filters(call: Call) -> None:
    for included, excluded in (("secret_type", "exclude_secret_types"), ("providers", "exclude_providers")):
        if included in call.query and excluded in call.query:
            raise Refusal(422, f"{included} and {excluded} can't be combined")
    unknown = _values(call, "included_metadata") - METADATA_KEYS
    if unknown:
        raise Refusal(422, "included_metadata names an unknown key")


def _matches(call: Call, alert: GitHubAlert) -> bool:
    return _matches_kind(call, alert) and _matches_condition(call, alert)


def _matches_kind(call: Call, alert: GitHubAlert) -> bool:
    types = _values(call, "secret_type")
    # GitHub's docs: without secret_type only default patterns come back; generic ones must be named.
    if alert.secret_type not in types if types else alert.category == "generic":
        return False
    providers = _values(call, "providers")
    if providers and alert.provider_slug not in providers:
        return False
    return alert.secret_type not in _values(
        call, "exclude_secret_types"
    ) and alert.provider_slug not in _values(call, "exclude_providers")


def _matches_condition(call: Call, alert: GitHubAlert) -> bool:
    values = {
        "state": alert.state,
        "resolution": alert.resolution,
        "validity": alert.validity,
    }
    if any(_values(call, name) and value not in _values(call, name) for name, value in values.items()):
        return False
    flags = {
        "is_publicly_leaked": alert.publicly_leaked,
        "is_multi_repo": alert.multi_repo,
        "is_bypassed": alert.bypassed_by is not None,
    }
    if any(call.flag(name) and not value for name, value in flags.items()):
        return False
    keys = {key.replace("_", "-") for key in alert.metadata}
    owner_hash = hashlib.sha256(alert.metadata.get("owner_email", "").encode()).hexdigest()
    if call.text("owner_email_hash") not in (None, owner_hash):
        return False
    return _values(call, "included_metadata") <= keys and _matches_assignee(call, alert)


def _matches_assignee(call: Call, alert: GitHubAlert) -> bool:
    assignee = call.text("assignee")
    if assignee is None:
        return True
    if assignee in ("*", "none"):
        return (alert.assigned_to is not None) == (assignee == "*")
    return alert.assigned_to is not None and alert.assigned_to.login.lower() == assignee.lower()


def _values(call: Call, name: str) -> set[str]:
    text = call.text(name)
    return set(text.split(",")) if text else set()


READ = (("secret_scanning_alerts", "read"),)
WRITE = (("secret_scanning_alerts", "write"),)
ROUTES = (
    Route("secret-scanning/list-alerts-for-org", list_organization_alerts, "installation", READ),
    Route("secret-scanning/list-alerts-for-repo", list_repository_alerts, "installation", READ),
    Route("secret-scanning/get-alert", get_alert, "installation", READ),
    Route("secret-scanning/update-alert", patch_alert, "installation", WRITE),
    Route("secret-scanning/get-scan-history", get_scan_history, "installation", READ),
    Route("secret-scanning/list-locations-for-alert", list_locations, "installation", READ),
)
