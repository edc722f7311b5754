"""Creating an app on the stand-in's pages: from a manifest, installing it, its tokens, and inviting its bot."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.browser import Browser
from integrations.sandbox.slack import SlackSandbox
from integrations.sandbox.slack.manifests import InvalidSlackManifest, read_manifest
from tests.integrations.sandbox.conftest import SmallApp

MANIFEST: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "manifest.yml").read_text(encoding="utf-8")
)
URL = "https://stanch.example.com/slack/events"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as browser:
        yield browser


async def create(slack: SlackSandbox, browser: Browser, manifest: dict[str, Any] = MANIFEST) -> None:
    query = urlencode({"new_app": "1", "manifest_json": json.dumps(manifest)})
    await browser.open(f"{slack.origin}/apps?{query}")
    await browser.send("Next")
    await browser.send("Create")


def shown(browser: Browser, name: str) -> str:
    found = re.search(rf'<code id="{name}">([^<]+)</code>', browser.text)
    assert found is not None, browser.text
    return found[1]


async def error_of(slack: SlackSandbox, token: str, method: str) -> str | None:
    try:
        await AsyncWebClient(token, slack.api_url).api_call(method)
    except SlackApiError as error:
        return str(error.response["error"])
    return None


async def test_an_app_gets_its_tokens_one_by_one(slack: SlackSandbox, browser: Browser) -> None:
    former = slack.bot_token
    slack.workspace.add_channel("C0NEW", name="security", bot_in=False)
    await create(slack, browser)
    assert shown(browser, "signing_secret") == slack.signing_secret
    general = browser.address
    await browser.send("Generate", name="socket", scope="connections:write")
    app_token = shown(browser, "app_token")
    assert await error_of(slack, app_token, "apps.connections.open") is None
    assert await error_of(slack, former, "auth.test") == "invalid_auth"

    await browser.open(general)
    await browser.follow("Install App")
    await browser.send("Allow", optional=["usergroups:read"])
    bot_token = shown(browser, "bot_token")
    client = AsyncWebClient(bot_token, slack.api_url)
    assert (await client.auth_test())["user_id"] == slack.bot_user_id
    assert slack.scopes == {*MANIFEST["oauth_config"]["scopes"]["bot"], "usergroups:read"}
    assert (await client.users_conversations())["channels"] == []
    await browser.open("/archives/C0NEW")
    await browser.send("Send", text="/invite @Stanch")
    assert [each["id"] for each in (await client.users_conversations())["channels"]] == ["C0NEW"]
    assert slack.unexpected == slack.violations == []


async def test_a_manifest_for_http_sends_requests_to_its_address(
    slack: SlackSandbox, browser: Browser, small_app: SmallApp
) -> None:
    manifest = json.loads(json.dumps(MANIFEST))
    manifest["settings"]["socket_mode_enabled"] = False
    manifest["settings"]["event_subscriptions"]["request_url"] = URL
    manifest["settings"]["interactivity"]["request_url"] = URL
    manifest["features"]["slash_commands"][0]["url"] = URL
    await create(slack, browser, manifest)
    await browser.send("Generate", name="socket", scope="connections:write")
    nowhere = await slack.verify_url()
    slack.hosts["https://stanch.example.com"] = small_app.url.removesuffix("/slack/events")
    await slack.verify_url()

    assert nowhere.error == "dispatch_failed"
    assert small_app.payload["type"] == "url_verification"
    assert slack.events_url == URL
    assert await error_of(slack, shown(browser, "app_token"), "apps.connections.open") == "forbidden_team"


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("settings.socket_mode_enabled", False, "requires either Request URL or Socket Mode"),
        ("settings.interactivity.request_url", "http://stanch.example.com", "must be an HTTPS address"),
        ("settings.event_subscriptions.bot_events", ["no_event"], "unknown event no_event"),
        ("oauth_config.scopes.bot", ["chat:read"], "unknown scope chat:read"),
        ("display_information.name", "x" * 36, "1 to 35 characters"),
        ("features.bot_user.display_name", "", "needs a display_name"),
        ("features.workflows", [], "unknown field workflows"),
    ],
)
def test_a_manifest_that_slack_refuses(path: str, value: object, error: str) -> None:
    manifest = json.loads(json.dumps(MANIFEST))
    *parents, last = path.split(".")
    at = manifest
    for step in parents:
        at = at[step]
    at[last] = value

    with pytest.raises(InvalidSlackManifest, match=error):
        read_manifest(json.dumps(manifest))


async def test_a_refused_manifest_is_a_page_that_says_why(slack: SlackSandbox, browser: Browser) -> None:
    await browser.open(f"{slack.origin}/apps?new_app=1&manifest_json=%7B%7D")
    await browser.send("Next")

    assert browser.status == 422
    assert "must have 1 to 35 characters" in browser.text


async def test_an_app_elsewhere_says_which_workspace_it_is_of(slack: SlackSandbox) -> None:
    other = slack.add_app_elsewhere()

    client = AsyncWebClient(other.bot_token, slack.api_url)
    assert (await client.auth_test())["team_id"] == other.team_id
    assert await error_of(slack, other.bot_token, "users.conversations") == "team_access_not_granted"
    assert await error_of(slack, other.bot_token, "apps.connections.open") == "not_allowed_token_type"
    assert await error_of(slack, other.app_token, "apps.connections.open") is None
