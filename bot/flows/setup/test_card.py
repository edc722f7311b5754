"""The step that posts a test card, drawn as every card, and takes it away again."""

from collections.abc import Mapping

from bot.actions import controls
from bot.flows.setup.slack_calls import asking_slack, slack_of
from bot.flows.setup.step import Known, SetupContext, SetupStep
from bot.rules.example_alert import example_case
from bot.views import setup_slack as words
from bot.views.card import draw_card
from bot.views.setup_panel import Panel
from integrations.slack.blocks import Metadata
from integrations.slack.installation import SlackInstallation

METADATA = Metadata("stanch_event", {"key": "setup-test-card"})
"""By this a card is found that an interrupted set-up has left."""
LEFT = 7 * 86_400.0
"""Seconds for which a card that was left is looked for."""


def _done(known: Known) -> bool:
    return known.fact("test_card") == "done"


async def _view(context: SetupContext, known: Known) -> Panel:
    ts = known.fact("test_card")
    if ts is None:
        return words.before_test_card(known.facts["slack_channel"])
    with asking_slack(known, channel=known.facts["slack_channel"]):
        link = await slack_of(context, known).permalink(known.values["STANCH_DEFAULT_CHANNEL"], ts)
    return words.after_test_card(known.facts["slack_channel"], link, ts)


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    slack, channel, ts = (
        slack_of(context, known),
        known.values["STANCH_DEFAULT_CHANNEL"],
        known.fact("test_card"),
    )
    with asking_slack(known, channel=known.facts["slack_channel"]):
        if ts is not None:
            if form.get("card") != ts:
                return known  # The form that posts it was submitted twice.
            await SlackInstallation(slack).take_away(channel, ts)
            return known.finding(test_card="done")
        now = context.clock.now()
        left = await slack.find_post(channel, METADATA, since=now - LEFT)
        if left is None:
            case = example_case(now, known.github_url)
            card = words.marked_as_test(draw_card(case, controls(case), 0))
            left = await slack.post(channel, card, metadata=METADATA)
    return known.finding(test_card=left)


TEST_CARD = SetupStep(
    name="test_card",
    title="Test card",
    done=_done,
    view=_view,
    submit=_submit,
    owns=("test_card",),
)
