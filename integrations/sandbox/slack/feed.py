"""A feed of changes, for a page that shows the stand-in live."""

import asyncio
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class SlackChange:
    """One change; the ids name what to fetch again.

    `kind` is message_posted, message_updated, message_deleted, ephemeral, view_opened, view_updated,
    view_closed or home_published.
    """

    kind: str
    channel: str | None = None
    ts: str | None = None
    user: str | None = None
    view_id: str | None = None


class FeedSubscription:
    """An async iterator over the changes since it was created; `close()` ends it."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._changes: asyncio.Queue[SlackChange | None] = asyncio.Queue()

    def put(self, change: SlackChange | None) -> None:
        self._changes.put_nowait(change)

    def close(self) -> None:
        self._feed.unsubscribe(self)
        self.put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SlackChange:
        change = await self._changes.get()
        if change is None:
            raise StopAsyncIteration
        return change


class Feed:
    """Passes each change to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: list[FeedSubscription] = []

    def subscribe(self) -> FeedSubscription:
        subscription = FeedSubscription(self)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: FeedSubscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, change: SlackChange) -> None:
        for subscription in self._subscriptions:
            subscription.put(change)

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self._subscriptions):
            subscription.close()
