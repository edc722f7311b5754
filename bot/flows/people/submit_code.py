"""Checks the code that a person typed into the modal, while Slack waits for the answer."""

import hmac
import json
from dataclasses import dataclass, replace

from bot.context import Context
from bot.errors import Refused
from bot.flows.audit import build_entry
from bot.flows.people import link_secrets
from bot.flows.people.linking import TRIES
from bot.job_rows import new_job
from bot.people_job_kinds import FinishLink
from bot.views.link_account import NO_CODE_YET, link_lapsed, not_your_link, tries_used_up, wrong_code
from storage import audit, jobs, link_requests
from storage.db import Tx
from storage.records import AuditOutcome, LinkPage, LinkRequest, Person, SlackTeamId, SlackUserId

ACTION = "link_identity"
"""Its word in the audit log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCode:
    """A submitted modal, as it came."""

    team: SlackTeamId
    user: SlackUserId
    view_id: str
    metadata: str
    code: object


async def submit_code(context: Context, typed: TypedCode) -> str | None:
    """Take a right code and store the job that links; else the error on the field. Raises Refused if it is over."""
    secret = _request_of(typed.metadata)
    async with context.db.begin() as tx:
        answer = await _check(tx, typed, secret)
    if answer is not None:
        context.metrics.actions.labels(ACTION, AuditOutcome.REFUSED).inc()
    if isinstance(answer, Refused):
        raise answer
    return answer


async def _check(tx: Tx, typed: TypedCode, secret: str) -> str | Refused | None:
    """The error on the field, the refusal, or None for a right code; it is returned, so that the try is committed."""
    request = await link_requests.load(tx, link_secrets.digest(secret))
    if request is None:
        return link_lapsed()
    if request.slack_user != typed.user:
        await _audit(tx, typed, None, "other_user")
        return not_your_link()
    if request.tries >= TRIES:
        return tries_used_up(request.expires_at)
    if await _page_with_code(tx, request) is None:
        return NO_CODE_YET
    if not await link_requests.count_try(tx, request.hash, TRIES):
        return tries_used_up(request.expires_at)
    # The try has locked the request: of two submits at once, the second one reads what the first one has left.
    page = await _page_with_code(tx, request)
    if page is None:
        return link_lapsed()
    code = link_secrets.read_code(typed.code) or ""
    hashed = link_secrets.code_hash(secret, page.state_hash, code)
    if not hmac.compare_digest(hashed, page.code_hash or ""):
        await _audit(tx, typed, page, "wrong_code")
        left = TRIES - request.tries - 1
        return wrong_code(left) if left > 0 else tries_used_up(request.expires_at)
    # A code works once: the page that has none any more is the one that the job links.
    await link_requests.save_page(tx, replace(page, code_hash=None))
    await link_requests.give_back_try(tx, request.hash)
    await jobs.enqueue(tx, new_job(FinishLink(request.hash, page.state_hash, typed.view_id)))
    return None


async def _page_with_code(tx: Tx, request: LinkRequest) -> LinkPage | None:
    """There is at most one: a new code takes the others away."""
    found = [page for page in await link_requests.pages(tx, request.hash) if page.code_hash is not None]
    return found[-1] if found else None


async def _audit(tx: Tx, typed: TypedCode, page: LinkPage | None, reason: str) -> None:
    person = Person(typed.team, typed.user, page.github if page else None)
    await audit.append(tx, build_entry(ACTION, AuditOutcome.REFUSED, person, reason=reason))


def _request_of(metadata: str) -> str:
    """The id that the modal carries; empty where it has none of ours."""
    try:
        value = json.loads(metadata)
    except (ValueError, RecursionError):
        return ""
    found = value.get("request") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
