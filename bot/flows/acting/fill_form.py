"""Fills the modal that was opened as a skeleton: with the form, or with the reason why there is none."""

from typing import Any

import structlog

from bot.actions import FORMS
from bot.actions.action import FormAction
from bot.context import Context
from bot.errors import LimitReached, Refused, RetryLater, UnusableJob
from bot.flows import repository_access
from bot.flows.acting.approvals import with_approval
from bot.flows.acting.check_request import check_request, find_by_id
from bot.flows.acting.lacking_right import names_others
from bot.flows.acting.limits import check_limit, tell_of_limit
from bot.flows.acting.token_owner import with_token_owner
from bot.flows.audit import audit_failure
from bot.flows.messages.publish import redraw
from bot.flows.people import linking
from bot.flows.people.continue_request import stored_waiting
from bot.job_kinds import FillForm
from bot.requests import ActionRequest
from bot.views.answers import refusal_view
from integrations.github.errors import GitHubError
from integrations.slack.blocks import View
from integrations.slack.errors import SlackRateLimited, SlackUncertain, ViewGone
from storage import link_requests
from storage.records import AuditOutcome

log = structlog.get_logger(__name__)
SKELETON_LASTS = 60.0
"""Seconds after the click in which Slack is asked again to show the form; then the person has left."""
FORM_RETRY = 2.0
"""Seconds until Slack is asked again."""


async def fill_form(context: Context, request: ActionRequest, view_hash: str | None) -> None:
    """Replace the skeleton that was opened at the click, or the form in which a person was picked since.

    `view_hash` is the skeleton's hash; None for a form, which is replaced in any state.
    """
    action = find_by_id(FORMS, request.action, "form {}")
    try:
        # 1. Check who it is, which alert is meant, and what the person may do.
        checked = await check_request(context, action, request)
        if action.asks_about_owner:
            checked = await with_token_owner(context, checked, fresh=False)
        if action.asks_about_approval:
            checked = await with_approval(context, action, checked, request, in_form=True)
        # 2. Draw the form for this alert and this person.
        async with names_others(context, request, checked.case):
            view = action.form(checked.case, request.user_input, request.metadata)
        await check_limit(context, action, checked.case.actor.identity)
        refused_input = action.input_refusal(checked.case)
        if refused_input is not None:
            await _audit_refused(context, action, request, refused_input)
    except Refused as refused:
        await _audit_refused(context, action, request, refused)
        view = await _refused_view(context, action, request, refused)
    except GitHubError as error:
        unreachable = repository_access.github_failure_refusal(error)
        view = refusal_view(unreachable, callback_id=action.callback_id, title=action.title)
    try:
        await context.slack.update_view(_view_id(request), view, hash=view_hash)
    except ViewGone as error:
        log.info("form_not_shown", action=action.id, reason=error.code)
    except (SlackRateLimited, SlackUncertain) as error:
        # The person still sees the skeleton. If Slack replaced it after all, the hash no longer fits and it refuses.
        if context.clock.now() - request.at < SKELETON_LASTS:
            raise RetryLater(context.clock.now() + FORM_RETRY, str(error)) from None
        log.warning("form_not_shown", action=action.id, reason=error.code)
    # 3. Draw the card again if the control is a menu: else Slack ignores a second pick of the same option.
    if action.is_menu and request.channel is not None and request.thread is not None:
        await redraw(context, request.channel, request.thread)


async def _refused_view(
    context: Context, action: FormAction[Any], request: ActionRequest, refused: Refused
) -> View:
    """The refusal; where a sign-in helps, the modal for that takes the place of the form at once."""
    if refused.offers_link:
        waiting = stored_waiting(FillForm(request))
        try:
            started = await linking.start(context, request.user, request.channel, waiting, refused)
        except Refused as other:
            refused = other
        else:
            async with context.db.begin() as tx:
                await link_requests.set_view(tx, started.hash, _view_id(request))
            return started.view
    return refusal_view(refused, callback_id=action.callback_id, title=action.title)


async def show_error(context: Context, request: ActionRequest, refused: Refused) -> None:
    """Replace the skeleton by an error message after every try to fill it ended in an error of ours."""
    action = find_by_id(FORMS, request.action, "form {}")
    view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
    await context.slack.update_view(_view_id(request), view)


async def _audit_refused(
    context: Context, action: FormAction[Any], request: ActionRequest, refused: Refused
) -> None:
    async with context.db.begin() as tx:
        if isinstance(refused, LimitReached):
            await tell_of_limit(tx, context, action, request, refused)
        await audit_failure(tx, context, action, request, AuditOutcome.REFUSED, refused.audited)


def _view_id(request: ActionRequest) -> str:
    if request.view_id is None:
        raise UnusableJob("the stored click names no modal")
    return request.view_id
