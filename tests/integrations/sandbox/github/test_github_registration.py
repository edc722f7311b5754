"""Registering an App on the stand-in's pages: by a manifest, by an address with parameters, and installing it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from integrations.sandbox.browser import Browser
from integrations.sandbox.github import GitHubUser
from integrations.sandbox.github.manifests import InvalidManifest, read_manifest
from integrations.sandbox.github.sign_in import COOKIE
from tests.integrations.sandbox.github.conftest import Reply, Scene

MANIFEST: dict[str, Any] = {
    "name": "stanch-octo",
    "url": "https://stanch.example.com",
    "redirect_url": "http://127.0.0.1:4711/github",
    "hook_attributes": {"url": "https://stanch.example.com/github/webhooks"},
    "callback_urls": ["https://stanch.example.com/github/callback"],
    "public": False,
    "default_permissions": {"secret_scanning_alerts": "write", "members": "read"},
    "default_events": ["secret_scanning_alert", "repository", "organization"],
}
NEW = "/organizations/octo/settings/apps/new"


@pytest.fixture
async def owner(scene: Scene) -> GitHubUser:
    person = scene.github.add_user("olga")
    scene.github.add_member(scene.octo, person, role="admin")
    return person


@pytest.fixture
async def browser(owner: GitHubUser) -> AsyncIterator[Browser]:
    async with Browser(cookies={COOKIE: str(owner.id)}) as browser:
        yield browser


async def register(scene: Scene, browser: Browser, **changes: object) -> str:
    """Send a manifest and confirm it; returns the code that GitHub sends back with the browser."""
    start = scene.github.url + NEW + "?state=once"
    await browser.post(start, {"manifest": json.dumps({**MANIFEST, **changes})})
    back = await browser.leave("Create GitHub App for octo")
    assert back.startswith("http://127.0.0.1:4711/github?")
    assert back.endswith("&state=once")
    return back.partition("code=")[2].partition("&")[0]


async def convert(scene: Scene, code: str) -> Reply:
    return await scene.caller.call("POST", f"/app-manifests/{code}/conversions")


async def test_a_manifest_becomes_an_app_with_ids_and_secrets_of_its_own(
    scene: Scene, browser: Browser
) -> None:
    before = scene.github.app
    reply = await convert(scene, await register(scene, browser))

    app = reply.body
    assert reply.status == 201
    assert app["owner"]["login"] == "octo"
    assert app["slug"] == "stanch-octo"
    assert app["permissions"] == {"metadata": "read", **MANIFEST["default_permissions"]}
    assert app["events"] == MANIFEST["default_events"]
    assert app["id"] != before.id
    assert app["webhook_secret"] == scene.github.webhook_secret
    assert scene.github.webhook_url == MANIFEST["hook_attributes"]["url"]
    assert scene.github.callback_urls == MANIFEST["callback_urls"]
    now = int(scene.clock())
    claims = {"iat": now - 60, "exp": now + 60, "iss": str(app["id"])}
    shown = await scene.caller.call("GET", "/app", jwt.encode(claims, app["pem"], "RS256"))
    assert shown.body["id"] == app["id"]
    others_key = await scene.caller.call("GET", "/app", scene.caller.app_jwt(iss=str(app["id"])))
    assert others_key.status == 401
    assert scene.github.violations == scene.github.unexpected == []


async def test_a_code_works_once_and_for_an_hour(scene: Scene, browser: Browser) -> None:
    code = await register(scene, browser)
    late = await register(scene, browser, name="stanch-late")
    first = await convert(scene, code)
    second = await convert(scene, code)
    scene.clock.advance(3600)

    assert first.status == 201
    assert second.status == 404
    assert (await convert(scene, late)).status == 404


async def test_an_app_without_an_address_for_webhooks_has_no_webhook_secret(
    scene: Scene, browser: Browser
) -> None:
    manifest = {name: value for name, value in MANIFEST.items() if name != "hook_attributes"}
    await browser.post(scene.github.url + NEW, {"manifest": json.dumps(manifest)})
    back = await browser.leave("Create GitHub App for octo")

    assert (await convert(scene, back.partition("code=")[2])).body["webhook_secret"] is None
    assert scene.github.webhook_url is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": None}, '"url" wasn\'t supplied.'),
        ({"hook_attributes": {}}, "Hook url can't be blank"),
        ({"hook_attributes": {"url": "http://127.0.0.1:3000/x"}}, "isn't reachable over the public Internet"),
        ({"hook_attributes": {"url": "http://localhost/x"}}, "isn't reachable over the public Internet"),
        ({"default_events": ["installation"]}, "Default events unsupported: installation"),
        (
            {"default_events": ["security_and_analysis"]},
            "not supported by permissions: security_and_analysis",
        ),
        ({"default_events": ["no_event"]}, "Default events unsupported: no_event"),
        ({"default_permissions": {"secrets_of_all": "read"}}, "resource is not included in the list"),
        ({"default_permissions": {"members": "admin"}}, "action is not included in the list"),
        ({"callback_urls": ["https://a.example"] * 11}, "at most 10"),
        ({"redirect_url": "setup"}, "redirect_url must be a valid URL"),
        ({"webhook": "x"}, "Unknown field: webhook"),
    ],
)
def test_a_manifest_that_github_refuses(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidManifest) as refused:
        read_manifest(json.dumps({**MANIFEST, **changes}))

    assert reason in str(refused.value)


async def test_a_refused_manifest_is_a_page_that_says_why(scene: Scene, browser: Browser) -> None:
    text = json.dumps({**MANIFEST, "default_events": ["installation"]})
    await browser.post(scene.github.url + NEW, {"manifest": text})

    assert browser.status == 422
    assert "The configuration does not appear to be a valid GitHub App manifest." in browser.text
    assert "Error: Default events unsupported: installation" in browser.text


@pytest.mark.parametrize("name", ["stanch", "Octo", "olga", "x" * 35, " "])
async def test_a_name_that_is_taken_or_too_long_can_be_edited(
    scene: Scene, browser: Browser, name: str
) -> None:
    await browser.post(scene.github.url + NEW, {"manifest": json.dumps({**MANIFEST, "name": name})})
    await browser.send("Create GitHub App for octo")
    refused = browser.text
    back = await browser.leave("Create GitHub App for octo", name="stanch-2")

    assert "Error: Name" in refused
    assert (await convert(scene, back.partition("code=")[2])).body["slug"] == "stanch-2"


async def test_a_member_who_is_no_owner_sees_no_such_page(scene: Scene) -> None:
    member = scene.github.add_user("mia")
    scene.github.add_member(scene.octo, member)
    async with Browser(cookies={COOKIE: str(member.id)}) as browser:
        await browser.post(scene.github.url + NEW, {"manifest": json.dumps(MANIFEST)})

        assert browser.status == 404


async def test_somebody_who_is_not_signed_in_signs_in_first(scene: Scene, owner: GitHubUser) -> None:
    async with Browser() as browser:
        await browser.post(scene.github.url + NEW, {"manifest": json.dumps(MANIFEST)})
        await browser.send("olga")

        assert "Create GitHub App for octo" in browser.text


async def test_an_address_with_parameters_fills_in_the_form(scene: Scene, browser: Browser) -> None:
    address = (
        f"{scene.github.url}/settings/apps/new?name=stanch-olga&url=https://stanch.example.com&members=read"
        "&secret_scanning_alerts=write&events[]=secret_scanning_alert&events[]=member&webhook_active=false"
    )
    await browser.open(address)
    await browser.send("Create GitHub App")
    await browser.send("Generate a private key")

    app = scene.github.app
    assert (app.slug, app.owner) == ("stanch-olga", scene.github.user("olga"))
    assert app.permissions == {"metadata": "read", "secret_scanning_alerts": "write", "members": "read"}
    assert app.events == ("secret_scanning_alert", "member")
    assert app.webhook_url is None
    now = int(scene.clock())
    claims = {"iat": now - 60, "exp": now + 60, "iss": app.client_id}
    reply = await scene.caller.call("GET", "/app", jwt.encode(claims, browser.content, "RS256"))
    assert reply.body["owner"]["login"] == "olga"


async def test_an_app_is_installed_on_its_owners_page(scene: Scene, browser: Browser) -> None:
    code = await register(scene, browser)
    pem = (await convert(scene, code)).body["pem"]
    await browser.open(f"{scene.github.url}/apps/stanch-octo/installations/new")
    await browser.send("Install", repositories="payments")

    assert "was installed on the @octo account" in browser.text
    now = int(scene.clock())
    claims = {"iat": now - 60, "exp": now + 60, "iss": scene.github.client_id}
    mine = await scene.caller.call("GET", "/app/installations", jwt.encode(claims, pem, "RS256"))
    assert [each["app_slug"] for each in mine.body] == ["stanch-octo"]
    assert mine.body[0]["repository_selection"] == "selected"
    # The App that was there before has an installation of its own.
    before = scene.github.apps[4711]
    others = await scene.caller.call("GET", "/app/installations", scene.caller.app_jwt(iss=before.client_id))
    assert [each["app_slug"] for each in others.body] == ["stanch"]


async def test_a_name_that_was_taken_in_between_is_refused_when_the_app_is_created(
    scene: Scene, browser: Browser
) -> None:
    first, second = await register(scene, browser), await register(scene, browser)

    assert (await convert(scene, first)).status == 201
    assert (await convert(scene, second)).status == 422
