"""A whole set-up with the real process, from an empty folder to the card of a leak, with most steps wrong once."""

import asyncio
import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

from integrations.sandbox.browser import Browser
from integrations.sandbox.github import GitHubSandbox, GitHubUser, Organization
from integrations.sandbox.github.sign_in import COOKIE
from integrations.sandbox.slack import SlackSandbox
from tests.flows.planted import make_secret
from tests.flows.setup.local_page import modes
from tests.processes.bot import Bot, run_command, start_command
from tests.processes.forked import Forked
from tests.processes.setup_sinks import find_secrets
from tests.processes.sinks import messages
from tests.processes.waiting import until

PUBLIC_URL = "https://stanch.example.com"
CHANNEL, PERSON = "C0SECURITY", "U0OLGA"
INVITATION = re.compile(r"Open (http://127\.0\.0\.1:\d+) .* the code (\S+)")


class SetupProcess:
    """`stanch setup` in a folder, what it printed, the code that it asks for, and a browser on its page."""

    def __init__(
        self, child: asyncio.subprocess.Process | Forked, output: Path, page: Browser, code: str
    ) -> None:
        self.child = child
        self._output = output
        self.page = page
        self.code = code
        self.printed = ""
        """All that it has printed, once it has ended."""
        self.seen: list[str] = []
        """Each page that was shown, with its headers."""
        self.note()

    def note(self) -> None:
        """Note the page that the browser shows now."""
        self.seen.append(f"{self.page.headers} {self.page.text}")

    async def send(self, button: str, **fields: str) -> None:
        """Fill in the page's form and press its button; AssertionError for a refusal."""
        await self.page.send(button, **fields)
        self.note()
        assert self.page.status == 200, self.page.text

    async def refused(self, button: str, **fields: str) -> str:
        """Press a button in vain; returns the sentence on the page, which shows the same step again."""
        before = self.title
        await self.page.send(button, **fields)
        self.note()
        assert (self.page.status, self.title) == (400, before), self.page.text
        found = re.search(r'role="alert">(.*?)</p>', self.page.text)
        assert found is not None
        return unescape(re.sub("<.*?>", "", found[1]))

    async def again(self, step: str) -> None:
        """Press *Do again* beside a step that is done."""
        [form] = [one for one in self.page.forms if one.values.get("step") == [step] and "do" in one.values]
        self.page.forms = [form]
        await self.send(next(iter(form.buttons)))

    @property
    def printed_since(self) -> str:
        """What was printed besides the line that tells the code."""
        return INVITATION.sub("", self.printed)

    @property
    def title(self) -> str:
        found = re.search("<h1>(.*?)</h1>", self.page.text)
        assert found is not None, self.page.text
        return found[1]

    @asynccontextmanager
    async def tab(self, link: str) -> AsyncIterator[Browser]:
        """Another tab of the same browser, in which the link of the page is opened."""
        async with Browser(cookies=self.page.cookies) as tab:
            await tab.open(self.page.links[link])
            yield tab

    async def end(self) -> int:
        """Wait until the process has ended by itself; returns its status."""
        async with asyncio.timeout(15):
            status = await self.child.wait()
        self.printed = self._output.read_text()
        return status


@asynccontextmanager
async def set_up(
    environment: dict[str, str], folder: Path, person: GitHubUser
) -> AsyncIterator[SetupProcess]:
    """Run the command until the block ends, with the code entered."""
    with tempfile.NamedTemporaryFile() as file:
        output = Path(file.name)
        child = await start_command(environment, folder, ("setup", "--no-browser"), output, output)
        try:
            found = await until(lambda: INVITATION.search(output.read_text()), "it says where its page is")
            assert found is not None
            async with Browser(cookies={COOKIE: str(person.id)}) as page:
                await page.open(found[1])
                await page.send("Continue", code=found[2])
                yield SetupProcess(child, output, page, found[2])
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def create_github_app(run: SetupProcess, github: GitHubSandbox) -> dict[str, str]:
    """Create the App, whose secrets come in an answer that can't be read at first; returns those secrets."""
    first = {
        "client_secret": "0c1d" * 10,
        "webhook_secret": make_secret("webhook"),
        "pem": make_secret("pem"),
    }
    assert "Write the login" in await run.refused("Continue", account=first["client_secret"])
    await run.send("Continue", account="octo", public_url=PUBLIC_URL, webhooks="yes")
    github.faults.add("POST /app-manifests/.*", times=1, status=201, body={**first, "message": f"{first}"})
    await run.send("Create the App on octo")
    await run.page.send("Create GitHub App for octo", name="stanch-octo")
    run.note()
    assert "not what GitHub describes" in run.page.text
    await run.send("Create the App on octo")
    await run.send("Create GitHub App for octo", name="stanch-octo-2")
    assert run.title == "Installation"
    return first


async def install_github_app(run: SetupProcess) -> None:
    assert "is not installed on octo yet" in await run.refused("I have installed it")
    async with run.tab("Install the App on GitHub") as tab:
        await tab.send("Install")
    await run.send("I have installed it")


async def create_slack_app(run: SetupProcess, slack: SlackSandbox) -> dict[str, str]:
    """Create and install the app, and paste both tokens, each wrong once; returns secrets that are not kept."""
    elsewhere = slack.add_app_elsewhere().bot_token
    async with run.tab("Create the Slack app") as tab:
        await tab.send("Next")
        await tab.send("Create")
        general = tab.address
        await tab.follow("Install App")
        await tab.send("Allow")
        bot_token = shown(tab, "bot_token")
        await tab.open(general)
        signing_secret = shown(tab, "signing_secret")
        assert "looks like the signing secret" in await run.refused(
            "Check the token", bot_token=signing_secret
        )
        for body in ({"ok": False, "error": bot_token}, f"No {bot_token}"):
            slack.faults.add("auth.test", times=1, status=200, body=body)
            await run.refused("Check the token", bot_token=bot_token)
        # The token of another workspace is a token like any other, until the app-level token shows the difference.
        await run.send("Check the token", bot_token=elsewhere)
        await tab.send("Generate", name="socket", scope="connections:write")
        app_token = shown(tab, "app_token")
        assert "belongs to another Slack app" in await run.refused("Check the token", app_token=app_token)
        await run.again("slack_app")
        assert "was set up for" in await run.refused("Check the token", bot_token=bot_token)
        await run.send("Check the token", bot_token=bot_token, other_workspace="yes")
        assert "This is the bot token" in await run.refused("Check the token", app_token=bot_token)
        await run.send("Check the token", app_token=app_token)
    return {"the signing secret": signing_secret, "a token of another workspace": elsewhere}


def shown(tab: Browser, name: str) -> str:
    found = re.search(rf'<code id="{name}">([^<]+)</code>', tab.text)
    assert found is not None, tab.text
    return found[1]


async def doctor_s_findings(environment: dict[str, str], folder: Path) -> list[str]:
    """The codes of what `stanch doctor` finds beside the server, but for the address, which is made up."""
    ended = await run_command(environment, folder, "doctor", "--json")
    found = [one for one in json.loads(ended.output)["results"] if one["level"] in ("fault", "warning")]
    return [one["code"] for one in found if not one["code"].startswith("address.")]


def tells_of_the_link(slack: SlackSandbox) -> bool:
    """Who is linked is announced in the channel, and told to the Slack user, whoever ran the set-up."""
    private = [message.shown_text for message in slack.private_messages(PERSON)]
    return all(
        any("olga" in text and "linked" in text for text in texts)
        for texts in ([message.shown_text for message in slack.channel_messages(CHANNEL)], private)
    )


async def test_from_an_empty_folder_to_the_card_of_a_leak(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o700)
    async with SlackSandbox() as slack, GitHubSandbox() as github:
        person = github.add_user("olga")
        octo = github.app_owner
        assert isinstance(octo, Organization)
        github.add_member(octo, person, role="admin")
        repository = github.add_repository(octo, "payments")
        slack.workspace.add_user(PERSON, name="olga")
        slack.workspace.add_channel(CHANNEL, name="security", members=[PERSON], private=True, bot_in=False)
        servers = {"SLACK_API_URL": slack.api_url, "GITHUB_URL": github.url, "GITHUB_API_URL": github.api_url}
        async with set_up(servers, tmp_path, person) as first:
            planted = await create_github_app(first, github)
            first.child.send_signal(signal.SIGINT)
            assert await first.end() == 1
            assert first.printed.endswith("Stopped. Finished steps are kept: run stanch setup to go on.\n")
        async with set_up(servers, tmp_path, person) as run:
            await install_github_app(run)
            planted |= await create_slack_app(run, slack)
            assert "in no channel that it can use" in run.page.text
            async with Browser() as client:
                await client.open(f"{slack.origin}/archives/{CHANNEL}")
                await client.send("Send", text="/invite @Stanch")
            await run.send("Read the list again")
            await run.send("Use this channel", channel=CHANNEL)
            assert "has no account olgga" in await run.refused("Link me", slack_user=PERSON, login="olgga")
            signing_secret = planted["the signing secret"]
            assert "Write your login" in await run.refused("Link me", slack_user=PERSON, login=signing_secret)
            await run.send("Link me", slack_user=PERSON, login="olga")
            await run.send("Post the test card")
            assert len(slack.channel_messages(CHANNEL)) == 1
            await run.send("Take it away")
            assert await run.end() == 0
        assert slack.channel_messages(CHANNEL) == []

        assert modes(tmp_path) == {".env": "0o600", "github-app.pem": "0o600", "stanch.db": "0o600"}

        bot = Bot(servers, tmp_path)
        await bot.start()
        try:
            github.hosts[PUBLIC_URL] = bot.address
            await until(lambda: tells_of_the_link(slack), "the link is told to the channel and to the person")
            leaker = github.add_user("leaky")
            github.leak(repository, token=github.add_live_token(owner=leaker))
            await until(lambda: slack.cards(CHANNEL), "the card of the leak")
            [card] = slack.cards(CHANNEL)
            await slack.click(PERSON, CHANNEL, card.ts, "take")
            await until(lambda: PERSON in slack.cards(CHANNEL)[0].shown_text, "the person is on it")
            assert await doctor_s_findings(servers, tmp_path) == []
        finally:
            await bot.stop()
        planted |= {"the first code": first.code, "the second code": run.code}
        outputs = {
            "output of the set-up": first.printed_since + run.printed_since,
            "what people see in Slack": messages(slack).decode(),
        }
        assert find_secrets(tmp_path, first.seen + run.seen, outputs, slack, github, planted) == []
        assert slack.complaints == github.complaints == []
