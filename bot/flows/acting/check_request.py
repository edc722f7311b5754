"""Checks a request before a decision: who it is, which alert is meant, what the person may do, what GitHub shows."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from bot.actions.action import Action, ReadAction, Write, by_app
from bot.context import Context
from bot.errors import UnusableJob
from bot.flows import repository_access
from bot.flows.acting.lacking_right import refuse_lacking_right
from bot.flows.build_case import load_alert, load_case
from bot.flows.people import current_rights, identify
from bot.flows.people.own_name import own_name
from bot.flows.people.receiver import load_receiver
from bot.requests import ActionRequest
from bot.rules.case import Actor, PersonalCase
from bot.views.refusals import alert_not_visible
from integrations.github.errors import GitHubRateLimited, Unavailable, Unreachable
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from storage import identities
from storage.records import Alert, Identity, Repository, SlackUserId, UnixTime

log = structlog.get_logger(__name__)
PATIENCE = 5.0
"""Seconds to wait for GitHub in an action that works offline."""
Control = TypeVar("Control", bound=Action[Any] | ReadAction)


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """The facts for a decision, and access to the repository."""

    case: PersonalCase
    access: RepositoryAccess
    facts: AlertFacts | None
    """The alert as GitHub answered just now; None while GitHub is down."""
    write: Write
    """Changes the alert on GitHub, in the person's own name or the App's."""


def find_by_id(known: Iterable[Control], name: str, what: str = "action {}") -> Control:
    """The control of that id; raises UnusableJob, which names it by `what`."""
    for control in known:
        if control.id == name:
            return control
    raise UnusableJob(f"this version knows no {what.format(name)}")


async def check_request(
    context: Context, action: Action[Any], request: ActionRequest, *, intended_at: UnixTime | None = None
) -> CheckedRequest:
    """Find out who made the request, load the alert, and check the person's rights on what was loaded.

    Raises Refused if the person may not do it, GitHubError if GitHub can't be asked, and RetryLater.
    """
    fresh = action.needs_fresh_role
    identity = await identify.identify(
        *(context, request.user, request.channel),
        fresh=fresh,
        deed=action.deed,
        verb_phrase=action.verb_phrase,
    )
    alert, repository = await load_alert(context, request.alert)
    if alert is None or repository is None:
        raise alert_not_visible("unknown_alert")
    repository, access, current = await _load_rights(context, action, identity, repository, alert)
    alert, rights = current.alert, current.rights
    if not current.allow(action.needs):
        raise await refuse_lacking_right(
            *(context, request, identity, repository, rights, action.needs, action.verb_phrase),
            asks_github=current.facts is not None or current.refused is not None,
            refused=current.refused,
        )
    receiver = None
    if action.receiver_block is not None:
        picked = request.user_input.get(action.receiver_block)
        if isinstance(picked, str):
            receiver = await load_receiver(context, SlackUserId(picked), repository, current)
    owner = alert.token.owner
    async with context.db.read() as tx:
        token_owner = await identities.of_github(tx, identity.slack_team, owner.id) if owner else None
        case = await load_case(tx, context, alert, repository)
    personal = replace(
        case.for_person(Actor(identity, rights)),
        token_owner=token_owner,
        receiver=receiver,
        own_name=current.own_name is not None,
        offline=current.facts is None,
        waited=request.waited,
        intended_at=intended_at,
    )
    write = current.own_name.write if current.own_name else by_app(access)
    return CheckedRequest(personal, access, current.facts, write)


async def _load_rights(
    context: Context, action: Action[Any], identity: Identity, repository: Repository, alert: Alert
) -> tuple[Repository, RepositoryAccess, current_rights.CurrentRights]:
    """The repository, alert and rights: from GitHub, or as last known if that fails and the action works offline."""
    try:
        async with asyncio.timeout(PATIENCE if action.works_offline else None):
            now, access = await repository_access.reach(context, repository)
            own = await own_name(context, identity, now, verb_phrase=action.verb_phrase)
            current = await current_rights.ask_github(
                *(context, identity, now, access, alert),
                fresh=action.needs_fresh_role,
                need=action.needs,
                own_name=own,
            )
            return now, access, current
    except (Unreachable, Unavailable, GitHubRateLimited, TimeoutError) as error:
        if not action.works_offline or repository.installation_id is None:
            raise
        log.warning("github_not_asked", reason=str(error) or "no answer in time")
    access = context.github.of(repository.installation_id).only(repository.id)
    return repository, access, await current_rights.last_known(context, identity, repository, alert)
