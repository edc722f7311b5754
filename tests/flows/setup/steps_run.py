"""A set-up under test without its page: the forms of its steps are submitted as the page and the terminal do."""

from dataclasses import dataclass
from pathlib import Path

import aiohttp
from dotenv import dotenv_values

from bot.flows.setup.files import SetupFiles
from bot.flows.setup.progress import Overview, SetupProgress
from bot.flows.setup.step import Known, SetupContext
from bot.flows.setup.steps import STEPS
from bot.views.setup_panel import Panel
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from storage.clock import Clock

CHANNEL = "C0SECURITY"
PERSON = "U0OWNER"
FILE = "app.pem"


@dataclass
class SetupRun:
    """A run of the set-up that has come as far as Slack's steps."""

    slack: SlackSandbox
    github: GitHubSandbox
    session: aiohttp.ClientSession
    folder: Path
    progress: SetupProgress

    @property
    def env(self) -> dict[str, str | None]:
        """What is written to `.env`."""
        return dotenv_values(self.folder / ".env")

    @property
    def step(self) -> str:
        return self._next(self.progress.known)

    def _next(self, known: Known) -> str:
        return next((step.name for step in STEPS if not step.done(known)), "")

    async def submit(self, **form: str) -> Overview:
        """Submit a form of the step: its first one if nothing is entered."""
        overview = await self.progress.overview()
        hidden = overview.panel.forms[0].hidden if overview.panel and not form else {}
        return await self.progress.submit(self.step, {**hidden, **form})

    async def refused(self, **form: str) -> str:
        """The sentence with which a form is refused."""
        await self.progress.overview()
        before = self.step
        overview = await self.submit(**form)
        assert overview.problem is not None, overview
        assert self.step == before
        return str(overview.problem)

    async def panel(self) -> Panel:
        overview = await self.progress.overview()
        assert overview.problem is None, overview.problem
        assert overview.panel is not None
        return overview.panel

    async def anew(self) -> Overview:
        """Another run, which knows `.env` alone."""
        values = {name: value for name, value in self.env.items() if value}
        self.progress = progress(
            self.session, self.folder, Known({**start(self.slack, self.github), **values})
        )
        return await self.progress.overview()

    async def until(self, step: str) -> None:
        """Do the steps before this one."""
        entered = {
            "slack_app": {"bot_token": self.slack.bot_token},
            "slack_connection": {"app_token": self.slack.app_token},
            "channel": {"channel": CHANNEL},
            "person": {"slack_user": PERSON, "login": "olga"},
        }
        await self.progress.overview()
        while self.step != step:
            overview = await self.submit(**entered[self.step])
            assert overview.problem is None, overview.problem


def start(slack: SlackSandbox, github: GitHubSandbox) -> dict[str, str]:
    return {
        "SLACK_API_URL": slack.api_url,
        "GITHUB_URL": github.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_APP_ID": str(github.app_id),
        "GITHUB_APP_PRIVATE_KEY": FILE,
        "STANCH_AUDIT_KEY": "0" * 64,
    }


def progress(
    session: aiohttp.ClientSession, folder: Path, known: Known, page: str | None = "http://127.0.0.1:1"
) -> SetupProgress:
    context = SetupContext(folder, session, Clock(), page)
    return SetupProgress(context, SetupFiles(folder), STEPS, known)
