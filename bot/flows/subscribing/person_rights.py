"""Finds out whether one person may view all that a channel's filter covers. Each question is put to GitHub once."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import roles
from bot.rules.coverage import coverage, covered_accounts, pin, pinned_values
from bot.rules.filters import BadFilter, parse_filter
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import Forbidden, NotFound
from storage import repositories
from storage.filter import Filter, Qualifier, fold
from storage.records import (
    Account,
    GitHubId,
    Installation,
    InstallationState,
    Repository,
    RepositoryId,
    Subscription,
)

NEAR_NAMES = 3
"""How many similar names GitHub is asked about, for one name that the person can't be shown."""
LIKE_ENOUGH = 0.75
"""How similar a suggested name must be, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRights:
    """One person's rights on what a filter covers."""

    repositories: tuple[Repository, ...]
    """Those that the filter names and that the person may view."""
    unseen: tuple[str, ...]
    """Names in the filter that are unknown or not theirs to view, as `owner/name` in lower case."""
    gone: tuple[str, ...]
    """Of these, names whose repository is known and can't be reached any more."""
    is_bounded: bool
    """The filter can match nothing but the repositories that it names."""
    accounts: tuple[Installation, ...]
    """The accounts whose alerts the filter can match."""
    reviewed: frozenset[GitHubId]
    """The accounts of these whose owner or security manager the person is."""
    pinned: Mapping[str, int]
    """The ids of the repositories and accounts that the filter names, as far as the person may know them."""

    @property
    def reviews_all(self) -> bool:
        """Whether the person is owner or security manager of every account; False where there is no account."""
        return bool(self.accounts) and all(one.account.id in self.reviewed for one in self.accounts)

    @property
    def may_view(self) -> bool:
        """Whether the person may view all that the filter covers, now and later."""
        is_known = self.is_bounded and bool(self.repositories) and not self.unseen
        return is_known or self.reviews_all

    @property
    def still_may_view(self) -> bool:
        """The same without repositories that are gone, which bring no alerts: deleting one takes nobody's right."""
        return self.may_view or (bool(self.gone) and set(self.unseen) <= set(self.gone))


class PersonRights:
    """What one GitHub account may view, asked during one request. Methods raise GitHubError and RetryLater."""

    def __init__(
        self, context: Context, account: Account, *, fresh: bool, hides_refusals: bool = True
    ) -> None:
        """With `fresh`, roles are asked for now.

        With `hides_refusals`, a repository that GitHub refuses with 403 counts as unknown, so that the person does
        not learn that it exists.
        """
        self._context = context
        self._account = account
        self._fresh = fresh
        self._refusals = (Refused, Forbidden) if hides_refusals else (Refused,)
        self._installations: tuple[Installation, ...] | None = None
        self._reviewed: dict[GitHubId, bool] = {}
        self._views: dict[RepositoryId, bool] = {}
        self._found: dict[tuple[str, int | None], Repository | None] = {}

    async def on_filter(self, alert_filter: Filter, pinned: Mapping[str, int]) -> FilterRights:
        """The person's rights on what a filter covers; `pinned` are ids of names in it that are known already."""
        covered, ours = coverage(alert_filter), await self._ours()
        seen: dict[str, Repository] = {}
        gone: list[str] = []
        for name in covered.repositories or ():
            known = pinned.get(pin(Qualifier.REPO, name))
            repository = await self.find(name, known)
            if repository is None:
                gone += [name] if known is not None else []
            elif await self.views(repository):
                seen[name] = repository
        unseen = tuple(name for name in covered.repositories or () if name not in seen)
        is_bounded = bool(covered.repositories) and not unseen
        if is_bounded:
            owners = {repository.owner.id for repository in seen.values()}
            accounts = tuple(one for one in ours if one.account.id in owners)
        else:
            accounts = covered_accounts(covered, ours, pinned)
        reviewed = [one.account.id for one in accounts if await self.reviews(one)]
        return FilterRights(
            repositories=tuple(seen.values()),
            unseen=unseen,
            gone=tuple(gone),
            is_bounded=is_bounded,
            accounts=accounts,
            reviewed=frozenset(reviewed),
            pinned=await self._pins(alert_filter, pinned),
        )

    async def on_subscription(self, subscription: Subscription) -> FilterRights:
        """The person's rights on a stored subscription; one that can't be parsed covers everything."""
        try:
            alert_filter = parse_filter(subscription.filter)
        except BadFilter:
            alert_filter = Filter()
        return await self.on_filter(alert_filter, subscription.pinned)

    async def reviews(self, installation: Installation) -> bool:
        """Whether the person is an owner or a security manager of the account."""
        key = installation.account.id
        if key not in self._reviewed:
            self._reviewed[key] = await roles.reviews_account(self._context, self._account, installation)
        return self._reviewed[key]

    async def views(self, repository: Repository) -> bool:
        """Whether the person may view the repository's alerts; `repository` comes from `find`."""
        if repository.id not in self._views:
            account = next((one for one in await self._ours() if one.account.id == repository.owner.id), None)
            view = account is not None and await self.reviews(account)
            if account is not None and not view:
                try:
                    rights = await roles.rights(
                        self._context, self._account, repository, None, fresh=self._fresh
                    )
                    view = rights.view
                except self._refusals:
                    view = False
            self._views[repository.id] = view
        return self._views[repository.id]

    async def find(self, name: str, known: int | None = None) -> Repository | None:
        """The repository of that name, `owner/name` in lower case, or of the id `known`; None without one.

        It is checked with GitHub, whether or not Stanch has alerts of it. `views` says whether the person may know.
        """
        if (name, known) not in self._found:
            self._found[name, known] = await self._find(name, known)
        return self._found[name, known]

    async def near(self, name: str) -> str | None:
        """A repository with a similar name that the person may view."""
        async with self._context.db.read() as tx:
            names = [fold(one) for one in await repositories.similar_names(tx, name)]
        names = [one for one in dict.fromkeys(names) if one != name]
        for similar in difflib.get_close_matches(name, names, n=NEAR_NAMES, cutoff=LIKE_ENOUGH):
            repository = await self.find(similar)
            if repository is not None and await self.views(repository):
                return repository.full_name
        return None

    async def _find(self, name: str, known: int | None) -> Repository | None:
        async with self._context.db.read() as tx:
            if known is not None:
                stored = await repositories.load_repository(tx, RepositoryId(known))
                candidates = [stored] if stored else []
            else:
                candidates = await repositories.load_by_name(tx, name)
        if known is None and not candidates:
            candidates = await self._ask(name)
        for candidate in candidates:
            try:
                current, _ = await repository_access.reach(self._context, candidate)
            except self._refusals:
                continue
            if known is not None or fold(current.full_name) == name:
                return current
        return None

    async def _ask(self, name: str) -> list[Repository]:
        """Ask GitHub for a repository of which nothing is stored."""
        owner = name.partition("/")[0]
        for installation in await self._ours():
            if fold(installation.account.login) == owner:
                try:
                    facts = await self._context.github.of(installation.id).repository(name)
                except (NotFound, *self._refusals):
                    continue
                return [repository_access.new_repository(facts, installation.id)]
        return []

    async def _pins(self, alert_filter: Filter, pinned: Mapping[str, int]) -> dict[str, int]:
        """The ids of what the filter names; also of what it leaves out, if the person may view it."""
        found = {}
        for qualifier, value in pinned_values(alert_filter):
            key = pin(qualifier, value)
            if key in pinned:
                found[key] = pinned[key]
            elif qualifier is Qualifier.ORG:
                known = [one.account.id for one in await self._ours() if fold(one.account.login) == value]
                found |= {key: known[0]} if known else {}
            else:
                repository = await self.find(value)
                if repository is not None and await self.views(repository):
                    found[key] = repository.id
        return found

    async def _ours(self) -> tuple[Installation, ...]:
        """The active installations on the accounts that Stanch serves."""
        if self._installations is None:
            async with self._context.db.read() as tx:
                known = await repositories.all_installations(tx)
            active = [one for one in known if one.state is InstallationState.ACTIVE]
            self._installations = tuple(
                [one for one in active if await self._context.platforms.is_ours(_github_account(one))]
            )
        return self._installations


def _github_account(installation: Installation) -> GitHubAccount:
    return GitHubAccount(installation.account.id, installation.account.login)
