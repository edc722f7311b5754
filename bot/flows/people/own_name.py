"""Acts on GitHub in a person's own name: with their token, in one repository."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.actions.action import Change, Write, by_app
from bot.context import Context
from bot.flows.people import tokens
from bot.flows.people.tokens import PersonToken
from bot.views import refusals
from integrations.github.alert_calls import AlertCalls
from integrations.github.errors import GitHubUnauthorized, NotFound
from integrations.github.facts import AlertFacts
from storage import identities
from storage.records import Identity, Repository, SlackTeamId, SlackUserId, Suspension

Answer = TypeVar("Answer")


class OwnName:
    """GitHub as one person, in one repository. Methods raise GitHubError, Refused and RetryLater.

    A 401 suspends the sign-in, and is a Refused. A 403 or 404 is GitHub's answer about the person: nothing is tried
    by the App then.
    """

    def __init__(
        self, context: Context, identity: Identity, repository: Repository, token: PersonToken
    ) -> None:
        self._context = context
        self._identity = identity
        self._repository = repository
        self._token = token

    async def alert(self, number: int) -> AlertFacts:
        """The alert, if GitHub shows it to the person."""
        return await self._call(lambda calls: calls.alert(self._repository.full_name, number))

    async def write(self, change: Change) -> AlertFacts:
        """Change the alert. Before it, the repository's name must answer with the stored id to this very token."""

        async def checked(calls: AlertCalls) -> AlertFacts:
            found = await calls.repository(self._repository.full_name)
            if found.id != self._repository.id:
                raise NotFound("GET /repos/{owner}/{repo}", 404, "the name belongs to another repository now")
            return await change(calls)

        return await self._call(checked)

    async def _call(self, call: Callable[[AlertCalls], Awaitable[Answer]]) -> Answer:
        try:
            return await call(self._calls())
        except GitHubUnauthorized:
            is_replaced = await tokens.replaced_token(self._context, self._token)
        if not is_replaced:
            raise tokens.ended(self._context, self._identity, Suspension.TOKEN_REFUSED)
        newer = await tokens.person_token(self._context, self._identity)
        if newer is None:  # Signed in again, without keys.
            raise tokens.ended(self._context, self._identity, Suspension.TOKEN_REFUSED)
        self._token = newer
        return await call(self._calls())

    def _calls(self) -> AlertCalls:
        return self._context.github.as_person(self._token.access).only(self._repository.id)


async def own_name(
    context: Context, identity: Identity, repository: Repository, *, verb_phrase: str | None = None
) -> OwnName | None:
    """The person's own name on GitHub; None where the App acts for them. Raises as `tokens.person_token`."""
    token = await tokens.person_token(context, identity, verb_phrase)
    return OwnName(context, identity, repository, token) if token is not None else None


async def writer(
    context: Context, user: SlackUserId | None, repository: Repository, access: AlertCalls
) -> tuple[Write, bool]:
    """How a change goes out that follows a person's click, and whether in their own name.

    Without a user it is the App's. Raises Refused for a person whose link gives no rights any more: nothing goes out
    in the App's name for them then. Raises as `own_name` too.
    """
    if user is None:
        return by_app(access), False
    workspace = await context.platforms.require_workspace()
    async with context.db.read() as tx:
        identity = await identities.of_slack(tx, SlackTeamId(workspace.team_id), user, suspended=True)
    if identity is None:
        raise refusals.not_linked(user, by_sign_in=context.sign_in is not None)
    own = await own_name(context, identity, repository, verb_phrase="change the assignee")
    return (by_app(access), False) if own is None else (own.write, True)
