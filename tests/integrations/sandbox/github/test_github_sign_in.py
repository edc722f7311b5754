"""Sign-in by the web flow: the page, the code, the tokens, their refresh and their end."""

import asyncio
import base64
import hashlib
from collections.abc import Coroutine, Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import aiohttp
import pytest

from tests.integrations.sandbox.github.conftest import Reply, Scene

CALLBACK = "http://127.0.0.1:3999/github/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def address(scene: Scene, **changed: str) -> str:
    """The address that Stanch sends a browser to; an empty value leaves the parameter out."""
    scene.github.callback_urls = [CALLBACK]
    given = {
        "client_id": scene.github.client_id,
        "redirect_uri": CALLBACK,
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{scene.github.url}/login/oauth/authorize?{query}"


def words_of(callback: str) -> dict[str, str]:
    assert callback.startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(callback).query))


async def code_of(scene: Scene, **changed: str) -> str:
    words = words_of(await scene.github.authorize(address(scene, **changed), scene.ana))
    assert words["state"] == "s1"
    return words["code"]


async def ask(scene: Scene, given: Mapping[str, str], *, form: bool = True) -> Any:  # Any JSON.
    """Ask for tokens with the App's credentials, as a form or as JSON."""
    full = {"client_id": scene.github.client_id, "client_secret": scene.github.client_secret, **given}
    body: dict[str, Any] = {"data": full} if form else {"json": full}
    async with scene.caller.session.post(
        f"{scene.github.url}/login/oauth/access_token", headers={"Accept": "application/json"}, **body
    ) as response:
        assert response.status == 200
        return await response.json()


async def sign_in(scene: Scene, **changed: str) -> Any:  # Any JSON.
    code = await code_of(scene, **changed)
    return await ask(scene, {"code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK})


async def delete(
    scene: Scene, token: str, *, secret: str | None = None, client_id: str | None = None
) -> Reply:
    secret = scene.github.client_secret if secret is None else secret
    basic = base64.b64encode(f"{scene.github.client_id}:{secret}".encode()).decode()
    return await scene.caller.call(
        "DELETE",
        f"/applications/{client_id or scene.github.client_id}/token",
        body={"access_token": token},
        headers={"Authorization": f"Basic {basic}"},
    )


async def status_with(scene: Scene, token: str) -> int:
    return (await scene.caller.call("GET", "/user", token)).status


async def test_a_code_becomes_tokens_that_act_as_the_person(scene: Scene) -> None:
    answer = await sign_in(scene)

    who = await scene.caller.call("GET", "/user", answer["access_token"])
    assert (who.body["login"], who.body["id"]) == ("ana", scene.ana.id)
    assert answer["access_token"].startswith("ghu_")
    assert answer["refresh_token"].startswith("ghr_")
    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (28_800, 15_811_200)
    assert (answer["scope"], answer["token_type"]) == ("", "bearer")
    assert scene.github.calls("GET", "/user")[0].user_id == scene.ana.id
    scene.clock.advance(28_800)
    assert await status_with(scene, answer["access_token"]) == 401


async def test_without_json_accepted_the_answer_is_a_form(scene: Scene) -> None:
    code = await code_of(scene)
    given = {"client_id": scene.github.client_id, "client_secret": scene.github.client_secret, "code": code}

    async with scene.caller.session.post(
        f"{scene.github.url}/login/oauth/access_token",
        json={**given, "code_verifier": VERIFIER},
        headers={"Accept": "*/*"},
    ) as response:
        answer = parse_qs(await response.text(), keep_blank_values=True)

    assert answer["token_type"] == ["bearer"]
    assert answer["access_token"][0].startswith("ghu_")


async def test_an_app_whose_tokens_do_not_expire_gets_no_refresh_token(scene: Scene) -> None:
    scene.github.user_tokens_expire = False

    answer = await sign_in(scene)

    scene.clock.advance(10_000_000)
    assert set(answer) == {"access_token", "token_type", "scope"}
    assert await status_with(scene, answer["access_token"]) == 200


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"code": "0" * 20}, "bad_verification_code"),
        ({"code_verifier": "w" * 43}, "bad_verification_code"),
        ({"code_verifier": ""}, "bad_verification_code"),
        ({"redirect_uri": CALLBACK + "/x"}, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "ghr_" + "0" * 76}, "bad_refresh_token"),
    ],
)
async def test_a_wrong_exchange_is_refused_in_words(scene: Scene, given: dict[str, str], error: str) -> None:
    code = await code_of(scene)

    answer = await ask(scene, {"code": code, "code_verifier": VERIFIER, **given}, form=False)

    assert answer["error"] == error
    assert answer["error_description"]
    assert answer["error_uri"].startswith("https://docs.github.com/")


async def test_a_code_is_for_one_use_within_ten_minutes(scene: Scene) -> None:
    used = await code_of(scene)
    given = {"code": used, "code_verifier": VERIFIER}
    first = await ask(scene, given)
    again = await ask(scene, given)
    late = await code_of(scene)
    scene.clock.advance(600)
    too_late = await ask(scene, {"code": late, "code_verifier": VERIFIER})

    assert "access_token" in first
    assert (again["error"], too_late["error"]) == ("bad_verification_code", "bad_verification_code")


@pytest.mark.parametrize(("version", "checked"), [(None, True), ("3.20.4", False), ("3.21.0", True)])
async def test_enterprise_server_up_to_3_20_ignores_the_challenge(
    scene: Scene, version: str | None, checked: bool
) -> None:
    scene.github.installed_version = version
    code = await code_of(scene)

    answer = await ask(scene, {"code": code})

    assert ("error" in answer) is checked


async def test_an_unknown_app_is_not_found(scene: Scene) -> None:
    other = address(scene, client_id="Iv23other")
    async with scene.caller.session.post(
        f"{scene.github.url}/login/oauth/access_token", data={"client_id": "Iv23other"}
    ) as response:
        status = response.status

    assert status == 404
    with pytest.raises(ValueError, match="404"):
        await scene.github.authorize(other, scene.ana)


async def test_the_person_may_cancel(scene: Scene) -> None:
    words = words_of(await scene.github.authorize(address(scene), scene.ana, cancel=True))

    assert (words["error"], words["state"]) == ("access_denied", "s1")
    assert not scene.github.authorizations


async def test_a_foreign_redirect_goes_to_the_registered_address_with_an_error(scene: Scene) -> None:
    callback = await scene.github.authorize(
        address(scene, redirect_uri="https://evil.example/github/callback"), scene.ana
    )

    assert words_of(callback)["error"] == "redirect_uri_mismatch"
    assert len(scene.github.violations) == 1


async def test_a_suspended_app_signs_nobody_in(scene: Scene) -> None:
    scene.github.app_suspended = True

    assert (
        words_of(await scene.github.authorize(address(scene), scene.ana))["error"] == "application_suspended"
    )


async def test_a_challenge_must_be_s256(scene: Scene) -> None:
    with pytest.raises(ValueError, match="400"):
        await scene.github.authorize(address(scene, code_challenge_method="plain"), scene.ana)


async def test_a_browser_that_is_not_signed_in_chooses_a_person_first(scene: Scene) -> None:
    scene.github.add_user("bob")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(address(scene, login="bob", state='"><b>')) as shown:
            page = await shown.text()
            target = shown.url.query["return_to"]
        form = {"login": "bob", "return_to": target}
        async with browser.post(f"{scene.github.url}/session", data=form) as response:
            consent = await response.text()

    assert page.index('value="bob"') < page.index('value="ana"')
    assert "Signed in as <strong>bob</strong>" in consent
    assert "<b>" not in page + consent


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
async def test_signing_in_never_leads_to_another_server(scene: Scene, target: str) -> None:
    async with scene.caller.session.post(
        f"{scene.github.url}/session", data={"login": "ana", "return_to": target}, allow_redirects=False
    ) as response:
        assert response.headers["Location"] == "/"


async def test_whoever_authorized_before_is_sent_back_at_once(scene: Scene) -> None:
    await sign_in(scene)
    seen = len(scene.github.calls("POST", "/login/oauth/authorize"))

    await code_of(scene)
    at_once = len(scene.github.calls("POST", "/login/oauth/authorize"))
    await code_of(scene, prompt="select_account")

    assert (seen, at_once) == (1, 1)
    assert len(scene.github.calls("POST", "/login/oauth/authorize")) == 2


async def test_a_refresh_ends_both_old_tokens_at_once(scene: Scene) -> None:
    old = await sign_in(scene)
    given = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}

    new = await ask(scene, given)
    again = await ask(scene, given)

    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"]
    assert await status_with(scene, old["access_token"]) == 401
    assert await status_with(scene, new["access_token"]) == 200
    assert again["error"] == "bad_refresh_token"


async def test_a_refresh_token_ends_after_about_six_months(scene: Scene) -> None:
    old = await sign_in(scene)
    scene.clock.advance(15_811_200)

    answer = await ask(scene, {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]})

    assert answer["error"] == "bad_refresh_token"


async def test_deleting_a_token_ends_its_pair_and_leaves_the_authorization(scene: Scene) -> None:
    one, two = await sign_in(scene), await sign_in(scene)

    deleted = await delete(scene, one["access_token"])
    again = await delete(scene, one["access_token"])
    refreshed = await ask(scene, {"grant_type": "refresh_token", "refresh_token": one["refresh_token"]})

    assert (deleted.status, again.status) == (204, 404)
    assert await status_with(scene, one["access_token"]) == 401
    assert refreshed["error"] == "bad_refresh_token"
    assert await status_with(scene, two["access_token"]) == 200
    assert scene.ana.id in scene.github.authorizations


async def test_only_the_app_deletes_its_tokens(scene: Scene) -> None:
    token = (await sign_in(scene))["access_token"]
    path = f"/applications/{scene.github.client_id}/token"

    wrong_secret = await delete(scene, token, secret="wrong")
    other_app = await delete(scene, token, client_id="Iv23other")
    by_jwt = await scene.caller.call("DELETE", path, scene.caller.app_jwt(), body={"access_token": token})
    nothing = await scene.caller.call(
        "DELETE",
        path,
        headers={
            "Authorization": "Basic "
            + base64.b64encode(f"{scene.github.client_id}:{scene.github.client_secret}".encode()).decode()
        },
        body={},
    )
    leaked = await delete(scene, scene.github.add_live_token(owner=scene.ana).literal)

    assert [wrong_secret.status, other_app.status, by_jwt.status] == [401, 404, 401]
    assert (nothing.status, leaked.status) == (422, 404)
    assert await status_with(scene, token) == 200


async def test_the_client_secret_opens_nothing_else(scene: Scene) -> None:
    basic = base64.b64encode(f"{scene.github.client_id}:{scene.github.client_secret}".encode()).decode()

    reply = await scene.caller.call(
        "GET", f"/repos/{scene.payments.full_name}", headers={"Authorization": f"Basic {basic}"}
    )
    grant = await scene.caller.call(
        "DELETE", f"/applications/{scene.github.client_id}/grant", body={"access_token": "x"}
    )

    assert (reply.status, grant.status) == (401, 404)
    assert scene.github.unexpected == [f"DELETE /api/v3/applications/{scene.github.client_id}/grant"]


async def test_removing_the_app_ends_all_tokens_of_the_person(scene: Scene) -> None:
    one, two = await sign_in(scene), await sign_in(scene)
    scene.github.deliver = "hold"

    scene.github.revoke_authorization(scene.ana)

    assert [await status_with(scene, each["access_token"]) for each in (one, two)] == [401, 401]
    refreshed = await ask(scene, {"grant_type": "refresh_token", "refresh_token": one["refresh_token"]})
    assert refreshed["error"] == "bad_refresh_token"
    [delivery] = scene.github.held
    assert (delivery.event, delivery.action) == ("github_app_authorization", "revoked")
    assert set(delivery.payload) == {"action", "sender"}
    assert delivery.payload["sender"]["id"] == scene.ana.id  # type: ignore[index] # A JSON object.


async def test_values_in_the_address_are_recorded(scene: Scene) -> None:
    code = await code_of(scene)
    async with scene.caller.session.post(
        f"{scene.github.url}/login/oauth/access_token?code={code}", data={"client_id": scene.github.client_id}
    ):
        pass

    assert len(scene.github.violations) == 1


async def test_a_refresh_may_happen_without_its_answer_arriving(scene: Scene) -> None:
    old = await sign_in(scene)
    scene.github.faults.add("POST /login/oauth/access_token", drop="after", times=1)

    with pytest.raises(aiohttp.ClientError):
        await ask(scene, {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]})

    assert await status_with(scene, old["access_token"]) == 401


@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("step", ["page", "button", "exchange", "refresh", "delete"])
async def test_each_step_can_be_cut_off_before_and_after_its_effect(
    scene: Scene, step: str, at: Literal["before", "after"]
) -> None:
    tokens = await sign_in(scene)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    calls: dict[str, tuple[str, Coroutine[Any, Any, Any]]] = {
        "page": ("GET /login/oauth/authorize", scene.github.authorize(address(scene), scene.ana)),
        "button": (
            "POST /login/oauth/authorize",
            scene.github.authorize(address(scene, prompt="select_account"), scene.ana),
        ),
        "exchange": ("POST /login/oauth/access_token", ask(scene, {"code": await code_of(scene)})),
        "refresh": ("POST /login/oauth/access_token", ask(scene, refresh)),
        "delete": ("DELETE /applications/.*/token", delete(scene, tokens["access_token"])),
    }
    name, call = calls.pop(step)
    for _, unused in calls.values():
        unused.close()
    codes = len(scene.github.codes)
    # The client asks again for a page, so every call is cut off.
    gate = scene.github.faults.gate(name, at=at, times=None)
    under_way = asyncio.create_task(call)
    await gate.reached()
    gate.drop()
    with pytest.raises(aiohttp.ClientError):
        await under_way
    ended = await status_with(scene, tokens["access_token"]) == 401

    happened = {
        "page": len(scene.github.codes) > codes,
        "button": len(scene.github.codes) > codes,
        "exchange": len(scene.github.codes) < codes,
        "refresh": ended,
        "delete": ended,
    }
    assert happened[step] is (at == "after")
