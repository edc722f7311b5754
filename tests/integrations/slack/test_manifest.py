"""The manifest has exactly the scopes that the bot needs, and works for Socket Mode and HTTP."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import yaml

from bot.commands.buttons import MESSAGE_SHORTCUT
from bot.flows.setup.slack_app import manifest_text
from bot.rules.slack_addresses import app_address, new_app_address
from bot.rules.slack_app_manifest import slack_app_manifest
from integrations.sandbox.slack import SlackSandbox
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.blocks import Metadata, message, modal, section
from integrations.slack.text import mrkdwn

ROOT = Path(__file__).parents[3]
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
MANIFEST_TEXT = (ROOT / "manifest.yml").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load(MANIFEST_TEXT)
SCOPES = frozenset(MANIFEST["oauth_config"]["scopes"]["bot"])
CARD = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 42})


async def do_everything(scopes: frozenset[str]) -> None:
    """Call each method of the client, in a public and in a private channel."""
    content = message(mrkdwn("open"))
    view = modal(callback_id="close_alert", title="Close alert", blocks=[section(mrkdwn("a"))])
    async with SlackSandbox(scopes=scopes) as sandbox, aiohttp.ClientSession() as session:
        slack = Slack(sandbox.bot_token, sandbox.api_url, session)
        sandbox.workspace.add_user("U0DANA", name="dana")
        await slack.whoami()
        await slack.person("U0DANA")
        for channel, private in (("C0SEC", False), ("C0PRIVATE", True)):
            sandbox.workspace.add_channel(channel, members=["U0DANA"], private=private)
            await slack.channel(channel)
            await slack.members(channel, most=100)
            ts = await slack.post(channel, content, metadata=CARD)
            await slack.update(channel, ts, content, metadata=CARD)
            await slack.find_post(channel, CARD, since=float(ts))
            await slack.find_post(channel, CARD, since=float(ts), thread_ts=ts)
            await slack.ephemeral(channel, "U0DANA", content)
        await slack.direct_message("U0DANA", content)
        opened = await slack.open_view(sandbox.world.triggers.make("U0DANA"), view)
        await slack.update_view(opened.id, view, hash=opened.hash)


async def test_all_calls_work_with_the_scopes_of_the_manifest() -> None:
    await do_everything(SCOPES)


async def test_user_groups_need_the_optional_scope() -> None:
    optional = frozenset(MANIFEST["oauth_config"]["scopes"]["bot_optional"])
    for scopes in (SCOPES, SCOPES | optional):
        async with SlackSandbox(scopes=scopes) as sandbox, aiohttp.ClientSession() as session:
            slack = Slack(sandbox.bot_token, sandbox.api_url, session)
            sandbox.workspace.add_usergroup("S0SEC", handle="security")
            if scopes == SCOPES:
                with pytest.raises(errors.SlackUnauthorized, match="missing_scope"):
                    await slack.user_groups()
            else:
                assert [(group.id, group.handle) for group in await slack.user_groups()] == [
                    ("S0SEC", "security")
                ]


# The scope `commands` is for the slash command itself; no call needs it.
@pytest.mark.parametrize("scope", sorted(SCOPES - {"commands"}))
async def test_each_scope_is_needed(scope: str) -> None:
    with pytest.raises(errors.SlackUnauthorized, match=f"missing_scope.*{scope}"):
        await do_everything(SCOPES - {scope})


def for_http() -> dict[str, Any]:
    """The manifest after the change that docs/install.md shows; each of its lines must fit, in order."""
    [change] = re.findall(r"^```diff\n(.*?)^```", INSTALL, re.MULTILINE | re.DOTALL)
    rest, changed = MANIFEST_TEXT.splitlines(), []
    for line in change.splitlines():
        if line[0] == "+":
            changed.append(line[1:])
            continue
        at = rest.index(line[1:])
        changed += rest[: at if line[0] == "-" else at + 1]
        rest = rest[at + 1 :]
    made: dict[str, Any] = yaml.safe_load("\n".join([*changed, *rest]))
    return made


def addresses(manifest: dict[str, Any]) -> list[str | None]:
    [command] = manifest["features"]["slash_commands"]
    settings = manifest["settings"]
    events, interactivity = settings["event_subscriptions"], settings["interactivity"]
    return [command.get("url"), events.get("request_url"), interactivity.get("request_url")]


def test_socket_mode_has_no_addresses() -> None:
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert addresses(MANIFEST) == [None, None, None]


def test_over_http_all_requests_have_one_address() -> None:
    made = for_http()
    assert made["settings"]["socket_mode_enabled"] is False
    assert addresses(made) == ["https://stanch.example.com/slack/events"] * 3


def test_http_and_socket_mode_differ_only_in_addresses() -> None:
    made = for_http()
    made["features"]["slash_commands"][0].pop("url")
    made["settings"]["event_subscriptions"].pop("request_url")
    made["settings"]["interactivity"].pop("request_url")
    made["settings"]["socket_mode_enabled"] = True
    assert made == MANIFEST


def test_the_command_and_the_shortcut_are_the_bots() -> None:
    assert [command["command"] for command in MANIFEST["features"]["slash_commands"]] == ["/leaks"]
    assert [shortcut["callback_id"] for shortcut in MANIFEST["features"]["shortcuts"]] == [MESSAGE_SHORTCUT]


def test_the_set_up_derives_the_form_for_http_that_the_docs_show() -> None:
    made = slack_app_manifest(MANIFEST_TEXT, "https://stanch.example.com")
    assert json.loads(made.json) == for_http()
    assert made.scopes == SCOPES
    assert made.optional_scopes == set(MANIFEST["oauth_config"]["scopes"]["bot_optional"])


def test_an_installed_package_has_the_manifest_beside_its_modules() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"manifest.yml": "bot/manifest.yml"}


def test_the_set_up_uses_the_manifest_as_it_is_for_socket_mode() -> None:
    assert json.loads(slack_app_manifest(MANIFEST_TEXT).json) == MANIFEST
    assert manifest_text() == MANIFEST_TEXT


@pytest.mark.parametrize(
    ("api_url", "site"),
    [
        ("https://slack.com/api/", "https://api.slack.com"),
        ("https://slack-gov.com/api/", "https://api.slack-gov.com"),
        ("http://127.0.0.1:8055/api/", "http://127.0.0.1:8055"),
    ],
)
def test_the_page_that_creates_the_app_is_filled_in(api_url: str, site: str) -> None:
    for public_url in (None, f"https://{'stanch.' * 20}example.com"):
        made = slack_app_manifest(MANIFEST_TEXT, public_url)
        address = new_app_address(api_url, made.json)
        assert address.startswith(f"{site}/apps?new_app=1&manifest_json=%7B")
        assert json.loads(dict(parse_qsl(urlsplit(address).query))["manifest_json"]) == json.loads(made.json)


def test_a_manifest_that_is_too_long_for_an_address_is_left_out() -> None:
    assert new_app_address("https://slack.com/api/", "x" * 7000) == "https://api.slack.com/apps?new_app=1"
    assert app_address("https://slack.com/api/", "A0X", "oauth") == "https://api.slack.com/apps/A0X/oauth"
    assert app_address("https://slack.com/api/", None, "oauth") == "https://api.slack.com/apps"
