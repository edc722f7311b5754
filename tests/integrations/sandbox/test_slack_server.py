"""The stand-in Slack's Web API: tokens, scopes, bodies, unknown methods, limits and faults."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import DEFAULT_SCOPES, SlackSandbox
from tests.integrations.sandbox.conftest import Time
from tests.integrations.sandbox.slack_drawings import QUIET


async def call(
    slack: SlackSandbox, method: str, *, token: str | None = None, **request: Any
) -> dict[str, Any]:
    """A call without any client library."""
    headers = {"Authorization": f"Bearer {token or slack.bot_token}"} | request.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.post(slack.api_url + method, headers=headers, **request) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


async def test_auth_test_names_the_bot(slack: SlackSandbox, api: AsyncWebClient) -> None:
    answer = await api.auth_test(team_id=slack.team_id)
    assert (answer["team_id"], answer["bot_id"], answer["user_id"]) == (
        slack.team_id,
        slack.bot_id,
        slack.bot_user_id,
    )
    assert "chat:write" in answer.headers["X-OAuth-Scopes"]


async def test_a_wrong_or_missing_token_is_refused(slack: SlackSandbox) -> None:
    assert (await call(slack, "auth.test", token="xoxb-wrong"))["error"] == "invalid_auth"
    assert (await call(slack, "auth.test", headers={"Authorization": ""}))["error"] == "not_authed"
    in_query: dict[str, Any] = {"params": {"token": slack.bot_token}, "headers": {"Authorization": ""}}
    assert (await call(slack, "auth.test", **in_query))["error"] == "not_authed"
    in_json: dict[str, Any] = {"json": {"token": slack.bot_token}, "headers": {"Authorization": ""}}
    assert (await call(slack, "auth.test", **in_json))["error"] == "not_authed"
    in_form: dict[str, Any] = {"data": {"token": slack.bot_token}, "headers": {"Authorization": ""}}
    assert (await call(slack, "auth.test", **in_form))["ok"]
    assert slack.bot_token not in repr(slack.requests)


async def test_a_missing_scope_is_named(slack: SlackSandbox) -> None:
    slack.scopes.remove("users:read")
    answer = await call(slack, "users.info", data={"user": "U0OLGA"})
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert set(answer["provided"].split(",")) == DEFAULT_SCOPES - {"users:read"}


def test_the_token_has_the_scopes_of_the_manifest() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[3] / "manifest.yml").read_text())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == DEFAULT_SCOPES


async def test_the_scope_of_a_channel_depends_on_its_kind(slack: SlackSandbox) -> None:
    slack.workspace.add_channel("C0HID", private=True)
    slack.scopes.remove("groups:history")
    assert (await call(slack, "conversations.history", data={"channel": "C0SEC"}))["ok"]
    assert (await call(slack, "conversations.history", data={"channel": "C0HID"}))[
        "needed"
    ] == "groups:history"


async def test_bodies_are_read_as_slack_reads_them(slack: SlackSandbox) -> None:
    json_type: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}
    assert (await call(slack, "chat.postMessage", data=b"{", **json_type))["error"] == "invalid_json"
    assert (await call(slack, "chat.postMessage", data=b"[]", **json_type))["error"] == "json_not_object"
    plain: dict[str, Any] = {"headers": {"Content-Type": "text/plain"}}
    assert (await call(slack, "chat.postMessage", data=b"hi", **plain))["error"] == "invalid_post_type"
    # users.info reads no JSON body, so the argument is missing.
    assert (await call(slack, "users.info", json={"user": "U0OLGA"}))["error"] == "invalid_arguments"
    blocks = '[{"type":"divider"}]'
    form = {"channel": "C0SEC", "text": "Leak", "blocks": blocks, "parse": "none", "link_names": "false"}
    assert (await call(slack, "chat.postMessage", data=form | {"unfurl_links": "0", "unfurl_media": "0"}))[
        "ok"
    ]
    assert (await call(slack, "chat.postMessage", data=form | {"blocks": "["}))[
        "error"
    ] == "invalid_blocks_format"
    assert slack.hygiene == []


async def test_an_unknown_method_or_path_is_refused_and_recorded(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    with pytest.raises(SlackApiError, match="unknown_method"):
        await api.files_list()
    async with aiohttp.ClientSession() as session, session.get(slack.origin + "/services/x") as response:
        assert response.status == 404
    assert slack.unexpected == ["files.list", "GET /services/x"]


async def test_every_call_is_recorded_without_the_token(slack: SlackSandbox, api: AsyncWebClient) -> None:
    await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    with pytest.raises(SlackApiError):
        await api.chat_postMessage(channel="C0NONE", text="Leak", **QUIET)
    good, bad = slack.calls("chat.postMessage")
    assert (good.arguments["channel"], good.status, good.error, good.carried_out) == (
        "C0SEC",
        200,
        None,
        True,
    )
    assert (bad.status, bad.error, bad.carried_out) == (200, "channel_not_found", False)
    assert slack.bot_token not in repr(slack.requests)


async def test_a_rate_limit_on_request_has_no_effect(slack: SlackSandbox, api: AsyncWebClient) -> None:
    slack.rate_limit("chat.postMessage", retry_after=7)
    with pytest.raises(SlackApiError) as raised:
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    assert raised.value.response.status_code == 429
    assert raised.value.response.headers["Retry-After"] == "7"
    assert raised.value.response.data == {"ok": False, "error": "ratelimited"}
    assert slack.channel_messages("C0SEC") == []
    assert (await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET))["ok"]
    answers = [(call.status, call.error) for call in slack.calls("chat.postMessage")]
    assert answers == [(429, "ratelimited"), (200, None)]


async def test_slacks_rate_limits_can_be_turned_on(
    slack: SlackSandbox, api: AsyncWebClient, time: Time
) -> None:
    slack.enforce_rate_limits = True
    slack.workspace.add_channel("C0TWO")
    for _ in range(4):
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    with pytest.raises(SlackApiError) as raised:
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    assert raised.value.response.headers["Retry-After"] == "1"
    await api.chat_postMessage(channel="C0TWO", text="Leak", **QUIET)
    time.advance(1)
    await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)


async def test_a_connection_dropped_after_the_effect_leaves_the_message(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.faults.add("chat.postMessage", times=1, drop="after")
    with pytest.raises(aiohttp.ClientError):
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    [call] = slack.calls("chat.postMessage")
    assert (call.status, call.carried_out) == (None, True)
    assert len(slack.channel_messages("C0SEC")) == 1


async def test_a_connection_dropped_before_the_effect_leaves_nothing(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.faults.add("chat.postMessage", times=1, drop="before")
    with pytest.raises(aiohttp.ClientError):
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    [call] = slack.calls("chat.postMessage")
    assert (call.status, call.carried_out) == (None, False)
    assert slack.channel_messages("C0SEC") == []


async def test_a_call_can_be_held_before_and_after_its_effect(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    before = slack.faults.gate("chat.postMessage", at="before")
    after = slack.faults.gate("chat.postMessage", at="after")
    posting = asyncio.create_task(api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET))
    await before.reached()
    assert slack.channel_messages("C0SEC") == []
    before.open()
    await after.reached()
    assert len(slack.channel_messages("C0SEC")) == 1
    assert slack.calls("chat.postMessage")[0].carried_out
    after.open()
    assert (await posting)["ok"]


async def test_a_method_can_fail_on_request(slack: SlackSandbox, api: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", "fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    assert slack.calls("chat.postMessage")[0].error == "fatal_error"


async def test_channels_have_the_fields_about_sharing(slack: SlackSandbox, api: AsyncWebClient) -> None:
    await slack.share_channel("C0SEC", "T0OTHER")
    channel = (await api.conversations_info(channel="C0SEC"))["channel"]
    assert (channel["is_ext_shared"], channel["connected_team_ids"]) == (True, ["T0OTHER"])
    members = (await api.conversations_members(channel="C0PART"))["members"]
    assert "U0XENA" in members
    mine = (await api.users_conversations(types="public_channel,private_channel"))["channels"]
    assert [channel["id"] for channel in mine] == ["C0SEC", "C0PART"]


async def test_people_are_described_with_their_own_team_and_flags(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.workspace.add_user("U0GUEST", is_restricted=True)
    slack.workspace.add_user("U0GONE", deleted=True)
    slack.workspace.add_user("U0FAR", team_id="T0OTHER", is_stranger=True)
    people = {u: (await api.users_info(user=u))["user"] for u in ("U0OLGA", "U0GUEST", "U0GONE", "U0FAR")}
    assert people["U0OLGA"]["team_id"] == slack.team_id
    assert "email" not in people["U0OLGA"]["profile"]
    assert "is_stranger" not in people["U0OLGA"]
    assert people["U0GUEST"]["is_restricted"]
    assert people["U0GONE"]["deleted"]
    assert "is_restricted" not in people["U0GONE"]
    assert (people["U0FAR"]["team_id"], people["U0FAR"]["is_stranger"]) == ("T0OTHER", True)
    with pytest.raises(SlackApiError, match="user_not_found"):
        await api.users_info(user="U0NOBODY")


async def test_direct_messages_can_be_opened_with_reachable_people(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.workspace.add_user("U0GONE", deleted=True)
    opened = (await api.conversations_open(users="U0OLGA"))["channel"]["id"]
    assert opened == (await api.conversations_open(users=["U0OLGA"]))["channel"]["id"]
    with pytest.raises(SlackApiError, match="user_disabled"):
        await api.conversations_open(users="U0GONE")


async def test_a_user_group_omits_deactivated_people(slack: SlackSandbox, api: AsyncWebClient) -> None:
    slack.scopes.add("usergroups:read")
    slack.workspace.add_usergroup("S0SEC", handle="security", users=["U0OLGA", "U0RENE"])
    slack.workspace.change_user("U0RENE", deleted=True)
    assert (await api.usergroups_users_list(usergroup="S0SEC"))["users"] == ["U0OLGA"]


async def test_subscriptions_get_changes(slack: SlackSandbox, api: AsyncWebClient) -> None:
    changes = slack.subscribe()
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    await api.chat_update(channel="C0SEC", ts=posted["ts"], text="x", parse="none", link_names=False)
    await api.chat_delete(channel="C0SEC", ts=posted["ts"])
    changes.close()
    assert [(c.kind, c.ts) async for c in changes] == [
        ("message_posted", posted["ts"]),
        ("message_updated", posted["ts"]),
        ("message_deleted", posted["ts"]),
    ]
