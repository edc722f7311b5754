"""TODO."""

from typing import Any

import structlog

from bot.actions import FORMS
from bot.actions.action import FormAction
from bot.context import Context
from bot.errors import Refused, RetryLater, UnusableJob
from bot.flows import repository_access
from bot.flows.acting.check_request import check_request
from bot.flows.acting.perform_action import _view_of
from bot.flows.audit import audit_failure
from bot.flows.messages.publish import redraw
from bot.requests import ActionRequest
from bot.views.answers import refusal_view
from integrations.github.errors import (
    GitHubError,
)
from integrations.slack.errors import SlackRateLimited as SlackRateLimited
from integrations.slack.errors import SlackUncertain as SlackUncertain
from integrations.slack.errors import ViewGone
from storage.records import (
    AuditOutcome,
)

log = structlog.get_logger(__name__)
SKELETON_LASTS = 60.0
"""Seconds for which somebody is taken to wait for a form while Slack does not answer."""
FORM_RETRY = 2.0


async def fill_form(context: Context, request: ActionRequest, view_hash: str | None) -> None:
    """Put the form into the modal that was opened at the click, or the reason why there is none."""
    action = _form_of(request.action)
    try:
        # 1. Who is it, what is meant, and may they.
        checked = await check_request(context, action, request)
        # 2. The form for this alert and this person.
        view = action.form(checked.case, request.user_input, request.metadata)
    except Refused as refused:
        async with context.db.begin() as tx:
            await audit_failure(tx, context, action, request, AuditOutcome.REFUSED, refused.audited)
        view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
    except GitHubError as error:
        unreachable = repository_access.github_failure_refusal(error)
        view = refusal_view(unreachable, callback_id=action.callback_id, title=action.title)
    try:
        await context.slack.update_view(_view_of(request), view, hash=view_hash)
    except ViewGone as error:
        log.info("form_not_shown", action=action.id, reason=error.code)
    except (SlackRateLimited, SlackUncertain) as error:
        # Somebody looks at the skeleton. If it has become the form after all, its hash refuses the second one.
        if context.clock.now() - request.at < SKELETON_LASTS:
            raise RetryLater(context.clock.now() + FORM_RETRY, str(error)) from None
        log.warning("form_not_shown", action=action.id, reason=error.code)
    # 3. A menu is drawn anew, so that the same reason can be picked again after the form was left.
    if action.is_menu and request.channel is not None and request.thread is not None:
        await redraw(context, request.channel, request.thread)


async def show_mistake(context: Context, request: ActionRequest, refused: Refused) -> None:
    """Replace the skeleton of a form that could not be filled."""
    action = _form_of(request.action)
    view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
    await context.slack.update_view(_view_of(request), view)


def _form_of(name: str) -> FormAction[Any]:
    for form in FORMS:
        if form.id == name:
            return form
    raise UnusableJob(f"this version knows no form {name}")
