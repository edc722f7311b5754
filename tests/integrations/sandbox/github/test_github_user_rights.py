"""What the App's token of a person may: the rights that both have, in the person's name."""

import pytest

from integrations.sandbox.github import GitHubUser
from tests.integrations.sandbox.github.conftest import Scene
from tests.integrations.sandbox.github.test_github_sign_in import CALLBACK, VERIFIER, address, ask, words_of


async def token_of(scene: Scene, user: GitHubUser) -> str:
    code = words_of(await scene.github.authorize(address(scene), user))["code"]
    answer = await ask(scene, {"code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK})
    return str(answer["access_token"])


async def test_a_persons_token_changes_an_alert_in_the_persons_name(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    token = await token_of(scene, scene.ana)
    path = f"{scene.alerts_path}/{alert.number}"

    seen = await scene.caller.call("GET", f"{path}?hide_secret=true", token)
    closed = await scene.caller.call(
        "PATCH", path, token, body={"state": "resolved", "resolution": "revoked"}
    )

    assert (seen.status, closed.status) == (200, 200)
    assert closed.body["resolved_by"]["login"] == "ana"
    [entry] = scene.github.audit_log
    assert (entry.actor, entry.programmatic_access_type) == ("ana", "GitHub App user-to-server token")


async def test_the_apps_own_changes_have_its_name(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    token = await scene.caller.token(scene.installation)

    await scene.caller.call(
        "PATCH", f"{scene.alerts_path}/{alert.number}", token, body={"validity": "active"}
    )

    [entry] = scene.github.audit_log
    assert (entry.actor, entry.programmatic_access_type) == (
        "stanch[bot]",
        "GitHub App server-to-server token",
    )


async def test_a_token_reaches_only_what_app_and_person_both_reach(scene: Scene) -> None:
    reader = scene.github.add_user("reader")
    scene.github.add_member(scene.octo, reader)
    stranger = scene.github.add_user("stranger")
    other = scene.github.add_organization("other")
    scene.github.add_member(other, scene.ana, role="admin")
    elsewhere = scene.github.add_repository(other, "elsewhere")
    scene.github.leak(elsewhere)
    alert = scene.github.leak(scene.payments)
    path = f"{scene.alerts_path}/{alert.number}"
    ana = await token_of(scene, scene.ana)

    by_reader = await scene.caller.call("GET", path, await token_of(scene, reader))
    by_stranger = await scene.caller.call("GET", path, await token_of(scene, stranger))
    not_installed = await scene.caller.call("GET", f"/repos/{elsewhere.full_name}", ana)
    scene.installation.permissions["secret_scanning_alerts"] = "read"
    app_may_read = await scene.caller.call("GET", path, ana)
    app_may_not_write = await scene.caller.call("PATCH", path, ana, body={"validity": "active"})
    scene.github.suspend(scene.installation, by=scene.ana)
    suspended = await scene.caller.call("GET", path, ana)

    assert [by_reader.status, by_stranger.status, not_installed.status] == [404, 404, 404]
    assert (app_may_read.status, app_may_not_write.status, suspended.status) == (200, 403, 404)


async def test_a_repository_is_found_by_its_id(scene: Scene) -> None:
    token = await token_of(scene, scene.ana)

    reply = await scene.caller.call("GET", f"/repositories/{scene.payments.id}", token)

    assert reply.body["full_name"] == "octo/payments"


@pytest.mark.parametrize(("version", "status"), [(None, 200), ("3.20.0", 200), ("3.19.0", 404)])
async def test_an_assignee_sees_and_resolves_this_alert_alone(
    scene: Scene, version: str | None, status: int
) -> None:
    writer = scene.github.add_user("writer")
    scene.github.add_collaborator(scene.payments, writer, "write")
    alert, other = scene.github.leak(scene.payments), scene.github.leak(scene.payments)
    scene.github.assign(alert, writer)
    scene.github.installed_version = version
    token = await token_of(scene, writer)

    seen = await scene.caller.call("GET", f"{scene.alerts_path}/{alert.number}", token)
    another = await scene.caller.call("GET", f"{scene.alerts_path}/{other.number}", token)

    assert (seen.status, another.status) == (status, 404)


async def test_the_leaks_author_sees_it_with_write_access(scene: Scene) -> None:
    writer, reader = scene.github.add_user("writer"), scene.github.add_user("reader")
    scene.github.add_collaborator(scene.payments, writer, "write")
    scene.github.add_collaborator(scene.payments, reader, "read")
    by_writer = scene.github.leak(scene.payments, author=writer)
    by_reader = scene.github.leak(scene.payments, author=reader)

    seen = await scene.caller.call(
        "GET", f"{scene.alerts_path}/{by_writer.number}", await token_of(scene, writer)
    )
    unseen = await scene.caller.call(
        "GET", f"{scene.alerts_path}/{by_reader.number}", await token_of(scene, reader)
    )

    assert (seen.status, unseen.status) == (200, 404)


async def test_without_a_single_sign_on_session_the_organization_refuses(scene: Scene) -> None:
    scene.octo.enforces_sso = True
    alert = scene.github.leak(scene.payments)
    path = f"{scene.alerts_path}/{alert.number}"
    without = await token_of(scene, scene.ana)

    refused = await scene.caller.call("GET", path, without)
    scene.ana.sso_sessions.add(scene.octo.id)
    same_token = await scene.caller.call("GET", path, without)
    scene.github.revoke_authorization(scene.ana)
    allowed = await scene.caller.call("GET", path, await token_of(scene, scene.ana))

    assert (refused.status, same_token.status, allowed.status) == (403, 403, 200)
    assert refused.body["message"].endswith("You must grant your OAuth token access to this organization.")
    assert refused.headers["X-GitHub-SSO"].startswith("required; url=")


async def test_the_page_asks_for_single_sign_on_first(scene: Scene) -> None:
    scene.octo.enforces_sso = True
    cookies = {"sandbox_github_user": str(scene.ana.id)}
    async with scene.caller.session.get(address(scene), cookies=cookies) as shown:
        page = await shown.text()
    async with scene.caller.session.post(
        f"{scene.github.url}/orgs/octo/sso",
        data={"return_to": "/login/oauth/authorize?x=1"},
        cookies=cookies,
        allow_redirects=False,
    ) as response:
        back = response.headers["Location"]

    assert "Single sign-on to octo" in page
    assert back == "/login/oauth/authorize?x=1"
    assert scene.octo.id in scene.ana.sso_sessions


async def test_a_deleted_accounts_token_ends_with_it(scene: Scene) -> None:
    bob = scene.github.add_user("bob")
    token = await token_of(scene, bob)

    scene.github.delete_user(bob)
    scene.github.add_user("bob")

    assert (await scene.caller.call("GET", "/user", token)).status == 401
