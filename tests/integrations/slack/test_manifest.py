"""The manifest asks for the scopes that the bot's calls need, and for no other."""

from pathlib import Path

import aiohttp
import pytest
import yaml

from integrations.sandbox.slack import SlackSandbox
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.blocks import Metadata, message, modal, section
from integrations.slack.text import mrkdwn

MANIFEST = yaml.safe_load((Path(__file__).parents[3] / "manifest.yml").read_text())
SCOPES = frozenset(MANIFEST["oauth_config"]["scopes"]["bot"])
CARD = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 42})


async def do_everything(scopes: frozenset[str]) -> None:
    """Call each method of the client, in a public and in a private channel."""
    content = message(mrkdwn("open"))
    view = modal(callback_id="close_alert", title="Close alert", blocks=[section(mrkdwn("a"))])
    async with SlackSandbox(scopes=scopes) as sandbox, aiohttp.ClientSession() as session:
        slack = Slack.build(sandbox.bot_token, sandbox.api_url, session)
        sandbox.workspace.add_user("U0DANA", name="dana")
        await slack.whoami()
        await slack.person("U0DANA")
        for channel, private in (("C0SEC", False), ("C0PRIVATE", True)):
            sandbox.workspace.add_channel(channel, members=["U0DANA"], private=private)
            await slack.channel(channel)
            ts = await slack.post(channel, content, metadata=CARD)
            await slack.update(channel, ts, content, metadata=CARD)
            await slack.find_post(channel, CARD, since=float(ts))
            await slack.find_post(channel, CARD, since=float(ts), thread_ts=ts)
            await slack.permalink(channel, ts)
            await slack.ephemeral(channel, "U0DANA", content)
        await slack.direct_message("U0DANA", content)
        opened = await slack.open_view(sandbox.world.triggers.make("U0DANA"), view)
        await slack.update_view(opened.id, view, hash=opened.hash)


async def test_all_calls_work_with_the_scopes_of_the_manifest() -> None:
    await do_everything(SCOPES)


# The command itself needs its scope; no call does.
@pytest.mark.parametrize("scope", sorted(SCOPES - {"commands"}))
async def test_no_scope_is_there_for_nothing(scope: str) -> None:
    with pytest.raises(errors.Unauthorized, match=f"missing_scope.*{scope}"):
        await do_everything(SCOPES - {scope})


def test_all_requests_of_slack_come_to_one_address() -> None:
    [command] = MANIFEST["features"]["slash_commands"]
    settings = MANIFEST["settings"]
    events, interactivity = settings["event_subscriptions"], settings["interactivity"]
    addresses = {command["url"], interactivity["request_url"], events["request_url"]}
    assert [address.partition("/slack/")[2] for address in addresses] == ["events"]
    assert command["command"] == "/leaks"
