"""Starts a link by GitHub's sign-in: the modal with the address, and the redirect to GitHub.

docs/security.md lists the threats that this and the next steps (`sign_in_page`, `finish_link`) stop.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.context import Context
from bot.errors import Refused
from bot.flows.people import link_secrets
from bot.flows.people.identify import check_person
from bot.flows.people.sealed_tokens import TokenOwner, deletion, seal_verifier, unseal_verifier
from bot.views import refusals
from bot.views.link_account import link_view, tries_used_up
from integrations.github.oauth import challenge_of, new_verifier
from integrations.literal import Literal
from integrations.slack.blocks import View
from storage import audit, directory_pairs, identities, jobs, link_requests, sign_ins
from storage.db import Tx
from storage.records import (
    ChannelId,
    LinkPage,
    LinkRequest,
    SlackTeamId,
    SlackUserId,
    StoredJson,
    UnixTime,
)

LASTS = 600.0
"""Seconds from the opening of the modal to the code."""
TRIES = 5
"""Codes that one Slack user may submit while their requests last."""
HELD = 7 * 86400.0
"""Seconds for which the directory must have held a pair, so that no code is needed."""
READINGS = 2
"""Intervals of the directory within which it must have been read."""
AT_ONCE = 100
"""Expired sign-ins in one transaction."""
MOST_PAGES = 20
"""Pages of one request that wait for GitHub; of more, the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class StartedLink:
    """A stored request, and the modal to open for it."""

    hash: str
    view: View


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """Where the browser goes, and the cookie that it brings back."""

    address: str = field(repr=False)
    cookie_name: str
    cookie: str = field(repr=False)
    seconds: int
    """How long the cookie lasts."""


class KeptVerifiers:
    """The PKCE verifiers of pages under way, in memory: for a process without encryption keys."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[UnixTime, Literal]] = {}

    def keep(self, state_hash: str, verifier: Literal, until: UnixTime, now: UnixTime) -> None:
        """Keep it until that time; what is older is dropped."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > now}
        self._kept[state_hash] = (until, verifier)

    def take(self, state_hash: str) -> Literal | None:
        """The verifier, once."""
        found = self._kept.pop(state_hash, None)
        return found and found[1]


async def start(
    context: Context,
    user: SlackUserId,
    channel: ChannelId | None,
    continuation: Mapping[str, StoredJson] | None,
    refused: Refused | None = None,
) -> StartedLink:
    """Store a request in place of the Slack user's former one; raises Refused.

    `refused` is what the person reads above, where the modal takes the place of a form.

    The modal alone holds its id. Wrong codes of a former request that still lasts are counted on.
    """
    if context.sign_in is None:
        raise refusals.not_linked(user, by_sign_in=False)
    workspace = await check_person(context, user, channel, fresh=False)
    team, secret = SlackTeamId(workspace.team_id), link_secrets.new_id()
    async with context.db.begin() as tx:
        # Two at once take turns: the second one replaces the first one's request, and keeps its count of tries.
        await audit.lock(tx)
        former = await link_requests.of_user(tx, team, user)
        if former is not None and former.tries >= TRIES:
            raise tries_used_up(former.expires_at)
        await drop_pages(tx, former)
        request = LinkRequest(
            hash=link_secrets.digest(secret),
            slack_team=team,
            slack_user=user,
            channel=channel,
            view_id=None,
            continuation=continuation,
            created_at=tx.now,
            expires_at=tx.now + LASTS,
            tries=former.tries if former else 0,
        )
        await link_requests.add(tx, request)
        identity = await identities.of_slack(tx, team, user)
    address = f"{context.sign_in.public_url}/github/link?request={secret}"
    view = link_view(
        address,
        metadata=json.dumps({"request": secret}),
        linked_to=identity.github.login if identity else None,
        refused=refused,
    )
    return StartedLink(request.hash, view)


async def open_page(context: Context, secret: str, kept: KeptVerifiers) -> OpenedPage | None:
    """Begin a sign-in for a request; None if there is no such request. The request can be opened again."""
    # The address is served only where people can sign in.
    assert context.oauth is not None
    assert context.sign_in is not None
    cookie = link_secrets.new_cookie(secret)
    state = link_secrets.state_of(cookie)
    state_hash = link_secrets.digest(state)
    verifier = new_verifier() if context.platforms.server.knows_pkce else None
    async with context.db.read() as tx:
        # Strangers can open this address too: what is unknown takes no lock.
        if await link_requests.load(tx, link_secrets.digest(secret)) is None:
            return None
    async with context.db.begin() as tx:
        request = await link_requests.load(tx, link_secrets.digest(secret))
        if request is None:
            return None
        page = LinkPage(state_hash, request.hash, tx.now, request.expires_at)
        if verifier is not None and context.keyring is not None:
            page = replace(page, verifier=seal_verifier(context.keyring, state_hash, verifier))
        await link_requests.add_page(tx, page)
        await link_requests.drop_unused_pages(tx, request.hash, MOST_PAGES)
        login, now = await _login_hint(tx, request), tx.now
    if verifier is not None and context.keyring is None:
        kept.keep(state_hash, verifier, page.expires_at, now)
    address = context.oauth.authorize_url(
        state=state,
        redirect_uri=callback_address(context.sign_in.public_url),
        challenge=None if verifier is None else challenge_of(verifier),
        login=login,
    )
    seconds = max(1, int(page.expires_at - now))
    return OpenedPage(address, link_secrets.cookie_name(state), cookie, seconds)


def callback_address(public_url: str) -> str:
    """Where GitHub sends the browser back; it must be one of the App's callback addresses."""
    return f"{public_url}/github/callback"


def find_verifier(context: Context, page: LinkPage, kept: KeptVerifiers) -> Literal | None:
    """The page's verifier; None for a server without PKCE, or if it is gone. Raises Undecryptable."""
    if page.verifier is None or context.keyring is None:
        return kept.take(page.state_hash)
    return unseal_verifier(context.keyring, page.state_hash, page.verifier)


async def drop_pages(tx: Tx, request: LinkRequest | None, *, but: str | None = None) -> None:
    """Take the code of a request's pages away, and delete their tokens at GitHub; `but` is a page to leave out."""
    if request is None:
        return
    for page in await link_requests.pages(tx, request.hash):
        if page.state_hash == but or (page.code_hash is None and page.tokens is None):
            continue
        await link_requests.save_page(tx, replace(page, code_hash=None, tokens=None))
        if page.tokens is not None and page.github is not None:
            await jobs.enqueue(tx, deletion(pending_owner(request, page), page.tokens))


async def drop_expired(context: Context) -> None:
    """Delete at GitHub the tokens of sign-ins that nobody finished in time."""
    more = True
    while more:
        async with context.db.begin() as tx:
            found = await link_requests.expired_tokens(tx, AT_ONCE)
            for request, page in found:
                await link_requests.save_page(tx, replace(page, tokens=None))
                if page.tokens is not None:
                    await jobs.enqueue(tx, deletion(pending_owner(request, page), page.tokens))
        more = len(found) == AT_ONCE


def pending_owner(request: LinkRequest, page: LinkPage) -> TokenOwner:
    """The owner of a page's tokens until the code is typed."""
    if page.github is None:
        raise ValueError("nobody has signed in on this page")
    return TokenOwner(request.slack_team, request.slack_user, page.github.id, pending=True)


async def is_held(tx: Tx, context: Context, request: LinkRequest, page: LinkPage) -> bool:
    """Whether the directory has held this Slack user and the account that signed in as a pair for seven days.

    Of its last two readings at least one must have succeeded, and not longer than those days ago.
    """
    directory = context.options.directory
    # After the directory was turned off, its pairs stay until the next housekeeping.
    if page.github is None or directory.source == "off":
        return False
    return await directory_pairs.has_held(
        *(tx, request.slack_team, request.slack_user, page.github.id),
        since=tx.now - HELD,
        seen_since=tx.now - min(HELD, READINGS * directory.interval),
    )


async def _login_hint(tx: Tx, request: LinkRequest) -> str | None:
    """The account that GitHub's page fills in: the directory's if it names one, else that of the last sign-in."""
    pairs = await directory_pairs.of_user(tx, request.slack_team, request.slack_user)
    logins = [pair.github.login for pair in pairs if pair.suspension is None]
    if len(logins) == 1:
        return logins[0]
    former = await sign_ins.load(tx, request.slack_team, request.slack_user)
    return former.github.login if former else None
