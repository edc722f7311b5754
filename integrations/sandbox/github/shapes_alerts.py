"""GitHub's JSON for alerts, their locations and commits."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from integrations.sandbox.github.records import (
    Commit,
    GitHubAlert,
    GitHubRepository,
    GitHubUser,
    JsonObject,
    Location,
)
from integrations.sandbox.github.shapes import (
    node_id,
    optional_timestamp,
    optional_user,
    simple_repository,
    timestamp,
)
from integrations.sandbox.github.world import GitHubWorld


def alert_address(world: GitHubWorld, alert: GitHubAlert) -> str:
    """The REST address of an alert."""
    return f"{world.api_url}/repos/{alert.repository.full_name}/secret-scanning/alerts/{alert.number}"


def alert_page(world: GitHubWorld, alert: GitHubAlert) -> str:
    """The web page of an alert."""
    return f"{world.url}/{alert.repository.full_name}/security/secret-scanning/{alert.number}"


def _common(world: GitHubWorld, alert: GitHubAlert) -> JsonObject:
    address = alert_address(world, alert)
    return {
        "number": alert.number,
        "created_at": timestamp(alert.created_at),
        "updated_at": timestamp(alert.updated_at),
        "url": address,
        "html_url": alert_page(world, alert),
        "locations_url": f"{address}/locations",
        "resolution": alert.resolution,
        "resolved_at": optional_timestamp(alert.resolved_at),
        "resolved_by": optional_user(world, alert.resolved_by),
        "resolution_comment": alert.resolution_comment,
        "secret_type": alert.secret_type,
        "secret_type_display_name": alert.display_name,
        "provider": alert.provider,
        "provider_slug": alert.provider_slug,
        "validity": alert.validity,
        "push_protection_bypassed": alert.bypassed_by is not None,
        "push_protection_bypassed_by": optional_user(world, alert.bypassed_by),
        "push_protection_bypassed_at": optional_timestamp(alert.bypassed_at),
        "push_protection_bypass_request_reviewer": optional_user(world, alert.bypass_reviewer),
        "push_protection_bypass_request_reviewer_comment": alert.bypass_reviewer_comment,
        "push_protection_bypass_request_comment": alert.bypass_comment,
        "push_protection_bypass_request_html_url": None,
        "publicly_leaked": alert.publicly_leaked,
        "multi_repo": alert.multi_repo,
        "assigned_to": optional_user(world, alert.assigned_to),
        "closure_request_comment": None,
        "closure_request_reviewer_comment": None,
        "closure_request_reviewer": None,
    }


def _metadata(alert: GitHubAlert) -> list[JsonObject]:
    return [{"key": key, "value": value} for key, value in alert.metadata.items()]


def rest_alert(
    world: GitHubWorld, alert: GitHubAlert, *, hide_secret: bool, in_list: bool = False
) -> JsonObject:
    """An alert as REST shows it: metadata only outside of lists, the literal unless `hide_secret`.

    GitHub doesn't document `secret` under `hide_secret`: it is absent unless `hidden_secret` is a text.
    """
    shape = _common(world, alert)
    shape["state"] = alert.state
    shape["is_base64_encoded"] = alert.is_base64_encoded
    shape["has_more_locations"] = len(alert.locations) > 1
    if alert.locations and world.gives_first_location:
        shape["first_location_detected"] = alert.locations[0].details
    if not in_list:
        shape["metadata"] = _metadata(alert)
    if not hide_secret:
        shape["secret"] = alert.literal
    elif world.hidden_secret is not None:
        shape["secret"] = world.hidden_secret
    return shape


def organization_alert(world: GitHubWorld, alert: GitHubAlert, *, hide_secret: bool) -> JsonObject:
    """An item of the organization's list: with its repository."""
    shape = rest_alert(world, alert, hide_secret=hide_secret, in_list=True)
    shape["repository"] = simple_repository(world, alert.repository)
    return shape


def webhook_alert(world: GitHubWorld, alert: GitHubAlert) -> JsonObject:
    """An alert as in webhooks: with its category, without `state`, literal and locations."""
    return {**_common(world, alert), "secret_category": alert.category, "metadata": _metadata(alert)}


def location(record: Location) -> JsonObject:
    return {"type": record.type, "details": record.details}


def location_details(
    world: GitHubWorld, repository: GitHubRepository, kind: str, details: JsonObject
) -> JsonObject:
    """Complete the details of a location of this type; `details` override the defaults.

    The two commit types have file, lines and commit; all others have an address.
    """
    api = f"{world.api_url}/repos/{repository.full_name}"
    web = f"{world.url}/{repository.full_name}"
    if kind in ("commit", "wiki_commit"):
        return _commit_details(api, web, kind, details)
    number = details.pop("number", 1)
    addresses: JsonObject = {f"{kind}_url": _conversation_address(api, web, kind, number)}
    if not kind.startswith("discussion"):
        page = "pull" if kind.startswith("pull_request") else "issues"
        addresses["html_url"] = f"{web}/{page}/{number}"
    return {**addresses, **details}


def _commit_details(api: str, web: str, kind: str, details: JsonObject) -> JsonObject:
    path = details.get("path", "config/settings.py")
    line = details.get("start_line", 1)
    seed = f"{path}:{line}"
    commit_sha = details.get("commit_sha", hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest())
    blob_sha = details.get(
        "blob_sha", hashlib.sha1(f"blob {seed}".encode(), usedforsecurity=False).hexdigest()
    )
    made: JsonObject = {
        "path": path,
        "start_line": line,
        "end_line": line,
        "start_column": 1,
        "end_column": 41,
        "blob_sha": blob_sha,
        "commit_sha": commit_sha,
    }
    if kind == "commit":
        made["blob_url"] = f"{api}/git/blobs/{blob_sha}"
        made["commit_url"] = f"{api}/git/commits/{commit_sha}"
        made["html_url"] = f"{web}/blob/{commit_sha}/{quote(str(path))}#L{line}"
    else:
        made["page_url"] = f"{web}/wiki/Home/{commit_sha}"
        made["commit_url"] = f"{web}/wiki/_compare/{commit_sha}"
    return {**made, **details}


def _conversation_address(api: str, web: str, kind: str, number: object) -> str:
    if kind.startswith("discussion"):
        return f"{web}/discussions/{number}"
    if kind == "issue_comment" or kind == "pull_request_comment":
        return f"{api}/issues/comments/{number}"
    if kind == "pull_request_review":
        return f"{api}/pulls/{number}/reviews/1"
    if kind == "pull_request_review_comment":
        return f"{api}/pulls/comments/{number}"
    return f"{api}/{'pulls' if kind.startswith('pull_request') else 'issues'}/{number}"


def commit(world: GitHubWorld, repository: GitHubRepository, record: Commit) -> JsonObject:
    """The `commit` schema; `author` is null if the author has no account."""
    api = f"{world.api_url}/repos/{repository.full_name}"
    author, committer = record.author, record.committer or record.author
    return {
        "url": f"{api}/commits/{record.sha}",
        "sha": record.sha,
        "node_id": node_id("Commit", int(record.sha[:8], 16)),
        "html_url": f"{world.url}/{repository.full_name}/commit/{record.sha}",
        "comments_url": f"{api}/commits/{record.sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{record.sha}",
            "author": _git_user(author, record),
            "committer": _git_user(committer, record),
            "message": record.message,
            "comment_count": 0,
            "tree": {"sha": record.sha, "url": f"{api}/git/trees/{record.sha}"},
            "verification": {
                "verified": record.signed,
                "reason": "valid" if record.signed else "unsigned",
                "signature": "-----BEGIN PGP SIGNATURE-----" if record.signed else None,
                "payload": f"tree {record.sha}" if record.signed else None,
                "verified_at": timestamp(record.date) if record.signed else None,
            },
        },
        "author": optional_user(world, author),
        "committer": optional_user(world, committer),
        "parents": [],
        "stats": {"additions": 1, "deletions": 0, "total": 1},
        "files": [_changed_file(world, repository, record)],
    }


def _git_user(user: GitHubUser | None, record: Commit) -> JsonObject:
    return {
        "name": (user.name or user.login) if user else "Somebody",
        "email": (user.email if user else None) or "somebody@example.com",
        "date": timestamp(record.date),
    }


def _changed_file(world: GitHubWorld, repository: GitHubRepository, record: Commit) -> JsonObject:
    """The only file of a commit; its patch shows the secret, as on GitHub."""
    web, path = f"{world.url}/{repository.full_name}", quote(record.path)
    return {
        "sha": record.sha,
        "filename": record.path,
        "status": "added",
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "blob_url": f"{web}/blob/{record.sha}/{path}",
        "raw_url": f"{web}/raw/{record.sha}/{path}",
        "contents_url": f"{world.api_url}/repos/{repository.full_name}/contents/{path}?ref={record.sha}",
        "patch": f"@@ -0,0 +1 @@\n+{record.added}",
    }
