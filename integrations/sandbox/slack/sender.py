"""Sends deliveries over the transport in use, HTTP or Socket Mode, and records the results."""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.transport import (
    DeliveryResult,
    HttpTransport,
    Kind,
    SignedRequest,
    SlackDelivery,
    Transport,
)


class Sender:
    """All deliveries to the app go through here; `results` holds the result of each."""

    def __init__(self, http: HttpTransport) -> None:
        self.http = http
        # An app uses HTTP or Socket Mode, never both.
        self.transport: Transport = http
        self.results: list[DeliveryResult] = []

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> DeliveryResult:
        """Deliver a payload and record the result."""
        result = await self.transport.send(SlackDelivery(kind, payload, retry))
        self.results.append(result)
        return result

    async def post(self, request: SignedRequest) -> DeliveryResult:
        """Send a finished request over HTTP and record the result."""
        result = await self.http.post(request, {})
        self.results.append(result)
        return result
