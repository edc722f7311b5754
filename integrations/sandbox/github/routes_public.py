"""The endpoints that need no account: token revocation, an App from its manifest, rate limit, meta, API versions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from integrations.sandbox.github import shapes_app
from integrations.sandbox.github.authentication import generate_private_key, public_key_of
from integrations.sandbox.github.calls import Call, Refusal, Route, RouteResponse
from integrations.sandbox.github.manifests import create_app, name_faults
from integrations.sandbox.github.records import JsonObject
from integrations.sandbox.github.world import GitHubChange

REVOCABLE = re.compile(r"(ghp|gho|ghu|ghr)_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")
"""The kinds of token that GitHub's description of the endpoint names as revocable."""
KNOWN_VERSIONS = ("2022-11-28", "2026-03-10")


def revoke_credentials(call: Call) -> RouteResponse:
    """`POST /credentials/revoke`: always 202; known tokens stop working after `revoke_delay` s."""
    if call.github.installed_version is not None:
        # GitHub's descriptions of Enterprise Server have no such endpoint without authentication.
        raise Refusal(404, "Not Found")
    literals = cast("Iterable[str]", call.body["credentials"])
    if not all(REVOCABLE.fullmatch(each) for each in literals):
        raise Refusal(422, "Validation Failed", errors=["credentials holds an unsupported credential type"])
    delay = call.github.revoke_delay
    for literal in literals:
        token = call.github.live_tokens.get(literal)
        if token is not None and delay is not None and token.revoked_at is None:
            token.revoked_at = call.github.now() + delay
            call.github.publish(GitHubChange("token.reported", call.github.now()))
    return RouteResponse(202, {})


def create_from_manifest(call: Call) -> RouteResponse:
    """`POST /app-manifests/{code}/conversions`: creates the App and shows its secrets, once.

    GitHub doesn't document whether the App exists before this call; here it doesn't, so its name may be taken now.
    """
    github = call.github
    code = github.manifest_codes.pop(call.path["code"], None)
    if code is None or github.now() >= code.expires_at:
        raise Refusal(404, "Not Found")
    faults: list[object] = [*name_faults(github, code.registration.name)]
    if faults:
        raise Refusal(422, "Validation Failed", errors=faults)
    app = create_app(github, code.registration, code.owner)
    key = generate_private_key()
    app.public_keys.append(public_key_of(key))
    secrets: JsonObject = {
        "client_secret": app.client_secret,
        "webhook_secret": app.webhook_secret or None,
        "pem": key,
    }
    return RouteResponse(201, shapes_app.app(github, app) | secrets)


def get_rate_limit(call: Call) -> RouteResponse:
    """`GET /rate_limit`: not counted; version 2026-03-10 has no `rate`."""
    resources = {
        "core": call.rate,
        "search": {"limit": 30, "used": 0, "remaining": 30, "reset": call.rate["reset"]},
    }
    body: JsonObject = {"resources": resources}
    if call.version != KNOWN_VERSIONS[1]:
        body["rate"] = call.rate
    return RouteResponse(200, body)


def get_meta(call: Call) -> RouteResponse:
    """`GET /meta`; github.com has no `installed_version`."""
    here = ["127.0.0.0/8"]
    body: JsonObject = {"verifiable_password_authentication": False, "hooks": here, "api": here}
    if call.github.installed_version is not None:
        body["installed_version"] = call.github.installed_version
    return RouteResponse(200, body)


def get_versions(call: Call) -> RouteResponse:
    """`GET /versions`."""
    return RouteResponse(200, list(KNOWN_VERSIONS))


ROUTES = (
    Route("credentials/revoke", revoke_credentials, "nobody"),
    Route("apps/create-from-manifest", create_from_manifest, "anyone"),
    Route("rate-limit/get", get_rate_limit, "anyone"),
    Route("meta/get", get_meta, "anyone"),
    Route("meta/get-all-versions", get_versions, "anyone"),
)
