"""The App's JWT and installation tokens: what they may do, and what is refused."""

import jwt
import pytest

from integrations.sandbox.github import generate_private_key
from tests.integrations.sandbox.github.conftest import Scene


async def test_the_issuer_may_be_the_client_id_or_the_app_id(scene: Scene) -> None:
    by_client_id = await scene.caller.call("GET", "/app", scene.caller.app_jwt())
    by_id = await scene.caller.call("GET", "/app", scene.caller.app_jwt(iss=str(scene.github.app_id)))

    assert by_client_id.status == by_id.status == 200
    assert by_client_id.body["owner"]["login"] == "octo"
    assert scene.github.violations == []


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_795_500_000 - 1},
        {"exp": 1_795_500_000 + 601},
        {"iat": 1_795_500_000 + 30},
        {"iss": "Iv23somebodyelse"},
    ],
    ids=["expired", "too long", "from the future", "another app"],
)
async def test_a_jwt_that_breaks_the_rules_is_refused(scene: Scene, claims: dict[str, object]) -> None:
    reply = await scene.caller.call("GET", "/app", scene.caller.app_jwt(**claims))

    assert reply.status == 401


async def test_a_jwt_of_another_key_is_refused(scene: Scene) -> None:
    now = int(scene.clock())
    claims = {"iat": now - 60, "exp": now + 60, "iss": scene.github.client_id}
    forged = jwt.encode(claims, generate_private_key(), "RS256")

    assert (await scene.caller.call("GET", "/app", forged)).status == 401


async def test_a_jwt_is_for_the_apps_endpoints_only(scene: Scene) -> None:
    reply = await scene.caller.call("GET", "/repos/octo/payments", scene.caller.app_jwt())

    assert reply.status == 401
    assert "JWT" in scene.github.violations[0]


async def test_an_installation_token_is_not_for_the_apps_endpoints(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)

    assert (await scene.caller.call("GET", "/app", token)).status == 401


async def test_a_token_is_valid_for_one_hour(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)
    scene.clock.advance(3599)
    before = await scene.caller.call("GET", "/repos/octo/payments", token)
    scene.clock.advance(1)
    after = await scene.caller.call("GET", "/repos/octo/payments", token)

    assert (before.status, after.status) == (200, 401)


async def test_a_token_for_one_repository_sees_no_other(scene: Scene) -> None:
    secret = scene.github.add_repository(scene.octo, "secret")
    shop = scene.github.add_repository(scene.octo, "shop", visibility="public")
    for repository in (secret, shop):
        scene.github.leak(repository)
    token = await scene.caller.token(scene.installation, repository_ids=[scene.payments.id])

    private = await scene.caller.call("GET", "/repos/octo/secret/secret-scanning/alerts/1", token)
    public = await scene.caller.call("GET", "/repos/octo/shop/secret-scanning/alerts/1", token)
    reach = await scene.caller.call("GET", "/installation/repositories", token)

    assert (private.status, public.status) == (404, 403)
    assert [each["id"] for each in reach.body["repositories"]] == [scene.payments.id]
    assert scene.github.calls(path=r"/repos/octo/secret/.*")[0].repository_ids == (scene.payments.id,)


async def test_a_token_without_the_permission_is_refused(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    token = await scene.caller.token(scene.installation, permissions={"secret_scanning_alerts": "read"})
    path = f"{scene.alerts_path}/1"

    read = await scene.caller.call("GET", path, token)
    write = await scene.caller.call("PATCH", path, token, body={"state": "resolved", "resolution": "revoked"})
    members = await scene.caller.call("GET", "/orgs/octo/memberships/ana", token)

    assert (read.status, write.status, members.status) == (200, 403, 403)


@pytest.mark.parametrize(
    "body",
    [
        {"permissions": {"administration": "write"}},
        {"permissions": {"members": "write"}},
        {"repository_ids": [1]},
        {"repository_ids": list(range(501))},
        {"repositories": ["nowhere"]},
    ],
)
async def test_a_token_beyond_the_grants_is_refused(scene: Scene, body: dict[str, object]) -> None:
    path = f"/app/installations/{scene.installation.id}/access_tokens"

    assert (await scene.caller.call("POST", path, scene.caller.app_jwt(), body=body)).status == 422


async def test_a_suspended_installation_has_no_working_tokens(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)
    path = f"/app/installations/{scene.installation.id}/access_tokens"
    scene.github.suspend(scene.installation)

    assert (await scene.caller.call("POST", path, scene.caller.app_jwt())).status == 403
    assert (await scene.caller.call("GET", "/repos/octo/payments", token)).status == 403


async def test_a_removed_installation_is_not_found(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)
    path = f"/app/installations/{scene.installation.id}"
    scene.github.uninstall(scene.installation)

    assert (await scene.caller.call("GET", path, scene.caller.app_jwt())).status == 404
    assert (await scene.caller.call("POST", f"{path}/access_tokens", scene.caller.app_jwt())).status == 404
    assert (await scene.caller.call("GET", "/repos/octo/payments", token)).status == 401
    assert (await scene.caller.call("GET", "/orgs/octo/installation", scene.caller.app_jwt())).status == 404


async def test_installations_are_found_by_account_and_by_repository(scene: Scene) -> None:
    bob = scene.github.add_user("bob")
    notes = scene.github.add_repository(bob, "notes")
    other = scene.github.add_repository(bob, "other")
    on_bob = scene.github.install(bob, repositories=[notes])
    app = scene.caller.app_jwt()

    paths = {
        "/orgs/octo/installation": scene.installation.id,
        "/repos/octo/payments/installation": scene.installation.id,
        "/users/bob/installation": on_bob.id,
        "/repos/bob/notes/installation": on_bob.id,
    }
    found = {path: (await scene.caller.call("GET", path, app)).body["id"] for path in paths}
    listed = await scene.caller.call("GET", "/app/installations", app)
    left_out = await scene.caller.call("GET", f"/repos/{other.full_name}/installation", app)

    assert found == paths
    assert [each["account"]["login"] for each in listed.body] == ["octo", "bob"]
    assert left_out.status == 404


async def test_a_request_needs_a_user_agent(scene: Scene) -> None:
    reply = await scene.caller.call("GET", "/meta", headers={"User-Agent": ""})

    assert reply.status == 403
    assert scene.github.violations == ["GET /meta: no User-Agent"]


async def test_a_missing_version_is_recorded_and_an_unknown_one_refused(scene: Scene) -> None:
    async with scene.caller.session.get(f"{scene.github.api_url}/meta") as without:
        assert without.status == 200
    unknown = await scene.caller.call("GET", "/meta", headers={"X-GitHub-Api-Version": "2020-01-01"})

    assert unknown.status == 400
    assert scene.github.violations == [
        "GET /meta: no X-GitHub-Api-Version",
        "GET /meta: unknown X-GitHub-Api-Version",
    ]


async def test_the_newer_version_has_no_rate(scene: Scene) -> None:
    older = await scene.caller.call("GET", "/rate_limit")
    newer = await scene.caller.call("GET", "/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})

    assert "rate" in older.body
    assert "rate" not in newer.body


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("DELETE", "/repos/octo/payments"), ("GET", "/orgs/octo/audit-log")],
)
async def test_unknown_calls_are_not_found_and_recorded(scene: Scene, method: str, path: str) -> None:
    token = await scene.caller.token(scene.installation)

    assert (await scene.caller.call(method, path, token)).status == 404
    assert scene.github.unexpected == [f"{method} /api/v3{path}"]


async def test_an_installations_rate_limit_resets_after_an_hour(scene: Scene) -> None:
    scene.github.core_limit = 2
    token = await scene.caller.token(scene.installation)
    replies = [await scene.caller.call("GET", "/repos/octo/payments", token) for _ in range(3)]
    scene.clock.advance(3600)
    fresh = await scene.caller.token(scene.installation)
    later = await scene.caller.call("GET", "/repos/octo/payments", fresh)

    assert [each.status for each in replies] == [200, 200, 403]
    assert replies[2].headers["X-RateLimit-Remaining"] == "0"
    assert int(replies[2].headers["X-RateLimit-Reset"]) == int(scene.clock())
    assert later.status == 200


async def test_an_unchanged_answer_is_304(scene: Scene) -> None:
    token = await scene.caller.token(scene.installation)
    first = await scene.caller.call("GET", "/repos/octo/payments", token)
    repeated = await scene.caller.call(
        "GET", "/repos/octo/payments", token, headers={"If-None-Match": first.headers["ETag"]}
    )

    assert repeated.status == 304
