"""A set-up under test: its page on a real port, and the browser of the person who sets Stanch up."""

import os
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from dotenv import dotenv_values

from bot.flows.setup.files import SetupFiles
from bot.flows.setup.progress import SetupProgress
from bot.flows.setup.step import Known, SetupContext, SetupStep
from bot.inbound.setup_routes import SetupRoutes, serving
from integrations.sandbox.browser import Browser
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from integrations.sandbox.github.sign_in import COOKIE
from storage.clock import Clock

CODE = "K7TP2M9Q"


@dataclass
class SetupRun:
    """One run of the set-up in a folder."""

    folder: Path
    clock: Clock
    page: str
    routes: SetupRoutes
    progress: SetupProgress
    browser: Browser

    def written(self) -> dict[str, str | None]:
        """The settings in `.env`."""
        return dict(dotenv_values(self.folder / ".env"))

    async def enter_code(self, code: str = CODE) -> None:
        await self.browser.open(self.page)
        await self.browser.send("Continue", code=code)

    async def fetch(
        self, method: str, path: str, headers: dict[str, str], data: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """A request of somebody else on this machine; returns status and text."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, self.page + path, headers=headers, data=data, allow_redirects=False
            ) as response,
        ):
            return response.status, await response.text()

    @property
    def fault(self) -> str:
        """The sentence that the page shows as a fault; empty without one."""
        found = re.search(r'<p class="fault" role="alert">(.*?)</p>', self.browser.text)
        return re.sub(r"<[^>]+>", "", found[1]).replace("&#x27;", "'") if found else ""

    @property
    def title(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.browser.text)
        assert found is not None, self.browser.text
        return found[1]


@asynccontextmanager
async def open_setup(
    folder: Path, steps: Sequence[SetupStep], known: dict[str, str], person: GitHubUser
) -> AsyncIterator[SetupRun]:
    """Serve a run whose settings so far are `known`, in addition to those in the folder's `.env`."""
    clock = Clock()
    values = {name: value or "" for name, value in dotenv_values(folder / ".env").items()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        page = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with aiohttp.ClientSession() as session, Browser(cookies={COOKIE: str(person.id)}) as browser:
            context = SetupContext(folder, session, clock, page, ".venv/bin/stanch")
            progress = SetupProgress(context, SetupFiles(folder), steps, Known({**known, **values}))
            routes = SetupRoutes(progress, context, CODE)
            async with serving(routes, listener):
                yield SetupRun(folder, clock, page, routes, progress, browser)


def settings_of(github: GitHubSandbox, folder: Path) -> dict[str, str]:
    """The settings that lead to the stand-in, with a database that does not exist yet."""
    return {
        "GITHUB_URL": github.url,
        "GITHUB_API_URL": github.api_url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'stanch.db'}",
    }


def modes(folder: Path) -> dict[str, str]:
    """The mode of each file in the folder, in octal."""
    return {path.name: oct(os.lstat(path).st_mode & 0o777) for path in folder.iterdir() if path.is_file()}
