"""`/leaks link`: opens the modal in which the person links their GitHub account by signing in there.

`inbound` opens it, since a command can open a modal for three seconds only. This file answers if nobody can sign in.
"""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.flows.people.identify import check_person
from bot.requests import CommandRequest
from bot.views.refusals import not_linked
from integrations.slack.blocks import Content


async def link(context: Context, request: CommandRequest) -> Content:
    """Raises Refused, which says who links people here."""
    await check_person(context, request.user, request.channel, fresh=False)
    raise not_linked(request.user, by_sign_in=context.sign_in is not None)


LINK = Subcommand("link", "link", "link your GitHub account by signing in at GitHub", link)
