"""Plans notices: messages to a channel that are about no single alert."""

from collections.abc import Mapping

from bot.flows.messages.message_jobs import new_message, publish_job
from storage import jobs, messages, subscriptions
from storage.db import Tx
from storage.records import ChannelId, Message, MessagePurpose, StoredJson

ABOUT_AUTHOR = "author:"
"""The subjects of notices that ask somebody to adopt a channel's subscription start with this and the channel."""


async def plan_notice(tx: Tx, channel: ChannelId, subject: str, facts: Mapping[str, StoredJson]) -> None:
    """Plan a notice in the transaction of what it reports, once for each channel and subject.

    `facts` has its `kind`, a key of `views.notices.NOTICES`, and the fields of that kind.
    """
    notice = new_message(MessagePurpose.NOTICE, channel, subject, None, tx, facts=facts)
    await jobs.enqueue(tx, publish_job(await messages.plan(tx, notice)))


async def find_notice(tx: Tx, channel: ChannelId, subject: str) -> Message | None:
    """The notice with this very subject in a channel, or None."""
    found = await messages.notices(tx, channel, subject)
    return next((notice for notice in found if notice.subject == subject), None)


async def change_notice(tx: Tx, notice: Message, facts: Mapping[str, StoredJson]) -> None:
    """Store the new facts of a notice, and update its message."""
    await messages.save_facts(tx, notice.key, facts)
    await jobs.enqueue(tx, publish_job(notice))


async def redraw_notices(tx: Tx, channel: ChannelId, about: str) -> None:
    """Draw those of a channel's notices again whose subject starts with `about`."""
    found = await messages.notices(tx, channel, about)
    await jobs.enqueue(tx, *(publish_job(notice) for notice in found))


async def is_settled(tx: Tx, notice: Message) -> bool:
    """Whether somebody has adopted the subscription that a notice is about, or ended it."""
    if not notice.subject.startswith(ABOUT_AUTHOR):
        return False
    about = ChannelId(notice.subject.split(":")[1])
    known = await subscriptions.of_channel(tx, about)
    return known is None or (known.lost_at is None and known.paused_at is None)
