"""Listing, reading and updating alerts by the rules of GitHub's documentation."""

from typing import Any

import pytest

from tests.integrations.sandbox.github.conftest import Reply, Scene

LOCATION_TYPES = (
    "commit",
    "wiki_commit",
    "issue_title",
    "issue_body",
    "issue_comment",
    "discussion_title",
    "discussion_body",
    "discussion_comment",
    "pull_request_title",
    "pull_request_body",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
)


async def patch(scene: Scene, **body: object) -> Reply:
    token = await scene.caller.token(scene.installation)
    return await scene.caller.call("PATCH", f"{scene.alerts_path}/1", token, body=body)


async def listed(scene: Scene, query: str) -> Reply:
    token = await scene.caller.token(scene.installation)
    return await scene.caller.call("GET", f"{scene.alerts_path}?{query}", token)


def numbers(reply: Reply) -> list[int]:
    assert reply.status == 200, reply.body
    return [each["number"] for each in reply.body]


async def test_the_literal_is_returned_unless_hide_secret(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    token = await scene.caller.token(scene.installation)
    bodies: list[Any] = []
    for path in (f"{scene.alerts_path}/1", scene.alerts_path, "/orgs/octo/secret-scanning/alerts"):
        for query in ("", "?hide_secret=true"):
            body = (await scene.caller.call("GET", path + query, token)).body
            bodies.append(body[0] if isinstance(body, list) else body)

    assert [each.get("secret") for each in bodies] == [alert.literal, None] * 3
    assert alert.literal not in repr(alert)


async def test_an_update_returns_the_literal(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)

    reply = await patch(scene, state="resolved", resolution="revoked", resolution_comment="rotated")

    assert reply.status == 200
    assert reply.body["secret"] == alert.literal
    assert reply.body["resolved_by"]["login"] == "stanch[bot]"
    assert (reply.body["state"], reply.body["resolution_comment"]) == ("resolved", "rotated")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"resolution_comment": "alone"}, 422),
        ({"state": "resolved"}, 422),
        ({"state": "closed", "resolution": "revoked"}, 422),
        ({"state": "resolved", "resolution": "pattern_deleted"}, 422),
        ({"state": "open", "resolution": "revoked"}, 422),
        ({"state": "open"}, 400),
        ({"state": "resolved", "resolution": "revoked", "resolution_comment": "x" * 281}, 400),
        ({"validity": "unknown"}, 422),
        ({"assignee": "nobody"}, 422),
        ({"assignee": ["ana"]}, 422),
        ({"validity": "active", "resolution_comment": "a comment without a change of state"}, 422),
    ],
)
async def test_an_update_that_breaks_a_rule_changes_nothing(
    scene: Scene, body: dict[str, object], status: int
) -> None:
    alert = scene.github.leak(scene.payments)

    assert (await patch(scene, **body)).status == status
    assert (alert.state, alert.validity, alert.assigned_to) == ("open", "unknown", None)


async def test_closing_again_needs_another_reason(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    scene.github.close(alert, scene.ana, "revoked", "rotated")

    same = await patch(scene, state="resolved", resolution="revoked", resolution_comment="another comment")
    other = await patch(scene, state="resolved", resolution="false_positive")

    assert (same.status, other.status) == (400, 200)
    assert alert.resolution == "false_positive"


async def test_reopening_clears_the_resolution_and_keeps_the_comment(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    scene.github.close(alert, scene.ana, "revoked")

    reply = await patch(scene, state="open", resolution_comment="still works")

    assert reply.body["state"] == "open"
    assert (reply.body["resolution"], reply.body["resolved_at"]) == (None, None)
    assert reply.body["resolution_comment"] == "still works"


async def test_delegated_dismissal_refuses_the_app_unless_it_reviews(scene: Scene) -> None:
    scene.payments.delegated_dismissal = True
    scene.github.leak(scene.payments)
    refused = await patch(scene, state="resolved", resolution="revoked")
    scene.payments.app_reviews_dismissals = True
    taken = await patch(scene, state="resolved", resolution="revoked")

    assert (refused.status, taken.status) == (403, 200)


async def test_an_assignee_needs_write_access(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    rae = scene.github.add_user("rae")
    scene.github.add_collaborator(scene.payments, rae, "triage")
    refused = await patch(scene, assignee="rae")
    scene.github.add_collaborator(scene.payments, rae, "write")
    taken = await patch(scene, assignee="rae")

    assert (refused.status, taken.status) == (422, 200)
    assert alert.assigned_to is rae
    assert (await patch(scene, assignee=None)).body["assigned_to"] is None


async def test_an_override_of_validity_stays_until_it_is_cleared(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    await patch(scene, validity="inactive")
    scene.github.set_validity(alert, "active")
    overridden = alert.validity
    cleared = await patch(scene, validity=None)

    assert overridden == "inactive"
    assert cleared.body["validity"] == "active"


async def test_a_generic_alert_accepts_no_validity(scene: Scene) -> None:
    scene.github.leak(scene.payments, secret_type="rsa_private_key")

    assert (await patch(scene, validity="active")).status == 422


async def test_an_unknown_field_is_ignored_and_recorded(scene: Scene) -> None:
    scene.github.leak(scene.payments)

    assert (await patch(scene, state="resolved", resolution="revoked", hide_secret=True)).status == 200
    assert scene.github.violations == [f"PATCH {scene.alerts_path}/1: unknown field hide_secret"]


async def test_no_violation_repeats_the_request_body(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    literal = "ghp_" + "z" * 36

    reply = await patch(scene, state=literal)

    assert literal not in str(reply.body) + str(scene.github.violations) + repr(scene.github.requests)


async def test_generic_alerts_are_listed_only_if_named(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    scene.github.leak(scene.payments, secret_type="rsa_private_key")

    assert numbers(await listed(scene, "")) == [1]
    assert numbers(await listed(scene, "secret_type=rsa_private_key,password")) == [2]


async def test_lists_have_githubs_filters(scene: Scene) -> None:
    github, payments = scene.github, scene.payments
    github.leak(payments, validity="active", publicly_leaked=True)
    github.leak(payments, bypassed_by=scene.ana)
    github.leak(payments, secret_type="slack_api_token", provider="Slack", multi_repo=True)
    github.close(github.leak(payments, metadata={"owner_email": "ana@example.com"}), None, "pattern_deleted")
    github.assign(github.leak(payments), scene.ana)

    expected = {
        "state=open": [5, 3, 2, 1],
        "state=resolved": [4],
        "resolution=pattern_deleted,revoked": [4],
        "validity=active,inactive": [1],
        "is_publicly_leaked=true": [1],
        "is_multi_repo=true": [3],
        "is_bypassed=true": [2],
        "providers=slack": [3],
        "exclude_providers=github_secret_scanning": [3],
        "exclude_secret_types=slack_api_token": [5, 4, 2, 1],
        "assignee=ana": [5],
        "assignee=*": [5],
        "assignee=none": [4, 3, 2, 1],
        "included_metadata=owner-email": [4],
        "sort=created&direction=asc": [1, 2, 3, 4, 5],
    }
    found = {query: numbers(await listed(scene, query)) for query in expected}

    assert found == expected
    assert scene.github.violations == []


async def test_sorting_by_update_brings_the_latest_change_first(scene: Scene) -> None:
    alerts = []
    for _ in range(3):
        alerts.append(scene.github.leak(scene.payments))
        scene.clock.advance(10)
    scene.github.set_public_leak(alerts[0])

    assert numbers(await listed(scene, "sort=updated&direction=desc")) == [1, 3, 2]


async def test_link_headers_lead_through_all_pages(scene: Scene) -> None:
    for _ in range(5):
        scene.github.leak(scene.payments)
        scene.clock.advance(1)
    token = await scene.caller.token(scene.installation)
    seen, address = [], f"{scene.alerts_path}?per_page=2&state=open"
    while address:
        async with scene.caller.session.get(
            address if address.startswith("http") else scene.github.api_url + address,
            headers={"Authorization": f"Bearer {token}"},
        ) as response:
            seen.append([each["number"] for each in await response.json()])
            address = str(response.links["next"]["url"]) if "next" in response.links else ""

    assert seen == [[5, 4], [3, 2], [1]]


async def test_cursors_stay_valid_when_alerts_arrive(scene: Scene) -> None:
    for _ in range(3):
        scene.github.leak(scene.payments)
        scene.clock.advance(1)
    first = await listed(scene, "per_page=2&after=")
    scene.github.leak(scene.payments)
    cursor = first.headers["Link"].split("after=")[1].split(">")[0]
    second = await listed(scene, f"per_page=2&after={cursor}")

    assert numbers(first) == [3, 2]
    assert numbers(second) == [1]


@pytest.mark.parametrize(
    ("query", "status", "violations"),
    [
        ("per_page=101", 200, 1),
        ("colour=red", 200, 1),
        ("state=closed", 422, 1),
        ("hide_secret=yes", 422, 1),
        ("secret_type=a&exclude_secret_types=b", 422, 0),
        ("included_metadata=shoe-size", 422, 0),
    ],
)
async def test_a_wrong_query_is_recorded_or_refused(
    scene: Scene, query: str, status: int, violations: int
) -> None:
    scene.github.leak(scene.payments)

    assert (await listed(scene, query)).status == status
    assert len(scene.github.violations) == violations


async def test_the_organizations_list_covers_the_tokens_repositories(scene: Scene) -> None:
    other = scene.github.add_repository(scene.octo, "other")
    scene.github.leak(scene.payments)
    scene.github.leak(other)
    whole = await scene.caller.token(scene.installation)
    narrow = await scene.caller.token(scene.installation, repository_ids=[other.id])

    for token, names in ((whole, ["other", "payments"]), (narrow, ["other"])):
        reply = await scene.caller.call("GET", "/orgs/octo/secret-scanning/alerts", token)
        assert sorted(each["repository"]["name"] for each in reply.body) == names


async def test_all_kinds_of_locations_have_githubs_shape(scene: Scene) -> None:
    places = [scene.github.location(scene.payments, kind) for kind in LOCATION_TYPES]
    scene.github.leak(scene.payments, locations=places)
    token = await scene.caller.token(scene.installation)

    first = await scene.caller.call("GET", f"{scene.alerts_path}/1/locations?per_page=10", token)
    second = await scene.caller.call("GET", f"{scene.alerts_path}/1/locations?per_page=10&page=2", token)

    assert [each["type"] for each in first.body + second.body] == list(LOCATION_TYPES)
    assert 'rel="next"' in first.headers["Link"]


@pytest.mark.parametrize("kind", LOCATION_TYPES)
async def test_an_alert_holds_its_first_location(scene: Scene, kind: str) -> None:
    scene.github.leak(scene.payments, locations=[scene.github.location(scene.payments, kind)])
    token = await scene.caller.token(scene.installation)

    reply = await scene.caller.call("GET", f"{scene.alerts_path}/1?hide_secret=true", token)

    assert reply.status == 200
    assert reply.body["has_more_locations"] is False


async def test_the_commit_of_a_leak_names_its_author(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments, author=scene.ana)
    unpermitted = await scene.caller.token(scene.installation)
    scene.installation.permissions["contents"] = "read"
    token = await scene.caller.token(scene.installation)
    sha = alert.locations[0].details["commit_sha"]

    refused = await scene.caller.call("GET", f"/repos/octo/payments/commits/{sha}", unpermitted)
    found = await scene.caller.call("GET", f"/repos/octo/payments/commits/{sha}", token)
    scene.github.commit_of(alert).signed = True
    signed = await scene.caller.call("GET", f"/repos/octo/payments/commits/{sha}", token)
    unknown = await scene.caller.call("GET", f"/repos/octo/payments/commits/{'0' * 40}", token)

    assert refused.status == 403
    assert found.body["author"]["id"] == found.body["committer"]["id"] == scene.ana.id
    assert found.body["commit"]["verification"]["verified"] is False
    assert alert.literal in found.body["files"][0]["patch"]
    assert signed.body["commit"]["verification"]["verified"] is True
    assert unknown.status == 422


async def test_alerts_are_readable_after_the_read_lag(scene: Scene) -> None:
    scene.github.read_lag = 4
    scene.github.leak(scene.payments)
    quick = scene.github.leak(scene.payments)
    quick.read_lag = 0
    token = await scene.caller.token(scene.installation)

    async def statuses() -> list[int]:
        paths = [f"{scene.alerts_path}/{number}" for number in (1, 2)]
        return [(await scene.caller.call("GET", path, token)).status for path in paths]

    early, early_list = await statuses(), numbers(await listed(scene, ""))
    scene.clock.advance(4)

    assert (early, early_list) == ([404, 200], [2])
    assert await statuses() == [200, 200]


async def test_without_scanning_there_are_no_alerts(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    scene.payments.secret_scanning = False

    assert (await listed(scene, "")).status == 404


async def test_resolutions_by_github_can_be_read(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    scene.github.close(alert, None, "pattern_edited")
    token = await scene.caller.token(scene.installation)

    reply = await scene.caller.call("GET", f"{scene.alerts_path}/1?hide_secret=true", token)

    assert (reply.status, reply.body["resolution"], reply.body["resolved_by"]) == (
        200,
        "pattern_edited",
        None,
    )


async def test_a_persons_token_has_the_persons_rights(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    rae = scene.github.add_user("rae")
    scene.github.add_member(scene.octo, rae)
    owner = scene.github.add_live_token(owner=scene.ana, kind="app_user")
    reader = scene.github.add_live_token(owner=rae, kind="app_user")
    path, body = f"{scene.alerts_path}/1", {"state": "resolved", "resolution": "revoked"}

    assert (await scene.caller.call("GET", path, reader.literal)).status == 404
    assert (await scene.caller.call("PATCH", path, reader.literal, body=body)).status == 403
    reply = await scene.caller.call("PATCH", path, owner.literal, body=body)
    assert reply.body["resolved_by"]["login"] == "ana"
