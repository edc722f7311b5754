"""`/leaks doctor`: for operators, how many faults and warnings the doctor finds."""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.errors import Refused
from bot.flows.people.identify import check_person
from bot.requests import CommandRequest
from integrations.slack.blocks import Content

NO_OPERATOR = "Only operators may ask the doctor."
HOW = "The setting STANCH_OPERATORS names them. At the command line, stanch doctor tells more."


async def doctor(context: Context, request: CommandRequest) -> Content:
    """The counts alone: an operator may have no right on any alert, so that no name is shown."""
    await check_person(context, request.user, request.channel, fresh=True)
    if request.user not in context.operators:
        raise Refused("no_operator", NO_OPERATOR, HOW)
    # Here, since few servers are ever asked, and these modules take a megabyte of memory.
    from bot.flows.doctor.examine import examine
    from bot.flows.doctor.examined import examined_server
    from bot.views.doctor import counts_answer

    return counts_answer(await examine(examined_server(context)))


DOCTOR = Subcommand(
    "doctor", "doctor", "for operators: how many faults this installation has, without names", doctor
)
