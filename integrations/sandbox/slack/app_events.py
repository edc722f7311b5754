"""Events API deliveries, URL verification, and raw requests for tests of the app's HTTP endpoint."""

import secrets
from collections.abc import Mapping

from integrations.sandbox.slack import payloads
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import JSON_TYPE
from integrations.sandbox.slack.gestures import ImpossibleGesture, acting_user
from integrations.sandbox.slack.methods_views import view_json
from integrations.sandbox.slack.sender import Sender
from integrations.sandbox.slack.transport import DeliveryResult, SignedRequest
from integrations.sandbox.slack.world import SlackWorld


class AppEvents:
    """What Slack sends to the app without a gesture, and requests that Slack would never send."""

    def __init__(self, world: SlackWorld, sender: Sender) -> None:
        self._world = world
        self._sender = sender

    async def event(
        self, event: Json, *, event_id: str | None = None, retry: tuple[int, str] | None = None
    ) -> DeliveryResult:
        """Deliver an inner event. `retry`: number (1 to 3) and reason, such as `http_timeout`."""
        full = {"event_ts": self._world.workspace.next_ts(), **event}
        payload = payloads.event_callback(self._world, full, event_id or self._world.workspace.new_id("Ev"))
        return await self._sender.send("events_api", payload, retry)

    async def verify_url(self) -> DeliveryResult:
        """Send `url_verification`, as when the request URL is entered; the answer must hold `challenge`."""
        if self._sender.transport is not self._sender.http:
            raise ImpossibleGesture("With Socket Mode on there is no request URL to enter")
        challenge = secrets.token_urlsafe(24)
        payload = {
            "token": payloads.VERIFICATION_TOKEN,
            "challenge": challenge,
            "type": "url_verification",
        }
        return await self._sender.send("events_api", payload)

    async def open_home(self, user: str) -> DeliveryResult:
        """A person opens the app's Home tab."""
        acting_user(self._world, user, force=False)
        event: Json = {"type": "app_home_opened", "user": user, "tab": "home"}
        event["channel"] = self._world.workspace.dm(user).id
        view = self._world.modals.home(user)
        if view is not None:
            event["view"] = view_json(self._world, view)
        return await self.event(event)

    async def share_channel(self, channel: str, with_team: str) -> DeliveryResult:
        """Share the channel with another organization and send the app `channel_shared`."""
        workspace = self._world.workspace
        connected = (*workspace.channels[channel].connected_team_ids, with_team)
        workspace.change_channel(
            channel, is_ext_shared=True, is_pending_ext_shared=False, connected_team_ids=connected
        )
        return await self.event(
            {"type": "channel_shared", "connected_team_id": with_team, "channel": channel}
        )

    async def deliver(
        self,
        body: bytes,
        *,
        content_type: str = JSON_TYPE,
        timestamp: str | None = None,
        signature: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> DeliveryResult:
        """Post any bytes. `timestamp` and `signature` replace the correct ones; "" omits the header."""
        request = self._sender.http.request(
            body, content_type=content_type, timestamp=timestamp, signed=signature, headers=headers
        )
        return await self._sender.post(request)

    async def resend(
        self, request: SignedRequest, headers: Mapping[str, str] | None = None
    ) -> DeliveryResult:
        """Send an earlier request again, byte for byte, with more headers where given."""
        again = SignedRequest(request.url, {**request.headers, **(headers or {})}, request.body)
        return await self._sender.post(again)
