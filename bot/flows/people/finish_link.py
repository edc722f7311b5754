"""Stores a link after the right code, or for a pair that the directory holds; the person's request then goes on."""

from dataclasses import dataclass, field, replace

import structlog

from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows.audit import build_entry
from bot.flows.people.continue_request import Continued, continue_request
from bot.flows.people.identify import check_person
from bot.flows.people.linking import drop_pages, is_held, pending_owner
from bot.flows.people.sealed_tokens import TokenOwner, deletion, seal, unseal
from bot.flows.people.settle_identity import settle
from bot.flows.people.submit_code import ACTION
from bot.flows.private_answers import SHOWN_WITHIN
from bot.job_kinds import SendAnswer, shown_key
from bot.job_rows import new_job
from bot.people_job_kinds import FinishLink
from bot.views.answers import refusal, refusal_view
from bot.views.link_account import CALLBACK_ID, TITLE, link_lapsed, linked_answer, linked_view
from bot.views.link_refusals import claimed_by_others, suspended
from integrations.slack.blocks import Content, View
from integrations.slack.errors import SlackError
from storage import audit, identities, jobs, leases, link_requests, sign_ins
from storage.db import Tx
from storage.encryption import Undecryptable
from storage.records import (
    Account,
    AuditOutcome,
    ChannelId,
    Job,
    LinkPage,
    LinkRequest,
    MessageTs,
    Person,
    SignIn,
    StoredTokens,
    Suspension,
)

log = structlog.get_logger(__name__)
WAIT_FOR_SLACK = 5.0
"""Seconds until Slack is asked again who the person is."""
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _Finished:
    """What was stored: the link, or the refusal."""

    view: View
    refused: Refused | None = None
    continued: Continued = field(default_factory=Continued)


async def finish(context: Context, todo: FinishLink, job: Job | None) -> Refused | None:
    """Store the link, and show the result in the modal; returns the refusal, if it was refused.

    `job` is the job of a typed code; without one, the directory has to hold the pair. Raises RetryLater.
    """
    async with context.db.read() as tx:
        request = await link_requests.load(tx, todo.link)
    refused = link_lapsed() if request is None else await _check_person(context, request)
    async with context.db.begin() as tx:
        if job is not None:
            await leases.finish(tx, job)
        # `settle` takes this lock before it changes the sign-ins of others; in another order two could block each
        # other.
        await audit.lock(tx)
        if refused is None:
            finished = await _link(tx, context, todo, by_directory=job is None)
        else:
            finished = await _refuse(tx, request, refused)
    outcome = AuditOutcome.DONE if finished.refused is None else AuditOutcome.REFUSED
    context.metrics.actions.labels(ACTION, outcome).inc()
    await _show(context, todo.view, finished)
    return finished.refused


async def give_up(context: Context, todo: FinishLink, job: Job, mistake: Refused) -> None:
    """Tell the person that every try ended in an error of ours, and drop the token."""
    async with context.db.begin() as tx:
        finished = await _refuse(tx, await link_requests.load(tx, todo.link), mistake)
    await _show(context, todo.view, finished)


async def _check_person(context: Context, request: LinkRequest) -> Refused | None:
    """Why the person may not use Stanch, asked now."""
    try:
        await check_person(context, request.slack_user, None, fresh=True)
    except Refused as refused:
        if refused.reason == "slack_unreachable":
            raise RetryLater(context.clock.now() + WAIT_FOR_SLACK, refused.reason) from None
        return refused
    return None


async def _link(tx: Tx, context: Context, todo: FinishLink, *, by_directory: bool) -> _Finished:
    page = next(
        (one for one in await link_requests.pages(tx, todo.link) if one.state_hash == todo.page), None
    )
    request = await link_requests.load(tx, todo.link)
    if request is None or page is None or page.github is None:
        return await _refuse(tx, request, link_lapsed())
    if by_directory and not await is_held(tx, context, request, page):
        return await _refuse(tx, request, link_lapsed())
    try:
        tokens = _sealed_anew(context, request, page, page.github)
    except Undecryptable as error:
        log.warning("sign_in_failed", reason=str(error))
        return await _refuse(tx, request, link_lapsed())
    await drop_pages(tx, request, but=page.state_hash)
    if await link_requests.end(tx, request.hash) is None:
        return _Finished(_refused_view(link_lapsed()), link_lapsed())
    await _save(tx, context, request, page.github, tokens)
    return await _result(tx, context, request, page.github, todo.view)


def _sealed_anew(
    context: Context, request: LinkRequest, page: LinkPage, account: Account
) -> StoredTokens | None:
    """The tokens, encrypted as those of a finished sign-in; None without keys. Raises Undecryptable.

    With keys nobody is linked without a token: the App would act for them where GitHub may refuse them.
    """
    if (page.tokens is None) != (context.keyring is None):
        raise Undecryptable("its token was dropped, or the keys were changed meanwhile")
    if page.tokens is None or context.keyring is None:
        return None
    owner = TokenOwner(request.slack_team, request.slack_user, account.id)
    return seal(context.keyring, owner, unseal(context.keyring, pending_owner(request, page), page.tokens))


async def _save(
    tx: Tx, context: Context, request: LinkRequest, account: Account, tokens: StoredTokens | None
) -> None:
    """Store the sign-in in place of a former one, whose token is deleted at GitHub."""
    team, user = request.slack_team, request.slack_user
    former = await sign_ins.load(tx, team, user)
    if former is not None and former.tokens is not None:
        await jobs.enqueue(tx, deletion(TokenOwner(team, user, former.github.id), former.tokens))
    until = tx.now + context.options.link.lasts * DAY
    await sign_ins.save(tx, SignIn(team, user, account, tx.now, until, tokens))


async def _result(
    tx: Tx, context: Context, request: LinkRequest, account: Account, view_id: str | None
) -> _Finished:
    """Compare all sources, and enqueue the answer, the request that goes on, and the messages about the change."""
    refused = await _settled(tx, context, request, account)
    if refused is not None:
        await _answer(tx, request, refusal(refused), view_id)
        return _Finished(_refused_view(refused), refused)
    continued = continue_request(replace(request, view_id=view_id), account.login, tx.now)
    for job in continued.jobs:
        await jobs.enqueue(tx, job)
    view = linked_view(account.login, continued.words)
    if continued.button is not None:
        shown = view_id if continued.form is not None else None
        await _answer(tx, request, continued.button, shown, continued.channel, continued.reply_to)
    else:
        await _answer(tx, request, linked_answer(account.login, continued.words), view_id)
    return _Finished(view, None, continued)


async def _settled(tx: Tx, context: Context, request: LinkRequest, account: Account) -> Refused | None:
    """Compare all sources; returns why the link gives no rights, or None."""
    team, user = request.slack_team, request.slack_user
    await settle(tx, team, users=[user], accounts=[account.id], by="sign_in")
    identity = await identities.of_slack(tx, team, user, suspended=True)
    can_sign_in = context.sign_in is not None
    if identity is None or identity.github.id != account.id:
        return claimed_by_others(account.login, Suspension.SIGNED_IN_ELSEWHERE, can_sign_in=can_sign_in)
    return None if identity.suspension is None else suspended(identity, can_sign_in=can_sign_in)


async def _refuse(tx: Tx, request: LinkRequest | None, refused: Refused) -> _Finished:
    """End the started sign-in; its tokens are deleted at GitHub."""
    if request is not None:
        await drop_pages(tx, request)
        await link_requests.end(tx, request.hash)
        person = Person(request.slack_team, request.slack_user, None)
        await audit.append(tx, build_entry(ACTION, AuditOutcome.REFUSED, person, reason=refused.audited))
    return _Finished(_refused_view(refused), refused)


async def _answer(
    tx: Tx,
    request: LinkRequest,
    content: Content,
    unless_shown_in: str | None,
    channel: ChannelId | None = None,
    reply_to: MessageTs | None = None,
) -> None:
    """Enqueue a private answer; with a modal, it is sent only if the modal does not show the result in time."""
    answer = SendAnswer(
        request.slack_user,
        content,
        channel or request.channel,
        reply_to,
        at=tx.now,
        unless_shown=None if unless_shown_in is None else f"view:{unless_shown_in}",
    )
    await jobs.enqueue(tx, new_job(answer, delay=0.0 if unless_shown_in is None else SHOWN_WITHIN))


async def _show(context: Context, view_id: str | None, finished: _Finished) -> None:
    """Show the result in the modal, and then open the form of the person's request there."""
    if view_id is None:
        return
    try:
        await context.slack.update_view(view_id, finished.view)
    except SlackError as error:
        log.info("form_not_shown", action=CALLBACK_ID, reason=error.code)
        return
    async with context.db.begin() as tx:
        await jobs.cancel(tx, shown_key(f"view:{view_id}"))
        if finished.continued.form is not None:
            await jobs.enqueue(tx, new_job(finished.continued.form))


def _refused_view(refused: Refused) -> View:
    return refusal_view(refused, callback_id=CALLBACK_ID, title=TITLE)
