"""Slack for the steps of the set-up, and its refusals as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.flows.setup.step import Known, SetupContext, StepRefused
from bot.views import setup_slack_refusals as refusals
from integrations.slack.api import Slack
from integrations.slack.errors import ChannelUnavailable, SlackError, SlackUnauthorized


def slack_of(context: SetupContext, known: Known, token: str | None = None) -> Slack:
    """Slack for the bot token, by default the one that is known; makes no call yet."""
    token = token or known.get("SLACK_BOT_TOKEN")
    if token is None:
        raise StepRefused(refusals.NO_BOT_TOKEN)
    return Slack(token, known.slack_api_url, context.session)


@contextmanager
def asking_slack(known: Known, *, channel: str = "", field: str | None = None) -> Iterator[None]:
    """Turn Slack's refusals inside the block into StepRefused; `channel` names the channel that it is about."""
    try:
        yield
    except SlackUnauthorized as error:
        raise StepRefused(
            refusals.token_refused(known.slack_api_url, known.fact("slack_app"), error), field
        ) from None
    except ChannelUnavailable as error:
        raise StepRefused(refusals.channel_refused(channel, error.code), field) from None
    except SlackError as error:
        raise StepRefused(refusals.not_asked(str(error))) from None
