"""What Slack tells the app by itself: events; and raw requests, for tests of the app's front door."""

import secrets
from collections.abc import Mapping

from integrations.sandbox.slack import payloads
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import JSON_TYPE
from integrations.sandbox.slack.gestures import ImpossibleGesture
from integrations.sandbox.slack.methods_views import view_json
from integrations.sandbox.slack.transport import DeliveryResult, HttpTransport, SignedRequest
from integrations.sandbox.slack.view_gestures import ViewGestures


class Events(ViewGestures):
    """Events API deliveries, repeats, and requests that Slack would never send."""

    http: HttpTransport

    async def event(
        self, event: Json, *, event_id: str | None = None, retry: tuple[int, str] | None = None
    ) -> DeliveryResult:
        """Deliver an inner event. `retry`: number (1 to 3) and reason of a repeat, such as `http_timeout`."""
        full = {"event_ts": self.world.workspace.next_ts(), **event}
        payload = payloads.event_callback(self.world, full, event_id or self.world.workspace.new_id("Ev"))
        return await self.send("events_api", payload, retry)

    async def verify_url(self) -> DeliveryResult:
        """What Slack sends when the request URL is entered; the answer must hold its `challenge`."""
        if self.transport is not self.http:
            raise ImpossibleGesture("With Socket Mode on there is no request URL to enter")
        challenge = secrets.token_urlsafe(24)
        payload = {
            "token": payloads.VERIFICATION_TOKEN,
            "challenge": challenge,
            "type": "url_verification",
        }
        return await self.send("events_api", payload)

    async def open_home(self, user: str) -> DeliveryResult:
        """A person opens the app's Home tab."""
        self.somebody(user, force=False)
        event: Json = {"type": "app_home_opened", "user": user, "tab": "home"}
        event["channel"] = self.world.workspace.dm(user).id
        view = self.world.modals.home(user)
        if view is not None:
            event["view"] = view_json(self.world, view)
        return await self.event(event)

    async def share_channel(self, channel: str, with_team: str) -> DeliveryResult:
        """The channel becomes shared with another organization, and the app is told."""
        workspace = self.world.workspace
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
        """Post any bytes. `timestamp` and `signature` replace the right ones; "" leaves the header out."""
        request = self.http.request(
            body, content_type=content_type, timestamp=timestamp, signed=signature, headers=headers
        )
        return await self._post(request)

    async def resend(
        self, request: SignedRequest, headers: Mapping[str, str] | None = None
    ) -> DeliveryResult:
        """Send an earlier request once more, byte for byte, with more headers where given."""
        again = SignedRequest(request.url, {**request.headers, **(headers or {})}, request.body)
        return await self._post(again)

    async def _post(self, request: SignedRequest) -> DeliveryResult:
        result = await self.http.post(request, {})
        self.deliveries.append(result)
        return result
