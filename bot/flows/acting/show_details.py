"""Shows privately what a read-only line of the card's overflow menu stands for."""

from bot.actions import READ_ACTIONS
from bot.actions.action import ReadAction
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.acting.check_request import find_by_id
from bot.flows.acting.lacking_right import refuse_lacking_right
from bot.flows.audit import audit_refused_look_up
from bot.flows.build_case import build_case, load_alert
from bot.flows.people import current_rights, identify, roles
from bot.flows.people.own_name import own_name
from bot.flows.private_answers import send_answer
from bot.job_kinds import ShowDetails
from bot.requests import ActionRequest
from bot.rules.case import Actor
from bot.rules.rights import Need
from bot.views.answers import refusal
from bot.views.refusals import alert_not_visible
from integrations.github.errors import GitHubError
from integrations.slack.blocks import Content


async def show_details(context: Context, request: ActionRequest) -> None:
    """Answer the person who picked the line."""
    try:
        content = await _answer(
            context, find_by_id(READ_ACTIONS, request.action, "line {} of the menu"), request
        )
    except Refused as refused:
        await audit_refused_look_up(context, request.team, request.user, refused)
        content = refusal(refused, ShowDetails(request))
    except GitHubError as error:
        content = refusal(repository_access.github_failure_refusal(error))
    await send_answer(context, request, content)


async def _answer(context: Context, action: ReadAction, request: ActionRequest) -> Content:
    # 1. Find out who asks, and load the alert.
    identity = await identify.identify(context, request.user, request.channel)
    alert, repository = await load_alert(context, request.alert)
    if alert is None or repository is None:
        raise alert_not_visible("unknown_alert")
    # 2. Check that they may see it. Before GitHub is asked anything by name, the repository is checked.
    access, refused = None, None
    rights = await roles.known_rights(
        context, identity.github, repository, None, lasts=roles.LOOK_UP_ROLE_LASTS
    )
    if rights is None or not rights.view:
        repository, access = await repository_access.reach(context, repository)
        own = await own_name(context, identity, repository)
        current = await current_rights.ask_github(
            *(context, identity, repository, access, alert), fresh=False, own_name=own
        )
        alert, rights, refused = current.alert, current.rights, current.refused
    elif action.asks_github:
        repository, access = await repository_access.reach(context, repository)
    if not rights.view:
        raise await refuse_lacking_right(
            *(context, request, identity, repository, rights, Need.VIEW, "see this alert"),
            asks_github=True,
            refused=refused,
        )
    # 3. Answer.
    case = build_case(context, alert, repository).for_person(Actor(identity, rights))
    return await action.answer(context, case, access)
