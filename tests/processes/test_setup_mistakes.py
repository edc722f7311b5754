"""A new user's set-up with a mistake at each step: how much is to be done outside of Stanch, and the first card."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from integrations.sandbox.browser import Browser
from integrations.sandbox.github import GitHubSandbox, Organization, generate_private_key
from integrations.sandbox.slack import SlackSandbox
from tests.processes.bot import Bot
from tests.processes.test_setup import SetupProcess, set_up, shown
from tests.processes.waiting import until

CHANNEL, PERSON = "C0SECURITY", "U0OLGA"
MOST = 12
"""Fields filled and buttons pressed outside of Stanch, from an empty folder on."""


@dataclass
class Person:
    """Who sets Stanch up; notes what they do on GitHub's and Slack's pages."""

    run: SetupProcess
    done: list[str] = field(default_factory=list)

    async def there(self, tab: Browser, button: str, **fields: str) -> None:
        """Fill in a form of GitHub's or Slack's, and press its button."""
        page = re.findall("<h1>(.*?)</h1>", tab.text)[0]
        self.done += [f"{page}: {name}" for name in fields] + [f"{page}: press {button}"]
        await tab.send(button, **fields)
        assert tab.status == 200, tab.text

    async def wrongly(self, button: str, expected: str, **fields: str) -> None:
        """Do a step of the page wrong, and be told what to do instead."""
        await self.run.page.send(button, **fields)
        page = self.run.page
        assert expected in page.text, page.text
        assert "Traceback" not in page.text
        assert not any(value in page.text for value in fields.values() if value.startswith("x"))


async def github_app(person: Person, folder: Path, github: GitHubSandbox) -> None:
    run, browser = person.run, person.run.page
    await person.wrongly("Continue", "Write the login of the organization", account="octo cat")
    await run.send("Continue", account="octo")
    (folder / "other.pem").write_text(generate_private_key())
    await person.wrongly(
        "Use this App", "they belong to different Apps", app_id=str(github.app_id), key_file="other.pem"
    )
    await run.send("Create the App on octo")
    await person.there(browser, "Create GitHub App for octo")
    await person.wrongly("I have installed it", "is not installed on octo yet")
    async with run.tab("Install the App on GitHub") as tab:
        await person.there(tab, "Install")
    await run.send("I have installed it")


async def slack_app(person: Person, slack: SlackSandbox) -> None:
    run = person.run
    async with run.tab("Create the Slack app") as tab:
        await person.there(tab, "Next")
        await person.there(tab, "Create")
        general = tab.address
        await person.wrongly(
            "Check the token", "install the app to the workspace", bot_token="xoxb-" + "1" * 20
        )
        person.done.append("Basic Information: press Install App")
        await tab.follow("Install App")
        await person.there(tab, "Allow")
        bot_token = shown(tab, "bot_token")
        await person.wrongly("Check the token", "which the next step asks for", bot_token="xapp-1-A1-2")
        await run.send("Check the token", bot_token=bot_token)
        await tab.open(general)
        await person.there(tab, "Generate", name="socket", scope="connections:write")
        other = slack.add_app_elsewhere().app_token
        await person.wrongly("Check the token", "belongs to another Slack app", app_token=other)
        await run.send("Check the token", app_token=shown(tab, "app_token"))


async def channel_and_person(person: Person, slack: SlackSandbox) -> None:
    run = person.run
    await person.wrongly("Read the list again", "The bot is in no channel that it can use yet")
    async with Browser() as client:
        await client.open(f"{slack.origin}/archives/{CHANNEL}")
        await person.there(client, "Send", text="/invite @Stanch")
    await run.send("Read the list again")
    await run.send("Use this channel", channel=CHANNEL)
    await person.wrongly("Link me", "is no person", slack_user=PERSON, login="octo")
    await run.send("Link me", slack_user=PERSON, login="olga")
    slack.workspace.change_channel(CHANNEL, members={PERSON})
    await person.wrongly("Post the test card", "/invite @Stanch")
    slack.invite(CHANNEL)
    await run.send("Post the test card")
    await run.send("Take it away")


async def test_each_mistake_is_named_and_a_leak_after_the_set_up_gets_its_card(tmp_path: Path) -> None:
    """GitHub reaches no address of Stanch, so that the card comes by a sync."""
    os.chmod(tmp_path, 0o700)
    async with SlackSandbox() as slack, GitHubSandbox() as github:
        olga, octo = github.add_user("olga"), github.app_owner
        assert isinstance(octo, Organization)
        github.add_member(octo, olga, role="admin")
        repository = github.add_repository(octo, "payments")
        slack.workspace.add_user(PERSON, name="olga")
        slack.workspace.add_channel(CHANNEL, name="security", members=[PERSON], private=True, bot_in=False)
        servers = {"SLACK_API_URL": slack.api_url, "GITHUB_URL": github.url, "GITHUB_API_URL": github.api_url}
        async with set_up(servers, tmp_path, olga) as run:
            person = Person(run)
            await github_app(person, tmp_path, github)
            await slack_app(person, slack)
            await channel_and_person(person, slack)
            assert await run.end() == 0
        print("\n".join(person.done))  # noqa: T201 - the list of steps; pytest -rP shows it.
        assert len(person.done) <= MOST

        github.leak(repository, token=github.add_live_token(owner=github.add_user("leaky")))
        bot = Bot(servers, tmp_path)
        await bot.start()
        try:
            # The sync of the start has found it, as `stanch sync` does later.
            await until(lambda: slack.cards(CHANNEL), "the card of the leak")
        finally:
            await bot.stop()
        assert slack.complaints == github.complaints == []
