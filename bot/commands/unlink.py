"""`/leaks unlink`: forgets the person's GitHub account at once, and deletes its token at GitHub."""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.flows.people.identify import check_person
from bot.flows.people.unlink import unlink
from bot.requests import CommandRequest
from bot.views.link_account import unlinked_answer
from integrations.slack.blocks import Content
from storage.records import SlackTeamId


async def answer_unlink(context: Context, request: CommandRequest) -> Content:
    """Forget the link, whatever it rests on. Raises Refused."""
    workspace = await check_person(context, request.user, request.channel, fresh=False)
    return unlinked_answer(await unlink(context, SlackTeamId(workspace.team_id), request.user))


UNLINK = Subcommand("unlink", "unlink", "forget your GitHub account here, and its token", answer_unlink)
