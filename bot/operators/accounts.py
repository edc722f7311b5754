"""Asking GitHub who has a login, for commands that keep numeric ids."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import build_github, open_session
from bot.errors import StartRefused
from bot.settings import GitHubSettings
from integrations.github.api import GitHub
from integrations.github.errors import GitHubError, NotFound
from storage.clock import Clock
from storage.records import Account, GitHubId

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class GitHubAway(StartRefused):
    """GitHub can't be asked for any account now."""


class Accounts:
    """GitHub's answer to who has a login now, asked through the first installation that counts."""

    def __init__(self, github: GitHub, logins: frozenset[str]) -> None:
        """`logins` are the accounts whose installations count, in lower case; none means the App's owner."""
        self._github = github
        self._logins = logins
        self._installation_id: int | None = None

    async def find(self, login: str) -> Account:
        """The account with its numeric id; raises StartRefused."""
        if not LOGIN.fullmatch(login):
            raise StartRefused(f"{login[:100]!r} is not a GitHub login.")
        try:
            if self._installation_id is None:
                self._installation_id = await self._first_installation()
            found = await self._github.of(self._installation_id).account(login)
        except NotFound:
            raise StartRefused(f"GitHub has no account {login}; check its spelling.") from None
        except GitHubError as error:
            raise GitHubAway(f"GitHub could not be asked for {login}: {error}.") from None
        return Account(GitHubId(found.id), found.login)

    async def _first_installation(self) -> int:
        logins = self._logins or {(await self._github.app()).owner.login.lower()}
        async for installation in self._github.installations():
            if not installation.suspended and installation.account.login.lower() in logins:
                return installation.id
        raise GitHubAway(
            "The GitHub App is not installed on any account that counts; install it, or see GITHUB_ACCOUNTS."
        )


@asynccontextmanager
async def open_accounts(settings: GitHubSettings) -> AsyncIterator[Accounts]:
    """A way to ask GitHub for accounts."""
    async with open_session() as session:
        yield Accounts(build_github(settings, session, Clock()), settings.github_accounts)
