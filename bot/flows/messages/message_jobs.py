"""Makes new messages, and the jobs that publish them."""

import secrets
from collections.abc import Mapping

from bot.job_kinds import PublishMessage
from bot.job_rows import new_job
from bot.rules.urgency import URGENT
from storage.db import Tx
from storage.records import AlertKey, ChannelId, Message, MessageKey, MessagePurpose, NewJob, StoredJson

SUMMARY_PACE = 3.0
"""Seconds between two draws of one summary."""
FIRST_SUMMARY = 1.0
"""Seconds from the start of a flood to the first draw of its summary."""


def publish_job(message: Message, delay: float = 0.0) -> NewJob:
    """The job that posts or updates a message; `delay` in seconds. The first post of an urgent card comes first."""
    return new_job(
        PublishMessage(message.key), delay=delay, urgent=message.ts is None and message.urgency in URGENT
    )


def summary_job(summary: MessageKey, tx: Tx, delay: float = SUMMARY_PACE) -> NewJob:
    """The same for a summary, at most once in SUMMARY_PACE seconds, however many alerts change.

    `delay` is SUMMARY_PACE or more: a change after the draw must not fall into the span of a job that is done.
    """
    once = f"summary:{summary}:{int(tx.now / SUMMARY_PACE)}"
    return new_job(PublishMessage(summary), dedup=once, delay=delay)


def new_message(
    purpose: MessagePurpose,
    channel: ChannelId,
    subject: str,
    alert: AlertKey | None,
    tx: Tx,
    *,
    facts: Mapping[str, StoredJson] | None = None,
) -> Message:
    """A message that is not stored yet, with a random key."""
    key = MessageKey(secrets.token_hex(8))
    return Message(key, purpose, channel, subject, alert, created_at=tx.now, facts=facts)
