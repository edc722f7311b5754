"""A message is planned once for its purpose, channel and subject, and a channel's slots are given one by one."""

import asyncio
from dataclasses import replace

from storage import alerts, messages
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, MessageKey, MessagePurpose, MessageState, MessageTs
from tests.storage.examples import key, message, plain_alert

CHANNEL = ChannelId("C1")


async def test_a_message_is_planned_once_per_purpose_channel_and_subject(db: Database) -> None:
    async with db.begin() as tx:
        first = message("k1", subject="1/2")
        assert await messages.plan(tx, first) == first
        assert await messages.plan(tx, message("k2", subject="1/2")) == first
        elsewhere = message("k3", channel="C2", subject="1/2")
        assert await messages.plan(tx, elsewhere) == elsewhere
        other = replace(message("k4", subject="1/2"), purpose=MessagePurpose.CHECKLIST)
        assert await messages.plan(tx, other) == other


async def test_simultaneous_plans_agree_on_one_message(db: Database) -> None:
    async def plan(name: str) -> MessageKey:
        async with db.begin() as tx:
            return (await messages.plan(tx, message(name, subject="1/2"))).key

    assert len(set(await asyncio.gather(*(plan(f"k{number}") for number in range(8))))) == 1


async def test_a_saved_message_is_found_by_key_timestamp_and_alert(db: Database) -> None:
    async with db.begin() as tx:
        await alerts.insert(tx, plain_alert())
        card = replace(message("k1"), alert=key())
        await messages.plan(tx, card)
        posted = replace(
            card,
            state=MessageState.POSTED,
            ts=MessageTs("1.2"),
            draw=3,
            fingerprint="f",
            slot_at=5.5,
            posting_since=6.0,
        )
        await messages.save(tx, posted)
        reply = replace(message("k2"), alert=key(), purpose=MessagePurpose.REPLY, created_at=9.0)
        await messages.plan(tx, reply)
    async with db.begin() as tx:
        assert await messages.load(tx, posted.key) == posted
        assert await messages.load_for_update(tx, posted.key) == posted
        assert await messages.load(tx, MessageKey("unknown")) is None
        assert await messages.at(tx, CHANNEL, MessageTs("1.2")) == posted
        assert await messages.at(tx, ChannelId("C2"), MessageTs("1.2")) is None
        assert await messages.of_alert(tx, key()) == [posted, reply]
        assert await messages.of_alert(tx, key(), MessagePurpose.CARD) == [posted]


async def test_messages_of_a_channel_and_blocked_ones(db: Database) -> None:
    reply = replace(message("reply"), purpose=MessagePurpose.REPLY)
    async with db.begin() as tx:
        for planned in (
            message("planned"),
            replace(message("card"), state=MessageState.POSTED),
            replace(message("gone"), state=MessageState.DROPPED),
            replace(message("blocked"), state=MessageState.BLOCKED, problem="is_archived", created_at=0.5),
            replace(reply, state=MessageState.POSTED),
            replace(reply, key=MessageKey("open reply"), subject="open reply"),
            message("elsewhere", channel="C2"),
        ):
            await messages.plan(tx, planned)
        wanted = await messages.of_channel(tx, CHANNEL)
        blocked = await messages.blocked(tx)
    assert [found.key for found in wanted] == ["blocked", "card", "open reply", "planned", "reply"]
    assert [(found.key, found.problem) for found in blocked] == [("blocked", "is_archived")]


async def test_notices_are_found_by_their_subject_and_deleted_after_their_time(
    db: Database, clock: Clock
) -> None:
    facts = {"kind": "adopted", "by": "octo-admin"}
    notice = replace(message("k1", subject="author:C7:5"), purpose=MessagePurpose.NOTICE, facts=facts)
    waiting = replace(notice, key=MessageKey("k2"), subject="author:C7:6")
    async with db.begin() as tx:
        planned = replace(notice, created_at=tx.now)
        await messages.plan(tx, planned)
        await messages.plan(tx, replace(waiting, created_at=tx.now))
        await messages.plan(tx, replace(waiting, key=MessageKey("k3"), subject="author:C70:6"))
        assert await messages.load(tx, planned.key) == planned
        await messages.change(tx, planned.key, state=MessageState.POSTED, ts=MessageTs("1.2"))
        found = await messages.notices(tx, planned.channel, "author:C7:")
        assert [one.key for one in found] == ["k1", "k2"]
        assert await messages.prune_notices(tx, tx.now) == 0
    clock.advance(10)
    async with db.begin() as tx:
        assert await messages.prune_notices(tx, tx.now) == 1
        assert [one.key for one in await messages.notices(tx, planned.channel, "author:C7:")] == ["k2"]
