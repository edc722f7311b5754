"""What changed, for a page that shows the stand-in live."""

import asyncio
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Change:
    """One small event; the ids say what to fetch anew.

    `kind` is message_posted, message_updated, message_deleted, ephemeral, view_opened, view_updated,
    view_closed or home_published.
    """

    kind: str
    channel: str | None = None
    ts: str | None = None
    user: str | None = None
    view_id: str | None = None


class Subscription:
    """An async iterator over the changes since it was made; `close()` ends it."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._changes: asyncio.Queue[Change | None] = asyncio.Queue()

    def put(self, change: Change | None) -> None:
        self._changes.put_nowait(change)

    def close(self) -> None:
        self._feed.forget(self)
        self.put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        change = await self._changes.get()
        if change is None:
            raise StopAsyncIteration
        return change


class Feed:
    """Hands each change to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self) -> Subscription:
        subscription = Subscription(self)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def tell(self, change: Change) -> None:
        for subscription in self._subscriptions:
            subscription.put(change)

    def close(self) -> None:
        """End every subscription: the stand-in stops."""
        for subscription in list(self._subscriptions):
            subscription.close()
