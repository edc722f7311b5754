"""Leaked tokens: probes are answered until the token expires or is reported."""

import pytest

from integrations.sandbox.github.records import TokenKind
from tests.integrations.sandbox.github.conftest import Scene


async def test_a_live_classic_token_names_its_owner_scopes_and_expiry(scene: Scene) -> None:
    token = scene.github.add_live_token(
        owner=scene.ana, scopes=("repo", "read:org"), expires_at=scene.clock() + 60
    )
    alert = scene.github.leak(scene.payments, token=token)

    reply = await scene.caller.call("GET", "/user", token.literal)

    assert scene.github.token_of(alert) is token
    assert (reply.body["login"], reply.body["id"]) == ("ana", scene.ana.id)
    assert reply.headers["X-OAuth-Scopes"] == "repo, read:org"
    assert reply.headers["GitHub-Authentication-Token-Expiration"].endswith(" UTC")
    assert token.last_user_agent == "stanch/test"


async def test_private_fields_need_the_user_scope(scene: Scene) -> None:
    token = scene.github.add_live_token(owner=scene.ana, scopes=("user",))

    reply = await scene.caller.call("GET", "/user", token.literal)

    assert reply.body["two_factor_authentication"] is True


@pytest.mark.parametrize("kind", ["fine_grained", "oauth", "app_user"])
async def test_other_kinds_of_personal_tokens_work_too(scene: Scene, kind: TokenKind) -> None:
    token = scene.github.add_live_token(owner=scene.ana, kind=kind)

    assert (await scene.caller.call("GET", "/user", token.literal)).status == 200
    assert (await scene.caller.call("GET", "/rate_limit", token.literal)).status == 200


async def test_a_token_that_no_longer_works_is_bad_credentials(scene: Scene) -> None:
    expired = scene.github.add_live_token(owner=scene.ana, expires_at=scene.clock() + 10)
    revoked = scene.github.add_live_token(owner=scene.ana)
    refresh = scene.github.add_live_token(owner=scene.ana, kind="refresh")
    scene.github.revoke_token(revoked)
    scene.clock.advance(10)
    dead = scene.github.leak(scene.payments)

    for literal in (expired.literal, revoked.literal, refresh.literal, dead.literal):
        reply = await scene.caller.call("GET", "/rate_limit", literal)
        assert (reply.status, reply.body["message"]) == (401, "Bad credentials")


async def test_a_leaked_installation_token_works_but_has_no_user(scene: Scene) -> None:
    token = scene.github.add_live_token(owner=scene.ana, kind="installation")

    user = await scene.caller.call("GET", "/user", token.literal)
    reach = await scene.caller.call("GET", "/installation/repositories?per_page=1", token.literal)

    assert (user.status, user.body["message"]) == (403, "Resource not accessible by integration")
    assert reach.status == 200


async def test_sso_and_allow_lists_refuse_a_working_token(scene: Scene) -> None:
    sso = scene.github.add_live_token(owner=scene.ana, network="sso")
    fenced = scene.github.add_live_token(owner=scene.ana, network="ip_allow_list")

    organization = await scene.caller.call("GET", "/orgs/octo", sso.literal)
    own = await scene.caller.call("GET", "/user", sso.literal)
    blocked = await scene.caller.call("GET", "/user", fenced.literal)

    assert organization.status == 403
    assert organization.headers["X-GitHub-SSO"].startswith("required; url=")
    assert own.status == 200
    assert (blocked.status, "IP allow list" in blocked.body["message"]) == (403, True)


async def test_many_failed_logins_block_all_logins_for_a_while(scene: Scene) -> None:
    scene.github.lockout_after = 3
    live = scene.github.add_live_token(owner=scene.ana)
    statuses = [(await scene.caller.call("GET", "/user", "ghp_" + "0" * 36)).status for _ in range(4)]
    locked = await scene.caller.call("GET", "/user", live.literal)
    scene.clock.advance(601)
    later = await scene.caller.call("GET", "/user", live.literal)

    assert statuses == [401, 401, 401, 403]
    assert (locked.status, later.status) == (403, 200)


async def test_a_reported_token_is_revoked_after_the_delay(scene: Scene) -> None:
    scene.github.revoke_delay = 30
    token = scene.github.add_live_token(owner=scene.ana)
    reply = await scene.caller.call("POST", "/credentials/revoke", body={"credentials": [token.literal]})
    before = await scene.caller.call("GET", "/user", token.literal)
    scene.clock.advance(30)
    after = await scene.caller.call("GET", "/user", token.literal)

    assert (reply.status, reply.body) == (202, {})
    assert (before.status, after.status) == (200, 401)
    assert scene.github.violations == []
    recorded = scene.github.calls("POST", "/credentials/revoke")[0]
    assert (recorded.auth, recorded.authorized) == (None, False)
    assert token.literal not in repr(recorded)


async def test_an_accepted_report_may_have_no_effect(scene: Scene) -> None:
    scene.github.revoke_delay = None
    token = scene.github.add_live_token(owner=scene.ana)
    await scene.caller.call("POST", "/credentials/revoke", body={"credentials": [token.literal]})
    scene.clock.advance(86_400)

    assert (await scene.caller.call("GET", "/user", token.literal)).status == 200


@pytest.mark.parametrize("authorization", ["live", "nonsense", "app"])
async def test_reporting_with_any_authorization_is_refused(scene: Scene, authorization: str) -> None:
    token = scene.github.add_live_token(owner=scene.ana)
    sent = {"live": token.literal, "nonsense": "x", "app": scene.caller.app_jwt()}[authorization]

    reply = await scene.caller.call(
        "POST", "/credentials/revoke", sent, body={"credentials": [token.literal]}
    )

    assert reply.status == 403
    assert token.is_valid(scene.clock())
    assert len(scene.github.violations) == 1


@pytest.mark.parametrize(
    "credentials",
    [[], ["ghs_" + "a" * 36], ["ghp_tooshort"], ["xoxb-" + "1" * 20], [7], ["ghp_" + "a" * 36] * 1001],
)
async def test_what_cannot_be_reported_is_refused(scene: Scene, credentials: list[object]) -> None:
    reply = await scene.caller.call("POST", "/credentials/revoke", body={"credentials": credentials})

    assert reply.status == 422


async def test_an_address_may_report_sixty_times_an_hour(scene: Scene) -> None:
    scene.github.unauthenticated_limit = 2
    body = {"credentials": ["ghp_" + "a" * 36]}
    replies = [await scene.caller.call("POST", "/credentials/revoke", body=body) for _ in range(3)]

    assert [each.status for each in replies] == [202, 202, 403]
    assert replies[0].headers["X-RateLimit-Limit"] == "2"
    assert replies[2].headers["X-RateLimit-Remaining"] == "0"
    assert int(replies[2].headers["X-RateLimit-Reset"]) == int(scene.clock()) + 3600


async def test_a_base64_leak_holds_the_encoded_token(scene: Scene) -> None:
    token = scene.github.add_live_token(owner=scene.ana)
    alert = scene.github.leak(scene.payments, token=token, is_base64_encoded=True)

    assert alert.literal != token.literal
    assert scene.github.token_of(alert) is token


@pytest.mark.parametrize("kind", ["classic", "fine_grained", "oauth", "app_user", "refresh"])
async def test_every_revocable_kind_has_a_literal_that_can_be_reported(scene: Scene, kind: TokenKind) -> None:
    token = scene.github.add_live_token(owner=scene.ana, kind=kind)

    reply = await scene.caller.call("POST", "/credentials/revoke", body={"credentials": [token.literal]})

    assert reply.status == 202
    assert not token.is_valid(scene.clock())
