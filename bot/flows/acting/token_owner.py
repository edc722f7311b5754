"""Finds out whether the owner of a leaked token can be told of the leak, and what they may see of it."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.acting.check_request import CheckedRequest
from bot.flows.people import roles
from bot.flows.people.held_tokens import holder_of
from bot.rules.assignment import keep_answered_assignee
from bot.rules.case import PersonalCase
from bot.rules.outsiders import outsider_reason
from bot.rules.owner_message import given_answers
from integrations.github.errors import GitHubError
from integrations.slack.errors import SlackError
from storage import alerts
from storage.records import EventKind, Identity

log = structlog.get_logger(__name__)


async def with_token_owner(context: Context, checked: CheckedRequest, *, fresh: bool) -> CheckedRequest:
    """Add to the case whether Stanch holds the token, and what is known of its owner by Slack, GitHub and timeline.

    With `fresh` the owner's role is asked for now, as before a message is sent. An error counts as the answer no.
    """
    seen = checked.case
    held_for = await holder_of(context, checked.access, seen.repository.full_name, seen.alert)
    checked = replace(checked, case=replace(seen, held_for=held_for))
    case = checked.case
    owner = case.token_owner
    if owner is None or owner.slack_user == case.actor.identity.slack_user:
        return checked
    return replace(
        checked,
        case=replace(
            await _with_answers(context, case, owner),
            owner_is_outside=await _is_outside(context, owner),
            owner_views=await _views(context, checked, owner, fresh=fresh),
            actor_name=await _actor_name(context, case),
        ),
    )


async def _with_answers(context: Context, case: PersonalCase, owner: Identity) -> PersonalCase:
    async with context.db.read() as tx:
        kinds = (EventKind.OWNER_TOLD, EventKind.OWNER_ANSWERED)
        timeline = await alerts.events_of_kind(tx, case.alert.key, *kinds)
    told = [event for event in timeline if event.details.get("slack_user") == owner.slack_user]
    if not told or told[0].kind is not EventKind.OWNER_TOLD:
        return case
    answers = given_answers(told[0], timeline)
    return replace(
        case, owner_told=True, owner_answer=str(answers[-1].details["answer"]) if answers else None
    )


async def _is_outside(context: Context, owner: Identity) -> bool:
    workspace = await context.platforms.require_workspace()
    try:
        return (
            outsider_reason(await context.platforms.person(owner.slack_user, fresh=True), workspace)
            is not None
        )
    except SlackError as error:
        log.warning("person_not_asked", user=owner.slack_user, reason=error.code)
        return True


async def _views(context: Context, checked: CheckedRequest, owner: Identity, *, fresh: bool) -> bool:
    case, facts = checked.case, checked.facts
    alert = keep_answered_assignee(case.alert, facts) if facts is not None else None
    try:
        granted = await roles.rights(context, owner.github, case.repository, alert, fresh=fresh)
    except GitHubError as error:
        log.warning("github_not_asked", reason=str(error))
        return False
    return granted.view


async def _actor_name(context: Context, case: PersonalCase) -> str:
    try:
        return (await context.platforms.person(case.actor.identity.slack_user)).name
    except SlackError:
        return ""
