"""The stand-in Slack's people: users.list in pages, and what e-mail addresses need to be shown."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox
from tests.integrations.sandbox.test_slack_server import call


async def listed(api: AsyncWebClient, **arguments: Any) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await api.users_list(cursor=cursor, **arguments)
        members += answer["members"]
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            return members


async def test_everybody_is_listed_in_pages(slack: SlackSandbox, api: AsyncWebClient) -> None:
    slack.workspace.change_user("U0RENE", deleted=True)
    slack.workspace.add_user("U0GUEST", is_restricted=True)

    members = {each["id"]: each for each in await listed(api, limit=2)}

    assert list(members) == [slack.bot_user_id, "U0OLGA", "U0RENE", "U0XENA", "U0GUEST", "USLACKBOT"]
    assert members["U0RENE"]["deleted"] is True
    assert members["U0GUEST"]["is_restricted"] is True
    assert members["U0XENA"]["team_id"] == "T0OTHER"
    assert members["USLACKBOT"]["is_bot"] is False
    assert len(slack.calls("users.list")) == 3


async def test_a_page_has_at_most_a_thousand(slack: SlackSandbox) -> None:
    assert (await call(slack, "users.list", data={"limit": 1001}))["error"] == "invalid_arguments"
    assert (await call(slack, "users.list", data={"cursor": "x"}))["error"] == "invalid_cursor"


async def test_addresses_need_their_own_scope(slack: SlackSandbox, api: AsyncWebClient) -> None:
    slack.workspace.change_user("U0OLGA", is_email_confirmed=True)
    without = (await api.users_info(user="U0OLGA"))["user"]
    slack.scopes.add("users:read.email")
    shown = (await api.users_info(user="U0OLGA"))["user"]
    [in_list] = [each for each in await listed(api) if each["id"] == "U0OLGA"]

    assert "email" not in without["profile"]
    assert (shown["profile"]["email"], shown["is_email_confirmed"]) == ("olga@example.com", True)
    assert in_list == shown


async def test_slack_does_not_always_say_whether_an_address_is_confirmed(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.scopes.add("users:read.email")
    silent = (await api.users_info(user="U0OLGA"))["user"]
    slack.workspace.change_user("U0OLGA", is_email_confirmed=False)
    unconfirmed = (await api.users_info(user="U0OLGA"))["user"]

    assert "is_email_confirmed" not in silent
    assert unconfirmed["is_email_confirmed"] is False
