"""The App's own endpoints: installations, tokens and webhook deliveries."""

from __future__ import annotations

from typing import cast

from integrations.sandbox.github import shapes, shapes_app
from integrations.sandbox.github.authentication import mint_token
from integrations.sandbox.github.calls import Call, Refusal, Route, RouteResponse
from integrations.sandbox.github.deliveries import WebhookDelivery
from integrations.sandbox.github.paging import DEFAULT_PER_PAGE, link_header, page_of
from integrations.sandbox.github.records import (
    GitHubInstallation,
    GitHubRepository,
    GitHubUser,
    JsonObject,
    Organization,
)

MAX_REPOSITORY_IDS = 500
RETENTION_SECONDS = 3 * 24 * 3600


def get_app(call: Call) -> RouteResponse:
    """`GET /app`."""
    return RouteResponse(200, shapes_app.app(call.github, call.app))


def list_installations(call: Call) -> RouteResponse:
    """`GET /app/installations`."""
    page, headers = page_of(call, call.github.installations_of(call.app))
    return RouteResponse(200, [shapes_app.installation(call.github, each) for each in page], headers)


def get_installation(call: Call) -> RouteResponse:
    """`GET /app/installations/{installation_id}`."""
    return RouteResponse(200, shapes_app.installation(call.github, _installation(call)))


def create_token(call: Call) -> RouteResponse:
    """`POST /app/installations/{installation_id}/access_tokens`; never wider than the installation's grants."""
    installation = _installation(call)
    if installation.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    permissions = _requested_permissions(call, installation)
    chosen = _requested_repositories(call, installation)
    ids = None if chosen is None else tuple(each.id for each in chosen)
    token = mint_token(call.github, installation, permissions, ids)
    body: JsonObject = {
        "token": token.literal,
        "expires_at": shapes.timestamp(token.expires_at),
        "permissions": permissions,
        "repository_selection": "all" if chosen is None and installation.repositories is None else "selected",
    }
    if chosen is not None:
        body["repositories"] = [shapes.repository(call.github, each) for each in chosen]
    return RouteResponse(201, body)


def _requested_permissions(call: Call, installation: GitHubInstallation) -> dict[str, str]:
    requested = cast("dict[str, str] | None", call.body.get("permissions"))
    if not requested:
        return dict(installation.permissions)
    for name, level in requested.items():
        granted = installation.permissions.get(name)
        if granted is None or (level != "read" and granted == "read"):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    return {"metadata": "read", **requested}


def _requested_repositories(call: Call, installation: GitHubInstallation) -> list[GitHubRepository] | None:
    reach = call.github.reach(installation)
    ids = cast("list[int] | None", call.body.get("repository_ids"))
    names = cast("list[str] | None", call.body.get("repositories"))
    if ids is None and names is None:
        return None
    if len(ids or []) > MAX_REPOSITORY_IDS:
        raise Refusal(422, f"repository_ids takes at most {MAX_REPOSITORY_IDS} ids")
    chosen = [each for each in reach if each.id in (ids or []) or each.name in (names or [])]
    if not chosen or len(chosen) < len(set(ids or [])) + len(set(names or [])):
        raise Refusal(422, "There is at least one repository that does not exist or is not accessible")
    return chosen


def revoke_own_token(call: Call) -> RouteResponse:
    """`DELETE /installation/token`: revokes the token of the call."""
    token = call.principal.token
    if token is not None:
        del call.github.minted[token.literal]
    return RouteResponse(204)


def list_reach(call: Call) -> RouteResponse:
    """`GET /installation/repositories`: the repositories that the token reaches."""
    installation = call.principal.installation
    reach = call.github.reach(installation) if installation else []
    reach = [each for each in reach if call.principal.reaches(each)]
    page, headers = page_of(call, reach)
    selected = installation is None or installation.repositories is not None
    body: JsonObject = {
        "total_count": len(reach),
        "repositories": [shapes.repository(call.github, each) for each in page],
        "repository_selection": "selected" if selected else "all",
    }
    return RouteResponse(200, body, headers)


def get_organization_installation(call: Call) -> RouteResponse:
    """`GET /orgs/{org}/installation`."""
    return _installation_on(call, call.organization)


def get_repository_installation(call: Call) -> RouteResponse:
    """`GET /repos/{owner}/{repo}/installation`: 404 also if the installation does not cover it."""
    installation = call.github.installation_of(call.app, call.repository.owner)
    if installation is None or not installation.covers(call.repository):
        raise Refusal(404, "Not Found")
    return RouteResponse(200, shapes_app.installation(call.github, installation))


def get_user_installation(call: Call) -> RouteResponse:
    """`GET /users/{username}/installation`."""
    return _installation_on(call, call.github.user(call.path["username"]))


def _installation_on(call: Call, account: Organization | GitHubUser | None) -> RouteResponse:
    installation = call.github.installation_of(call.app, account) if account else None
    if installation is None:
        raise Refusal(404, "Not Found")
    return RouteResponse(200, shapes_app.installation(call.github, installation))


def _installation(call: Call) -> GitHubInstallation:
    installation = call.github.installations.get(call.number("installation_id"))
    if installation is None or installation.app_id != call.app.id:
        raise Refusal(404, "Not Found")
    return installation


# The webhook and its deliveries


def get_hook(call: Call) -> RouteResponse:
    """`GET /app/hook/config`; GitHub masks the secret."""
    github = call.github
    body: JsonObject = {"content_type": "json", "insecure_ssl": "1" if github.webhook_insecure else "0"}
    if github.webhook_url is not None:
        body |= {"url": github.webhook_url, "secret": "********"}
    return RouteResponse(200, body)


def list_deliveries(call: Call) -> RouteResponse:
    """`GET /app/hook/deliveries`, newest first. As on GitHub, `status=failure` means 400 to 599."""
    status = call.text("status")
    kept = [each for each in reversed(_kept_deliveries(call)) if _has_status(each, status)]
    size = call.number("per_page") if "per_page" in call.query else DEFAULT_PER_PAGE
    cursor = call.text("cursor")
    ids = [str(each.id) for each in kept]
    if cursor is not None and cursor not in ids:
        raise Refusal(422, "Invalid cursor")
    start = ids.index(cursor) if cursor is not None else 0
    page = kept[start : start + size]
    more = kept[start + size : start + size + 1]
    headers = link_header(call, {"next": {"cursor": str(more[0].id)}} if more else {})
    return RouteResponse(200, [_delivery(each) for each in page], headers)


def get_delivery(call: Call) -> RouteResponse:
    """`GET /app/hook/deliveries/{delivery_id}`: with the request and the response."""
    delivery = _find_delivery(call)
    body = _delivery(delivery) | {
        "url": call.github.webhook_url or "",
        "request": {"headers": dict(delivery.request_headers), "payload": delivery.payload},
        "response": {"headers": dict(delivery.response_headers), "payload": delivery.response_body},
    }
    return RouteResponse(200, body)


def redeliver(call: Call) -> RouteResponse:
    """`POST /app/hook/deliveries/{delivery_id}/attempts`: sends it again, with the same GUID."""
    call.webhooks.redeliver(_find_delivery(call))
    return RouteResponse(202, {})


def _kept_deliveries(call: Call) -> list[WebhookDelivery]:
    since = call.github.now() - RETENTION_SECONDS
    return [each for each in call.github.deliveries if each.delivered_at > since]


def _find_delivery(call: Call) -> WebhookDelivery:
    delivery_id = call.number("delivery_id")
    found = next((each for each in _kept_deliveries(call) if each.id == delivery_id), None)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _has_status(delivery: WebhookDelivery, status: str | None) -> bool:
    if status is None:
        return True
    low, high = (400, 600) if status == "failure" else (200, 400)
    return low <= delivery.status_code < high


def _delivery(delivery: WebhookDelivery) -> JsonObject:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": shapes.timestamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


def delete_user_token(call: Call) -> RouteResponse:
    """`DELETE /applications/{client_id}/token`: ends one of the App's tokens of people, not the authorization.

    The description has only 204 and 422; a token that is unknown or has ended is a 404 here.
    """
    if call.path["client_id"] != call.github.client_id:
        raise Refusal(404, "Not Found")
    if not call.user_tokens.delete(str(call.body["access_token"])):
        raise Refusal(404, "Not Found")
    return RouteResponse(204)


def check_user_token(call: Call) -> RouteResponse:
    """`POST /applications/{client_id}/token`: a 404 for a token that does not exist; Stanch asks about no other."""
    raise Refusal(404, "Not Found")


ROUTES = (
    Route("apps/get-authenticated", get_app, "app"),
    Route("apps/list-installations", list_installations, "app"),
    Route("apps/get-installation", get_installation, "app"),
    Route("apps/create-installation-access-token", create_token, "app"),
    Route("apps/check-token", check_user_token, "client"),
    Route("apps/delete-token", delete_user_token, "client"),
    Route("apps/get-org-installation", get_organization_installation, "app"),
    Route("apps/get-repo-installation", get_repository_installation, "app"),
    Route("apps/get-user-installation", get_user_installation, "app"),
    Route("apps/get-webhook-config-for-app", get_hook, "app"),
    Route("apps/list-webhook-deliveries", list_deliveries, "app"),
    Route("apps/get-webhook-delivery", get_delivery, "app"),
    Route("apps/redeliver-webhook-delivery", redeliver, "app"),
    Route("apps/list-repos-accessible-to-installation", list_reach, "installation"),
    Route("apps/revoke-installation-access-token", revoke_own_token, "installation"),
)
