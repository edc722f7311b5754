"""`/leaks unlink`: forgets the person's GitHub account at once, and deletes its token at GitHub."""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.flows.people.identify import check_person
from bot.flows.people.unlink import forget
from bot.requests import CommandRequest
from bot.views.link_account import unlinked_answer
from integrations.slack.blocks import Content
from storage.records import SlackTeamId


async def unlink(context: Context, request: CommandRequest) -> Content:
    """Forget what a sign-in or an operator has linked; the directory's word stays. Raises Refused."""
    workspace = await check_person(context, request.user, request.channel, fresh=False)
    forgotten = await forget(context, SlackTeamId(workspace.team_id), request.user)
    return unlinked_answer(forgotten.login, by_directory=forgotten.by_directory)


UNLINK = Subcommand("unlink", "unlink", "forget your GitHub account here, and its token", unlink)
