"""The step that chooses the default channel among those that the bot is in."""

import re
from collections.abc import Mapping

from bot.flows.setup.slack_calls import asking_slack, slack_of
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused
from bot.views import setup_slack as words
from bot.views import setup_slack_refusals as refusals
from bot.views.setup_panel import Panel
from integrations.slack.installation import SlackInstallation

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,20}")


def _done(known: Known) -> bool:
    return known.get("STANCH_DEFAULT_CHANNEL") is not None and known.fact("slack_channel") is not None


async def _look(context: SetupContext, known: Known) -> Known:
    """The channel in `.env` is taken if the bot can still post there; the panel says why not."""
    channel = known.get("STANCH_DEFAULT_CHANNEL")
    if channel is None:
        return known
    try:
        return await _chosen(context, known, channel)
    except StepRefused as refused:
        if refused.field is None:
            raise
        return known.without("STANCH_DEFAULT_CHANNEL").finding(channel_problem=str(refused))


async def _view(context: SetupContext, known: Known) -> Panel:
    with asking_slack(known):
        found = await SlackInstallation(slack_of(context, known)).channels()
    usable = sorted((one for one in found if not one.is_shared_outside), key=lambda one: one.name)
    return words.channel_panel(
        [(one.id, one.name, one.is_public) for one in usable],
        shared=sorted(one.name for one in found if one.is_shared_outside),
        problem=known.fact("channel_problem"),
    )


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    channel = form.get("channel")
    if channel is None:
        return known.without("channel_problem")  # The list is read again.
    if not CHANNEL_ID.fullmatch(channel):
        raise StepRefused(refusals.NO_CHANNEL, "channel")
    return await _chosen(context, known, channel)


async def _chosen(context: SetupContext, known: Known, channel: str) -> Known:
    with asking_slack(known, channel=channel, field="channel"):
        facts = await slack_of(context, known).channel(channel)
    refused = refusals.unusable_channel(
        facts.name, archived=facts.is_archived, shared=facts.is_shared_outside, member=facts.is_member
    )
    if refused is not None:
        raise StepRefused(refused, "channel")
    return (
        known.without("channel_problem")
        .setting(STANCH_DEFAULT_CHANNEL=channel)
        .finding(slack_channel=facts.name)
    )


CHANNEL = SetupStep(
    name="channel",
    title="First channel",
    done=_done,
    view=_view,
    submit=_submit,
    look=_look,
    owns=("STANCH_DEFAULT_CHANNEL", "slack_channel", "test_card"),
    summary=lambda known: f"#{known.fact('slack_channel') or ''}",
)
