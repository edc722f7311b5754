"""What Slack says of a channel, fresh enough to show alerts in it."""

from bot.tools import Tools
from integrations.slack.facts import ChannelFacts
from storage import marks
from storage.db import Tx
from storage.records import ChannelId


async def channel_facts(tools: Tools, channel: ChannelId) -> ChannelFacts:
    """The facts, at most five minutes old, and newer than whatever Slack told any of our processes since.

    Raises SlackError.
    """
    async with tools.db.read() as tx:
        changed_at = await marks.load(tx, _mark(channel))
    since = float(changed_at) if isinstance(changed_at, int | float) else 0.0
    return await tools.around.channel(channel, since=since)


async def note_change(tx: Tx, channel: ChannelId) -> None:
    """Slack told of a change: what any process remembers of the channel counts no more."""
    await marks.save(tx, _mark(channel), tx.now)


def _mark(channel: ChannelId) -> str:
    return f"channel_changed:{channel}"
