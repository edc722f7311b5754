"""Which GitHub accounts' installations count: the ones that the operator named, or else the App's owner.

A name is looked up once and its account's numeric id kept in the database, since a login can be given up and
registered by somebody else. Where nothing is named, the App's owner is kept in the same way, so that it is known
while GitHub does not answer.
"""

from dataclasses import dataclass, replace

import structlog

from bot.errors import StartRefused
from integrations.github.accounts import GitHubAccount
from integrations.github.api import ENTERPRISE, AppFacts, GitHub
from integrations.github.errors import NotFound
from storage import repositories, saved_values
from storage.db import Database
from storage.records import GitHubId, StoredJson

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The account that a name in GITHUB_ACCOUNTS means."""

    id: int
    login: str
    """Its login when GitHub last showed it."""
    namesake: int | None = None
    """The id of another account that has been seen under the configured name."""

    def to_json(self) -> dict[str, StoredJson]:
        """As it is stored."""
        return {"id": self.id, "login": self.login, "namesake": self.namesake}


class OurAccounts:
    """The accounts that count, by numeric id."""

    def __init__(
        self, github: GitHub, db: Database, names: frozenset[str], *, api_url: str, app_id: str
    ) -> None:
        """`names` are the operator's: logins in lower case, and numeric ids. None of them means the App's owner."""
        self._github = github
        self._db = db
        self._ids = frozenset(int(name) for name in names if name.isdecimal())
        self._logins = sorted(name for name in names if not name.isdecimal())
        self._api_url = api_url
        self._owner_mark = f"app_owner:{api_url}:{app_id}"
        self._owner: GitHubAccount | None = None
        self._owner_is_enterprise = False
        self._kept: dict[str, Kept] = {}
        self._unanswered = set(self._logins)
        """Names that GitHub has not been asked for, or that it gave no clear answer to."""

    @property
    def are_named(self) -> bool:
        """Whether the operator named them."""
        return bool(self._ids or self._logins)

    @property
    def are_known(self) -> bool:
        """Whether it is known for every name, or for the App, which account counts."""
        return not self.unresolved if self.are_named else self._owner is not None

    @property
    def unresolved(self) -> list[str]:
        """Names whose account is not known."""
        return [login for login in self._logins if login not in self._kept]

    async def recall(self) -> None:
        """Read what was kept, by any process; raises StorageUnavailable."""
        async with self._db.read() as tx:
            owner = await saved_values.load(tx, self._owner_mark)
            kept = {login: _kept(await saved_values.load(tx, self._mark(login))) for login in self._logins}
        if isinstance(owner, dict) and self._owner is None:
            self._set_owner(_account(owner), is_enterprise=owner.get("type") == ENTERPRISE)
        self._kept |= {login: known for login, known in kept.items() if known is not None}
        self._unanswered -= self._kept.keys()

    async def ask(self, app: AppFacts) -> None:
        """Keep the App's owner, and look up the names that are not known yet.

        Raises GitHubError, StorageUnavailable, and StartRefused for a name that does not tell which account it means.
        """
        if app.owner != self._owner:
            self._set_owner(app.owner, is_enterprise=app.owner_type == ENTERPRISE)
            value: StoredJson = {"id": app.owner.id, "login": app.owner.login, "type": app.owner_type}
            async with self._db.begin() as tx:
                await saved_values.save(tx, self._owner_mark, value)
        for login in self.unresolved:
            await self._look_up(login)

    def counts(self, account: GitHubAccount) -> bool | None:
        """Whether an account counts; None while GitHub has to be asked first."""
        if not self.are_named:
            if self._owner is None:
                return None
            # GitHub's docs: an App of an enterprise can be installed on the enterprise's organizations alone.
            return self._owner_is_enterprise or account.id == self._owner.id
        if account.id in self._ids or any(account.id == kept.id for kept in self._kept.values()):
            return True
        return None if self._unanswered else False

    def is_awaited(self, account: GitHubAccount) -> bool:
        """Whether the account has a login that is named and was nobody's when GitHub was asked."""
        return account.login.lower() in self.unresolved

    async def note(self, account: GitHubAccount, *, is_current: bool) -> None:
        """Compare an account's id and login with what is kept, and say what has changed.

        `is_current` is True for an answer of GitHub's, False for what a webhook said, which may be old.
        """
        for login, kept in self._kept.items():
            if is_current and account.id == kept.id and account.login != kept.login:
                back = account.login.lower() == login
                await self._save(login, Kept(kept.id, account.login, None if back else kept.namesake))
                if not back:
                    log.warning(
                        "account_renamed", account_id=kept.id, hint=_renamed(login, self._kept[login])
                    )
            elif account.login.lower() == login and account.id not in (kept.id, kept.namesake):
                await self._save(login, replace(kept, namesake=account.id))
                log.warning("account_refused", account_id=account.id, hint=_taken(login, self._kept[login]))

    @property
    def remarks(self) -> list[str]:
        """What an operator should know about the accounts, one clause each."""
        if not self.are_named:
            if self._owner is None:
                return ["GitHub has not said yet whose App this is"]
            if self._owner_is_enterprise:
                return [f"the App belongs to the enterprise {self._owner.login}: all its organizations count"]
        unknown = [
            f"the App is not installed on {login}, which GITHUB_ACCOUNTS names: install it, or correct the name"
            for login in self.unresolved
            if login not in self._unanswered
        ]
        unknown += [f"GitHub has not said yet which account {login} is" for login in sorted(self._unanswered)]
        moved = {login: kept for login, kept in self._kept.items() if kept.login.lower() != login}
        renamed = [_renamed(login, kept) for login, kept in moved.items()]
        return unknown + renamed + [_taken(name, kept) for name, kept in self._kept.items() if kept.namesake]

    async def _look_up(self, login: str) -> None:
        self._unanswered.add(login)
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
                new = Kept(number, found.login if found else login)
                self._kept[login] = (
                    _kept(await saved_values.keep(tx, self._mark(login), new.to_json())) or new
                )
        self._unanswered.discard(login)

    async def _save(self, login: str, kept: Kept) -> None:
        self._kept = {**self._kept, login: kept}
        async with self._db.begin() as tx:
            await saved_values.save(tx, self._mark(login), kept.to_json())

    def _set_owner(self, owner: GitHubAccount | None, *, is_enterprise: bool) -> None:
        self._owner, self._owner_is_enterprise = owner, is_enterprise

    def _mark(self, login: str) -> str:
        return f"account:{self._api_url}:{login}"


def _renamed(login: str, kept: Kept) -> str:
    return f"{login}, which GITHUB_ACCOUNTS names, is called {kept.login} now: set {kept.login} or {kept.id} there"


def _taken(login: str, kept: Kept) -> str:
    return (
        f"{login}, which GITHUB_ACCOUNTS names, has become the name of another account ({kept.namesake}), "
        f"which is refused: set {kept.id} there, the id of the one that is meant"
    )


def _account(value: dict[str, StoredJson]) -> GitHubAccount | None:
    number, login = value.get("id"), value.get("login")
    return GitHubAccount(number, login) if isinstance(number, int) and isinstance(login, str) else None


def _kept(value: StoredJson) -> Kept | None:
    account = _account(value) if isinstance(value, dict) else None
    if account is None or not isinstance(value, dict):
        return None
    namesake = value.get("namesake")
    return Kept(account.id, account.login, namesake if isinstance(namesake, int) else None)
