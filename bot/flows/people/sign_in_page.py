"""Answers GitHub's callback: asks who signed in; shows the code, or links at once a pair that the directory holds."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import RetryLater
from bot.flows.people import link_secrets
from bot.flows.people.finish_link import finish
from bot.flows.people.linking import (
    KeptVerifiers,
    callback_address,
    drop_pages,
    find_verifier,
    is_held,
    pending_owner,
)
from bot.flows.people.sealed_tokens import deletion, seal
from bot.people_job_kinds import FinishLink
from bot.views import link_pages as pages
from bot.views.link_pages import Page, SlackAccount
from integrations.github.errors import GitHubError
from integrations.github.oauth import OAuthRefused, UserTokens
from integrations.literal import Literal
from integrations.slack.errors import SlackError
from storage import jobs, link_requests
from storage.db import Tx
from storage.encryption import Undecryptable
from storage.records import Account, GitHubId, LinkPage, LinkRequest, SlackUserId

log = structlog.get_logger(__name__)
APP_ERRORS = frozenset({"incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended"})
"""GitHub's words for a wrong setting of the App; the person can do nothing about them."""
KNOWN_ERRORS = APP_ERRORS | {"access_denied"}


async def answer_callback(
    context: Context, *, state: str, cookie: str | None, code: str, error: str, kept: KeptVerifiers
) -> Page:
    """The page for one callback; `code` and `error` are what its address holds, empty where it is missing.

    Raises StorageUnavailable.
    """
    if cookie is None or link_secrets.state_of(cookie) != state:
        return pages.OTHER_BROWSER
    state_hash = link_secrets.digest(state)
    async with context.db.read() as tx:
        # Strangers can open this address too, with a cookie of their own: what is unknown takes no lock.
        if not await link_requests.is_open(tx, state_hash):
            return pages.USED
    async with context.db.begin() as tx:
        page = await link_requests.use_page(tx, state_hash)
        request = await link_requests.load(tx, page.request) if page else None
    if page is None or request is None:
        return pages.USED
    if error or not code:
        log.warning("sign_in_refused", reason=error if error in KNOWN_ERRORS else "other")
        return pages.WRONG_APP if error in APP_ERRORS else pages.NOT_SIGNED_IN
    try:
        tokens = await _exchange(context, page, Literal(code), kept)
        page = await _ask_account(context, request, page, tokens)
    except OAuthRefused as refused:
        log.warning("sign_in_refused", reason=refused.reason, detail=refused.detail)
        return pages.WRONG_APP if refused.reason in APP_ERRORS else pages.NOT_FINISHED
    except (GitHubError, Undecryptable) as failed:
        log.warning("sign_in_failed", reason=str(failed))
        return pages.NOT_FINISHED
    return await _answer_signed_in(context, request, page, link_secrets.request_of(cookie))


async def _exchange(context: Context, page: LinkPage, code: Literal, kept: KeptVerifiers) -> UserTokens:
    if context.oauth is None or context.sign_in is None:
        raise Undecryptable("sign-in is no longer configured")
    verifier = find_verifier(context, page, kept)
    address = callback_address(context.sign_in.public_url)
    return await context.oauth.exchange(code, redirect_uri=address, verifier=verifier)


async def _ask_account(
    context: Context, request: LinkRequest, page: LinkPage, tokens: UserTokens
) -> LinkPage:
    """The page with the account that signed in; without encryption keys the token is deleted and not stored."""
    keyring = context.keyring
    try:
        account = await context.github.as_person(tokens.access).account()
    except GitHubError:
        keyring = None
        raise
    finally:
        if keyring is None:
            await _delete_now(context, tokens)
    page = replace(page, github=Account(GitHubId(account.id), account.login))
    if keyring is None:
        return page
    return replace(page, tokens=seal(keyring, pending_owner(request, page), tokens))


async def _delete_now(context: Context, tokens: UserTokens) -> None:
    """Delete a token that is not stored. If GitHub does not answer, it lapses by itself; nobody has it then."""
    assert context.oauth is not None  # `_exchange` got the token from it.
    try:
        await context.oauth.delete_token(tokens.access)
    except GitHubError as failed:
        log.warning("token_not_deleted", reason=str(failed))


async def _answer_signed_in(context: Context, request: LinkRequest, page: LinkPage, secret: str) -> Page:
    code = link_secrets.new_code()
    async with context.db.begin() as tx:
        held = await is_held(tx, context, request, page)
        hashed = None if held else link_secrets.code_hash(secret, page.state_hash, code)
        if not await _store(tx, request, replace(page, code_hash=hashed)):
            return pages.UNKNOWN
        seconds = request.expires_at - tx.now
    slack = await _slack_account(context, request.slack_user)
    login = page.github.login if page.github else ""
    if not held:
        return pages.code_page(code, slack, login, minutes=max(1, int(seconds // 60)))
    try:
        refused = await finish(context, FinishLink(request.hash, page.state_hash, request.view_id), None)
    except RetryLater as later:
        # Only Slack's silence about the person makes it wait.
        log.warning("sign_in_failed", reason=later.reason)
        return pages.SLACK_SILENT
    return pages.refused_page(refused.headline) if refused else pages.linked_page(slack, login)


async def _store(tx: Tx, request: LinkRequest, page: LinkPage) -> bool:
    """Store who signed in, with the code or without; earlier codes of the request count no more.

    False if the request is gone meanwhile; then the token is deleted at GitHub.
    """
    await drop_pages(tx, request, but=page.state_hash)
    stored = await link_requests.save_page(tx, page)
    if not stored and page.tokens is not None:
        await jobs.enqueue(tx, deletion(pending_owner(request, page), page.tokens))
    return stored


async def _slack_account(context: Context, user: SlackUserId) -> SlackAccount:
    """What the page says about the Slack user; the id alone while Slack does not answer."""
    try:
        person = await context.platforms.person(user)
    except SlackError:
        return SlackAccount(user, "", "")
    return SlackAccount(user, person.confirmed_email, person.name)
