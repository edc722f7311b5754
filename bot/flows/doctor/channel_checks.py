"""Checks the channels that get alerts: the default channel, and those with a subscription."""

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, fault, note, ok, warning
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.facts import ChannelFacts


async def check_channels(
    examined: Examined, stored: StoredFacts, *, slack_answers: bool
) -> list[CheckResult]:
    """Whether each channel may have alerts, and whether each subscription is in force."""
    default = examined.settings.stanch_default_channel if examined.settings is not None else None
    channels = list(
        dict.fromkeys([*([default] if default else []), *(s.channel for s in stored.subscriptions)])
    )
    found: list[CheckResult] = []
    if channels and examined.slack is not None and slack_answers:
        found += await _ask(examined.slack, channels)
    elif channels:
        found.append(note("channels.not_asked", number=len(channels)))
    for subscription in stored.subscriptions:
        if subscription.paused_at is not None:
            found.append(warning("channels.paused", subscription.channel))
        elif subscription.lost_at is not None:
            found.append(warning("channels.author_lost", subscription.channel))
    if channels and not found:
        found.append(ok("channels.ok", number=len(channels)))
    return found


async def _ask(slack: Slack, channels: list[str]) -> list[CheckResult]:
    """One after another: Slack limits these calls to about fifty in a minute."""
    found: list[CheckResult] = []
    for asked, channel in enumerate(channels):
        try:
            found += _unfit(await slack.channel(channel), channel)
        except errors.ChannelUnavailable as error:
            found.append(fault("channels.not_found", channel, reason=error.code))
        except errors.SlackError as error:
            found.append(note("channels.not_asked", number=len(channels) - asked, reason=error.code))
            break
    return found


def _unfit(facts: ChannelFacts, channel: str) -> list[CheckResult]:
    name = facts.name
    if facts.is_archived:
        return [fault("channels.archived", channel, name=name)]
    if facts.is_shared_outside:
        return [fault("channels.shared", channel, name=name)]
    return [] if facts.is_member else [fault("channels.bot_not_in", channel, name=name)]
