"""`POST /slack/events`: verifies Slack's signature, decodes the body and hands it to the Bolt app."""

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bot.context import Context
from bot.inbound.post_requests import BodyRefused, RefusedRequests, read_body
from bot.inbound.signing_secrets import SigningSecrets
from bot.inbound.slack_app import SlackApp
from integrations.slack.payloads import BadPayload, decode_body
from integrations.slack.signature import fingerprint, verify

log = structlog.get_logger(__name__)
LARGEST = 1_048_576
"""Bytes of a request; Slack's own are far smaller."""
REFUSED = {
    "no_secret": "SLACK_SIGNING_SECRET is not set.",
    "too_large": "The request is larger than Slack sends.",
    "too_slow": "The request took too long to arrive.",
    "broken_body": "The body is not packed as its header Content-Encoding says.",
    "bad_signature": (
        "The signature is missing or wrong, or its time is more than five minutes off; SLACK_SIGNING_SECRET must be "
        "the Signing Secret of the Slack app's page Basic Information, and this machine's clock must be right."
    ),
}
"""What is logged about a refused request, by outcome."""


class SlackRequests:
    """Slack's requests over HTTP."""

    def __init__(self, context: Context, slack_app: SlackApp, secrets: SigningSecrets | None) -> None:
        self._context = context
        self._slack_app = slack_app
        self._secrets = secrets
        self._refused = RefusedRequests("/slack/events", context.clock)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer 401 unless Slack signed it within five minutes, 400 for a wrong shape, else what Bolt answers."""
        if self._secrets is None:
            return self._answer(503, "no_secret")
        try:
            body = await read_body(request, self._context.clock, largest=LARGEST)
        except BodyRefused as refused:
            return self._answer(refused.status, refused.outcome)
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        now = self._context.clock.now()
        setting = self._secrets.matching(lambda secret: verify(secret, body, timestamp, signature, now))
        if setting is None:
            return self._answer(401, "bad_signature")
        try:
            payload = decode_body(body, request.headers.get("Content-Type", ""))
        except BadPayload as error:
            log.info("bad_payload", reason=str(error))
            return self._answer(400, "bad_payload")
        response = await self._slack_app.dispatch(payload, fingerprint(body, timestamp, signature))
        self._context.metrics.slack_requests.labels(f"http_{response.status}").inc()
        await self._secrets.note_use(setting)
        return await to_aiohttp_response(response)

    def _answer(self, status: int, outcome: str) -> web.Response:
        self._context.metrics.slack_requests.labels(outcome).inc()
        if outcome in REFUSED:
            self._refused.note(status, outcome, REFUSED[outcome])
        return web.Response(status=status)
