"""Names change and are taken over; ids stay."""

import pytest

from tests.integrations.sandbox.github.conftest import Scene


async def test_a_renamed_repository_answers_through_a_redirect_to_its_id(scene: Scene) -> None:
    scene.github.rename_repository(scene.payments, "billing")
    token = await scene.caller.token(scene.installation)

    moved = await scene.caller.call("GET", "/repos/octo/payments", token, follow=False)
    followed = await scene.caller.call("GET", "/repos/octo/payments", token)

    assert moved.status == 301
    assert moved.headers["Location"] == f"{scene.github.api_url}/repositories/{scene.payments.id}"
    assert followed.body["full_name"] == "octo/billing"


async def test_a_write_to_an_old_name_is_redirected_with_its_method(scene: Scene) -> None:
    alert = scene.github.leak(scene.payments)
    scene.github.rename_repository(scene.payments, "billing")
    token = await scene.caller.token(scene.installation)
    body = {"state": "resolved", "resolution": "revoked"}

    path = "/repos/octo/payments/secret-scanning/alerts/1"
    first = await scene.caller.call("PATCH", path, token, body=body, follow=False)
    before = alert.state
    followed = await scene.caller.call("PATCH", path, token, body=body)

    assert (first.status, before) == (307, "open")
    assert (followed.status, alert.state) == (200, "resolved")


async def test_a_redirect_keeps_the_query(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    scene.github.rename_repository(scene.payments, "billing")
    token = await scene.caller.token(scene.installation)

    reply = await scene.caller.call(
        "GET", "/repos/octo/payments/secret-scanning/alerts/1?hide_secret=true", token
    )

    assert "secret" not in reply.body


async def test_a_redirect_is_hidden_from_callers_who_cannot_see_its_target(scene: Scene) -> None:
    scene.github.rename_repository(scene.payments, "billing")
    foreign = await scene.caller.token(scene.github.install(scene.github.add_organization("stranger")))

    assert (await scene.caller.call("GET", "/repos/octo/payments", foreign, follow=False)).status == 404


async def test_a_renamed_organization_redirects_until_its_name_is_squatted(scene: Scene) -> None:
    scene.github.rename_account(scene.octo, "octo-corp")
    token = await scene.caller.token(scene.installation)
    before = await scene.caller.call("GET", "/repos/octo/payments", token)
    squatted = scene.github.squat("octo/payments", visibility="public")
    after = await scene.caller.call("GET", "/repos/octo/payments", token)
    alerts = await scene.caller.call("GET", "/repos/octo/payments/secret-scanning/alerts", token)

    assert before.body["id"] == scene.payments.id
    assert after.body["id"] == squatted.id != scene.payments.id
    assert alerts.status == 403


async def test_a_private_squatter_is_not_found(scene: Scene) -> None:
    scene.github.rename_account(scene.octo, "octo-corp")
    scene.github.squat("octo/payments")
    token = await scene.caller.token(scene.installation)

    assert (await scene.caller.call("GET", "/repos/octo/payments", token)).status == 404


async def test_a_name_in_use_cannot_be_squatted(scene: Scene) -> None:
    with pytest.raises(ValueError, match="taken"):
        scene.github.squat("octo/payments")


async def test_a_transferred_repository_leaves_the_installation(scene: Scene) -> None:
    scene.github.leak(scene.payments)
    token = await scene.caller.token(scene.installation)
    bob = scene.github.add_user("bob")
    scene.github.transfer_repository(scene.payments, bob)
    gone = await scene.caller.call("GET", f"{scene.alerts_path}/1", token)
    new_token = await scene.caller.token(scene.github.install(bob))
    followed = await scene.caller.call("GET", "/repos/octo/payments/secret-scanning/alerts/1", new_token)

    assert gone.status == 404
    assert followed.body["number"] == 1


async def test_a_deleted_repository_is_not_found_and_does_not_redirect(scene: Scene) -> None:
    scene.github.rename_repository(scene.payments, "billing")
    scene.github.delete_repository(scene.payments)
    token = await scene.caller.token(scene.installation)

    for name in ("payments", "billing"):
        assert (await scene.caller.call("GET", f"/repos/octo/{name}", token)).status == 404


async def test_settings_are_shown_to_callers_who_may_see_them(scene: Scene) -> None:
    scene.github.set_visibility(scene.payments, "public")
    scene.payments.delegated_dismissal = True
    token = await scene.caller.token(scene.installation)

    inside = await scene.caller.call("GET", "/repos/octo/payments", token)
    outside = await scene.caller.call("GET", "/repos/octo/payments")

    settings = inside.body["security_and_analysis"]
    assert settings["secret_scanning_delegated_alert_dismissal"] == {"status": "enabled"}
    assert "security_and_analysis" not in outside.body


async def test_a_squatted_name_never_redirects_again(scene: Scene) -> None:
    scene.github.rename_repository(scene.payments, "billing")
    scene.github.delete_repository(scene.github.squat("octo/payments"))
    token = await scene.caller.token(scene.installation)

    assert (await scene.caller.call("GET", "/repos/octo/payments", token)).status == 404
