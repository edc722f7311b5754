"""A look at something from the card's menu: who asks, may they see it, and what is there."""

from bot.actions import LOOKS
from bot.actions.action import Look, Request
from bot.errors import Refused, UnusableJob
from bot.flows import authorize, rights_now
from bot.flows.refusing import note_refusal
from bot.flows.tell import tell
from bot.rules.case import Actor, PersonalCase
from bot.rules.permissions import Need
from bot.tools import Tools
from bot.views.answers import refusal
from bot.views.refusals import not_theirs
from integrations.github.errors import GitHubError
from integrations.slack.blocks import Content
from storage import alerts, repositories


async def look(tools: Tools, request: Request) -> None:
    """Show it to whoever asked, privately."""
    try:
        said = await _answer(tools, _look_of(request.action), request)
    except Refused as refused:
        await note_refusal(tools, request.team, request.user, refused)
        said = refusal(refused)
    except GitHubError as error:
        said = refusal(authorize.unreachable_github(error))
    await tell(tools, request, said)


def _look_of(name: str) -> Look:
    for one in LOOKS:
        if one.id == name:
            return one
    raise UnusableJob(f"this version knows no line {name} of the menu")


async def _answer(tools: Tools, wanted: Look, request: Request) -> Content:
    # 1. Who asks.
    identity = await authorize.identify(tools, request.user, request.channel)
    async with tools.db.read() as tx:
        alert = await alerts.load(tx, request.alert)
        repository = await repositories.load_repository(tx, request.alert.repository_id)
    if alert is None or repository is None:
        raise not_theirs("unknown_alert")
    # 2. May they see it; where GitHub has to be asked for that or anything else, the repository is checked first.
    access = None
    rights = await authorize.known_rights(
        tools, identity.github, repository, None, lasts=authorize.LOOK_LASTS
    )
    if rights is None or not rights.view:
        repository, _, access = await authorize.reach(tools, repository)
        seen = await rights_now.see(tools, identity, repository, access, alert, fresh=False)
        alert, rights = seen.alert, seen.rights
    elif wanted.asks_github:
        repository, _, access = await authorize.reach(tools, repository)
    authorize.check_need(rights, Need.VIEW, "see this alert", repository, identity.github.login)
    # 3. What is there.
    case = PersonalCase(
        alert=alert,
        repository=repository,
        now=tools.clock.now(),
        server=tools.around.server,
        options=tools.options,
        actor=Actor(identity, rights),
    )
    return await wanted.answer(tools, case, access)
