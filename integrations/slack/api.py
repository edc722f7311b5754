"""Slack's Web API for one bot: messages, views, people and channels. Failures are the classes of `errors`."""

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import aiohttp

from integrations.json_types import JsonObject
from integrations.slack import errors
from integrations.slack.blocks import Content, Metadata, View
from integrations.slack.facts import (
    BotFacts,
    ChannelFacts,
    ListedPerson,
    PersonFacts,
    UserGroupFacts,
    ViewRef,
    items,
    member,
    parse_bot,
    parse_channel,
    parse_members,
    parse_people,
    parse_person,
    parse_user_groups,
    parse_view,
    text,
)
from integrations.slack.web_api import WebApi, build_client

PAGE = 200
ADDRESSES = "users:read.email"
"""The scope for people's e-mail addresses."""
PEOPLE = 1000
"""People in a page of `users.list`. Slack's docs: at most 1,000, and 20 calls in a minute."""
PAGES = 10
"""`find_post` reads at most this many pages, so 2,000 messages."""
CLOCK_LEEWAY = 300
"""Seconds by which our clock may differ from Slack's; with a larger difference we refuse all Slack's requests."""

# Slack must not turn parts of a text into mentions or links; it does so by default for chat.update.
_LITERAL: Mapping[str, object] = {"parse": "none", "link_names": False}
_NO_PREVIEWS: Mapping[str, object] = {"unfurl_links": False, "unfurl_media": False}


class Slack:
    """Slack's Web API for one bot token.

    Methods raise `SlackError`: `SlackUncertain` where a write may have been carried out, `SlackRateLimited` where it
    was not. A write is sent once; a read is repeated once after a lost connection.
    """

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        self.client = build_client(token, api_url, session)
        """The SDK's client, for Bolt."""
        self._session = session
        self._api = WebApi(self.client)
        self._bot: BotFacts | None = None

    @property
    def scopes(self) -> frozenset[str] | None:
        """The token's scopes, as Slack's last answer gave them; None until one did."""
        return self._api.scopes

    async def whoami(self) -> BotFacts:
        """The owner of the token, by a new call. Raises `SlackUnauthorized` if it is not a valid bot token."""
        bot = parse_bot(await self._api.post("auth.test", {}))
        if not bot.bot_id:
            raise errors.SlackUnauthorized("auth.test", "not_a_bot_token")
        self._bot = bot
        return bot

    async def post(
        self,
        channel: str,
        message: Content,
        *,
        metadata: Metadata | None,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> str:
        """Post a message and return its `ts`. After `SlackUncertain`, call `find_post` before posting again.

        A reply with `broadcast` is also shown in the channel.
        """
        target = {
            "channel": channel,
            "thread_ts": thread_ts,
            "reply_broadcast": True if broadcast and thread_ts else None,
            "metadata": None if metadata is None else _metadata(metadata),
        }
        response = await self._api.post(
            "chat.postMessage", {**target, **_content(message), **_LITERAL, **_NO_PREVIEWS}
        )
        return _needed(response, "ts", "chat.postMessage")

    async def update(self, channel: str, ts: str, message: Content, *, metadata: Metadata | None) -> None:
        """Replace the content of one of our messages; without `metadata` it keeps what it has. Idempotent."""
        sent = None if metadata is None else _metadata(metadata)
        target = {"channel": channel, "ts": ts, "metadata": sent}
        await self._api.post("chat.update", {**target, **_content(message), **_LITERAL})

    async def find_post(
        self,
        channel: str,
        metadata: Metadata,
        *,
        since: float,
        until: float | None = None,
        thread_ts: str | None = None,
    ) -> str | None:
        """Return the `ts` of our message with this metadata, posted from `since` to `until` (Unix seconds), or None.

        Without `until`, up to now. Raises `TooManyMessages` for more than 2,000 messages in that time.
        """
        own = (self._bot or await self.whoami()).bot_id
        latest = None if until is None else f"{until + CLOCK_LEEWAY:.6f}"
        oldest = f"{max(since - CLOCK_LEEWAY, 0):.6f}"
        async for message in self._history(channel, oldest, latest, thread_ts):
            if text(message, "bot_id") == own and _has_metadata(member(message, "metadata"), metadata):
                return text(message, "ts")
        return None

    async def ephemeral(
        self, channel: str, user: str, message: Content, *, thread_ts: str | None = None
    ) -> None:
        """Show a message to one person in a channel. Slack's docs: delivery is not guaranteed if they are away."""
        target = {"channel": channel, "user": user, "thread_ts": thread_ts}
        await self._api.post("chat.postEphemeral", {**target, **_content(message), **_LITERAL})

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message. Raises `MessageGone` and `ChannelUnavailable`."""
        response = await self._api.get("chat.getPermalink", {"channel": channel, "message_ts": ts})
        return _needed(response, "permalink", "chat.getPermalink")

    async def direct_message(self, user: str, message: Content) -> tuple[str, str]:
        """Send a direct message; return its channel and `ts`."""
        opened = await self._api.post("conversations.open", {"users": user})
        channel = _needed(member(opened, "channel"), "id", "conversations.open")
        return channel, await self.post(channel, message, metadata=None)

    async def respond(self, response_url: str, message: Content, *, replace_original: bool = False) -> None:
        """Answer a click or command privately. Slack's docs: a `response_url` takes five answers within 30 minutes.

        Raises ValueError unless the address is on the API's origin or on `https://hooks.slack.com`.
        """
        if _origin(response_url) not in {_origin(self.client.base_url), ("https", "hooks.slack.com", 443)}:
            raise ValueError("a response_url that is not Slack's")
        kind = {"response_type": "ephemeral", "replace_original": replace_original}
        body = {**kind, **_content(message), **_LITERAL, **_NO_PREVIEWS}
        try:
            async with self._session.post(
                response_url,
                json={name: value for name, value in body.items() if value is not None},
                allow_redirects=False,
            ) as response:
                error = _respond_error(
                    response.status, response.headers, await response.text(errors="replace")
                )
        except (TimeoutError, aiohttp.ClientError):
            raise errors.SlackUncertain("response_url", "no_answer") from None
        if error is not None:
            raise error

    async def open_view(self, trigger_id: str, view: View) -> ViewRef:
        """Open a modal. Slack's docs: a trigger is valid once, and for 3 seconds."""
        return parse_view(await self._api.post("views.open", {"trigger_id": trigger_id, "view": view}))

    async def update_view(self, view_id: str, view: View, *, hash: str | None = None) -> ViewRef:  # noqa: A002 - Slack's name
        """Replace an open modal. With `hash`, raises `ViewGone` if it has changed since that state."""
        arguments = {"view_id": view_id, "view": view, "hash": hash}
        return parse_view(await self._api.post("views.update", arguments))

    async def person(self, user: str) -> PersonFacts:
        """A person's facts. Raises `PersonUnavailable`."""
        return parse_person(await self._api.get("users.info", {"user": user}))

    async def people(self, cursor: str) -> tuple[tuple[ListedPerson, ...], str]:
        """A page of all whom the workspace knows, deactivated people and bots too, and the next page's cursor.

        Both cursors, of the first page and after the last one, are empty. Raises `SlackUnauthorized` without the
        scope `users:read.email`: Slack then leaves the addresses out.
        """
        page = parse_people(await self._api.get("users.list", {"limit": PEOPLE, "cursor": cursor or None}))
        if self.scopes is not None and ADDRESSES not in self.scopes:
            raise errors.SlackUnauthorized("users.list", "missing_scope", f"needed: {ADDRESSES}")
        return page

    async def channel(self, channel: str) -> ChannelFacts:
        """A channel's facts. Raises `ChannelUnavailable`."""
        return parse_channel(await self._api.get("conversations.info", {"channel": channel}))

    async def members(self, channel: str, *, most: int) -> tuple[str, ...] | None:
        """The ids of the users in a channel, bots too; None for more than `most`. Raises `ChannelUnavailable`."""
        found: tuple[str, ...] = ()
        arguments: dict[str, object] = {"channel": channel, "limit": most + 1}
        while len(found) <= most:
            some, cursor = parse_members(await self._api.get("conversations.members", arguments))
            found += some
            if not cursor:
                break
            arguments["cursor"] = cursor
        return found if len(found) <= most else None

    async def user_groups(self) -> tuple[UserGroupFacts, ...]:
        """The workspace's user groups. Raises `SlackUnauthorized` without the scope `usergroups:read`."""
        return parse_user_groups(await self._api.get("usergroups.list", {}))

    async def _history(
        self, channel: str, oldest: str, latest: str | None, thread_ts: str | None
    ) -> AsyncIterator[JsonObject]:
        """Yield the messages of a channel, or of a thread, from `oldest` to `latest`, with their metadata."""
        method = "conversations.history" if thread_ts is None else "conversations.replies"
        arguments: dict[str, object] = {
            "channel": channel,
            "ts": thread_ts,
            "oldest": oldest,
            "latest": latest,
            "limit": PAGE,
            "include_all_metadata": True,
        }
        for _ in range(PAGES):
            response = await self._api.get(method, arguments)
            for message in items(response, "messages"):
                if isinstance(message, dict):
                    yield message
            arguments["cursor"] = text(member(response, "response_metadata"), "next_cursor")
            if not arguments["cursor"]:
                return
        raise errors.TooManyMessages(method, "too_many_messages")


def _content(message: Content) -> dict[str, object]:
    return {"text": message.text, "blocks": list(message.blocks) or None}


def _needed(response: JsonObject, key: str, method: str) -> str:
    value = text(response, key)
    if not value:
        raise errors.SlackUncertain(method, "unreadable_answer")
    return value


def _metadata(metadata: Metadata) -> dict[str, object]:
    return {"event_type": metadata.event_type, "event_payload": dict(metadata.payload)}


def _has_metadata(found: JsonObject, metadata: Metadata) -> bool:
    payload = member(found, "event_payload")
    values = {key: str(value) for key, value in payload.items()}
    return text(found, "event_type") == metadata.event_type and values == {
        key: str(value) for key, value in metadata.payload.items()
    }


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port


def _respond_error(status: int, headers: Mapping[str, str], body: str) -> errors.SlackError | None:
    """Return the error for a response of a `response_url`; None if it took the message."""
    method = "response_url"
    if status == 429:
        return errors.SlackRateLimited(
            method, "ratelimited", errors.retry_after_seconds(headers.get("Retry-After"))
        )
    if status in {404, 410}:
        return errors.ResponseUrlGone(method, f"http_{status}")
    if status >= 500:
        return errors.SlackUncertain(method, f"http_{status}")
    code = _respond_code(body)
    if code in {"used_url", "expired_url"}:
        return errors.ResponseUrlGone(method, code)
    if status >= 300 or code is not None:
        return errors.Rejected(method, code or f"http_{status}")
    return None


def _respond_code(body: str) -> str | None:
    """Return Slack's error code from JSON with `"ok": false`; None for any other body."""
    try:
        response = json.loads(body)
    except ValueError:
        return None
    if not isinstance(response, dict) or response.get("ok", True):
        return None
    return text(response, "error") or "unknown_error"
