"""What Slack says of the installation of an app."""

import aiohttp
import pytest

from integrations.sandbox.slack import SlackSandbox
from integrations.slack.api import Slack
from integrations.slack.blocks import message
from integrations.slack.installation import PAGE, SlackInstallation, app_of_token
from integrations.slack.text import mrkdwn


async def test_all_pages_of_channels_are_read() -> None:
    async with SlackSandbox() as sandbox, aiohttp.ClientSession() as session:
        for number in range(PAGE + 1):
            sandbox.workspace.add_channel(f"C{number}", private=number % 2 == 0)
        sandbox.workspace.add_channel("C0NOT", bot_in=False)
        found = await SlackInstallation(Slack(sandbox.bot_token, sandbox.api_url, session)).channels()

        assert {one.id for one in found} == {f"C{number}" for number in range(PAGE + 1)}
        assert all(one.is_member for one in found)
        assert len(sandbox.calls("users.conversations")) == 2


async def test_the_app_of_a_bot_is_found_and_its_message_taken_away_once() -> None:
    async with SlackSandbox() as sandbox, aiohttp.ClientSession() as session:
        sandbox.workspace.add_channel("C1")
        slack = Slack(sandbox.bot_token, sandbox.api_url, session)
        installation = SlackInstallation(slack)
        assert await installation.app_id(sandbox.bot_id) == sandbox.app_id
        ts = await slack.post("C1", message(mrkdwn("here")), metadata=None)
        await installation.take_away("C1", ts)
        await installation.take_away("C1", ts)

        assert sandbox.channel_messages("C1") == []


@pytest.mark.parametrize(
    ("token", "app"), [("xapp-1-A0X12-99-ab", "A0X12"), ("xapp-odd", None), ("xoxb-1", None)]
)
def test_an_app_level_token_names_its_app(token: str, app: str | None) -> None:
    assert app_of_token(token) == app
