"""Asks GitHub for the numeric id of a login."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import build_accounts, build_github, open_session
from bot.errors import StartRefused
from bot.our_accounts import OurAccounts
from bot.settings import GitHubSettings
from integrations.github.api import GitHub
from integrations.github.errors import GitHubError, NotFound
from storage.clock import Clock
from storage.db import Database
from storage.records import Account, GitHubId

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class GitHubUnavailable(StartRefused):
    """GitHub answers for no account now."""


class Accounts:
    """Looks accounts up on GitHub, with the first installation of an account that Stanch serves."""

    def __init__(self, github: GitHub, ours: OurAccounts) -> None:
        self._github = github
        self._ours = ours
        self._installation_id: int | None = None

    async def find(self, login: str) -> Account:
        """A person's account with its numeric id; raises StartRefused."""
        if not LOGIN.fullmatch(login):
            raise StartRefused(f"{login[:100]!r} is not a GitHub login.")
        try:
            if self._installation_id is None:
                self._installation_id = await self._first_installation()
            found = await self._github.of(self._installation_id).account(login)
        except NotFound:
            raise StartRefused(f"GitHub has no account {login}; check its spelling.") from None
        except GitHubError as error:
            raise GitHubUnavailable(f"GitHub could not be asked for {login}: {error}.") from None
        if not found.is_person:
            raise StartRefused(
                f"{found.login} is no person's account on GitHub ({found.kind}); nobody acts as it."
            )
        return Account(GitHubId(found.id), found.login)

    async def _first_installation(self) -> int:
        await self._ours.load()
        await self._ours.resolve(await self._github.app())
        async for installation in self._github.installations():
            if not installation.suspended and self._ours.is_ours(installation.account):
                return installation.id
        raise GitHubUnavailable(
            "The GitHub App is not installed on any account that Stanch serves; install it, or see GITHUB_ACCOUNTS."
        )


@asynccontextmanager
async def open_accounts(settings: GitHubSettings, db: Database) -> AsyncIterator[Accounts]:
    """`Accounts` with an HTTP session that is open during the block."""
    async with open_session() as session:
        github = build_github(settings, session, Clock())
        yield Accounts(github, build_accounts(settings, github, db))
