"""The GitHub accounts that we serve: those that GITHUB_ACCOUNTS names, otherwise the App's owner.

A login is resolved once and the account's numeric id stored in the database, because a login can be given up and
registered by somebody else. The App's owner is stored too, so that it is known while GitHub does not answer.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import structlog

from bot.errors import StartRefused
from integrations.github.accounts import GitHubAccount, account
from integrations.github.api import GitHub
from integrations.github.app_facts import ENTERPRISE, AppFacts
from integrations.github.errors import NotFound
from integrations.github.json_fields import identifier
from storage import repositories, saved_values
from storage.db import Database
from storage.records import GitHubId, StoredJson

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """The account that a login in GITHUB_ACCOUNTS was resolved to."""

    id: int
    login: str
    """Its login as GitHub last showed it."""
    namesake: int | None = None
    """The id of another account that was seen with the configured login."""


class OurAccounts:
    """Compares accounts by numeric id."""

    def __init__(
        self, github: GitHub, db: Database, names: frozenset[str], *, api_url: str, app_id: str
    ) -> None:
        """`names` are those of GITHUB_ACCOUNTS: logins in lower case and numeric ids. Empty: the App's owner."""
        self._github = github
        self._db = db
        self._ids = frozenset(int(name) for name in names if name.isdecimal())
        self._logins = sorted(name for name in names if not name.isdecimal())
        self._api_url = api_url
        self._owner_key = f"app_owner:{api_url}:{app_id}"
        self._owner: GitHubAccount | None = None
        self._owner_is_enterprise = False
        self._named: dict[str, NamedAccount] = {}
        self._unasked = set(self._logins)
        """Logins for which GitHub has given no clear answer yet."""

    @property
    def are_named(self) -> bool:
        """Whether GITHUB_ACCOUNTS names any."""
        return bool(self._ids or self._logins)

    @property
    def are_known(self) -> bool:
        """Whether every login is resolved; if GITHUB_ACCOUNTS names none, whether the App's owner is known."""
        return not self.unresolved if self.are_named else self._owner is not None

    @property
    def unresolved(self) -> list[str]:
        """Logins whose account is not known."""
        return [login for login in self._logins if login not in self._named]

    async def load(self) -> None:
        """Load what any process has stored; raises StorageUnavailable."""
        async with self._db.read() as tx:
            owner = await saved_values.load(tx, self._owner_key)
            named = {
                login: _read_named(await saved_values.load(tx, self._key(login))) for login in self._logins
            }
        if isinstance(owner, dict) and self._owner is None:
            self._owner = account(owner)
            self._owner_is_enterprise = owner.get("type") == ENTERPRISE
        self._named |= {login: known for login, known in named.items() if known is not None}
        self._unasked -= self._named.keys()

    async def resolve(self, app: AppFacts) -> None:
        """Store the App's owner, and resolve the logins that are not known yet.

        Raises GitHubError, StorageUnavailable, and StartRefused for a login that several accounts have had.
        """
        if app.owner != self._owner:
            self._owner, self._owner_is_enterprise = app.owner, app.owner_type == ENTERPRISE
            value: StoredJson = {"id": app.owner.id, "login": app.owner.login, "type": app.owner_type}
            async with self._db.begin() as tx:
                await saved_values.save(tx, self._owner_key, value)
        for login in self.unresolved:
            await self._resolve(login)

    def is_ours(self, account: GitHubAccount) -> bool | None:
        """Whether we serve an account; None while GitHub has to be asked first."""
        if not self.are_named:
            if self._owner is None:
                return None
            # GitHub's docs: an App of an enterprise can be installed on the enterprise's organizations alone.
            return self._owner_is_enterprise or account.id == self._owner.id
        if account.id in self._ids or any(account.id == named.id for named in self._named.values()):
            return True
        return None if self._unasked else False

    def may_resolve(self, account: GitHubAccount) -> bool:
        """Whether the account has a configured login for which GitHub knew no account so far."""
        return account.login.lower() in self.unresolved

    async def compare_login(self, account: GitHubAccount, *, is_current: bool) -> None:
        """Compare an account's id and login with the stored ones, and log a renamed or replaced account.

        `is_current` is True for an answer of GitHub's, False for a webhook, which may be old.
        """
        for login, named in self._named.items():
            if is_current and account.id == named.id and account.login != named.login:
                is_back = account.login.lower() == login
                await self._save(
                    login, NamedAccount(named.id, account.login, None if is_back else named.namesake)
                )
                if not is_back:
                    log.warning(
                        "account_renamed", account_id=named.id, hint=_renamed(login, self._named[login])
                    )
            elif account.login.lower() == login and account.id not in (named.id, named.namesake):
                await self._save(login, replace(named, namesake=account.id))
                log.warning("account_refused", account_id=account.id, hint=_taken(login, self._named[login]))

    @property
    def remarks(self) -> list[str]:
        """Notes on the accounts for an operator, one clause each."""
        if not self.are_named:
            if self._owner is None:
                return ["GitHub has not said yet whose App this is"]
            if self._owner_is_enterprise:
                return [
                    f"the App belongs to the enterprise {self._owner.login}: all its organizations are served"
                ]
        unknown = [
            f"the App is not installed on {login}, which GITHUB_ACCOUNTS names: install it, or correct the name"
            for login in self.unresolved
            if login not in self._unasked
        ]
        unknown += [f"GitHub has not said yet which account {login} is" for login in sorted(self._unasked)]
        return unknown + self.changes

    @property
    def changes(self) -> list[str]:
        """Accounts that were renamed, and configured logins that other accounts have now, one clause each."""
        moved = {login: named for login, named in self._named.items() if named.login.lower() != login}
        renamed = [_renamed(login, named) for login, named in moved.items()]
        return renamed + [_taken(name, named) for name, named in self._named.items() if named.namesake]

    def without(self, found: Iterable[GitHubAccount]) -> set[str]:
        """The logins and ids of GITHUB_ACCOUNTS that none of these accounts has."""
        there = list(found)
        ids, logins = {account.id for account in there}, {account.login.lower() for account in there}
        named = {login for login, known in self._named.items() if known.id in ids}
        return {str(number) for number in self._ids - ids} | (set(self._logins) - named - logins)

    async def _resolve(self, login: str) -> None:
        self._unasked.add(login)
        try:
            found = (await self._github.installation_on(login)).account
        except NotFound:
            found = None
        async with self._db.begin() as tx:
            ids = await repositories.account_ids(tx, login) | ({GitHubId(found.id)} if found else set())
            if len(ids) > 1:
                raise StartRefused(
                    f"GITHUB_ACCOUNTS: {login} has been the name of several accounts "
                    f"({', '.join(map(str, sorted(ids)))}): set the numeric id of the one that is meant instead."
                )
            for number in ids:
                new = NamedAccount(number, found.login if found else login)
                self._named[login] = (
                    _read_named(await saved_values.keep(tx, self._key(login), asdict(new))) or new
                )
        self._unasked.discard(login)

    async def _save(self, login: str, named: NamedAccount) -> None:
        self._named = {**self._named, login: named}
        async with self._db.begin() as tx:
            await saved_values.save(tx, self._key(login), asdict(named))

    def _key(self, login: str) -> str:
        return f"account:{self._api_url}:{login}"


def _renamed(login: str, named: NamedAccount) -> str:
    return f"{login}, which GITHUB_ACCOUNTS names, is called {named.login} now: set {named.login} or {named.id} there"


def _taken(login: str, named: NamedAccount) -> str:
    return (
        f"{login}, which GITHUB_ACCOUNTS names, has become the name of another account ({named.namesake}), "
        f"which is refused: set {named.id} there, the id of the one that is meant"
    )


def _read_named(value: StoredJson) -> NamedAccount | None:
    known = account(value)
    if known is None or not isinstance(value, dict):
        return None
    return NamedAccount(known.id, known.login, identifier(value.get("namesake")))
