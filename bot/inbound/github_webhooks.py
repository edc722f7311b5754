"""`POST /github/webhooks`: verifies a delivery, stores it without secrets together with its job, answers 202."""

import asyncio
import hashlib

import structlog
from aiohttp import web

from bot.context import Context
from bot.inbound.delivery_rates import DeliveryRates
from bot.inbound.post_requests import BodyRefused, RefusedRequests, read_body
from bot.inbound.signing_secrets import SigningSecrets
from bot.job_kinds import HandleDelivery
from bot.job_rows import new_job
from bot.rules.masking import mask
from bot.rules.urgency import URGENT, delivered_urgency
from integrations.github.errors import BadDelivery
from integrations.github.webhook_body import condense, decode_body
from integrations.github.webhook_events import AlertEvent, Ignored, LocationEvent, Parsed, parse_event
from integrations.github.webhook_signature import verify_signature
from storage.db import StorageUnavailable
from storage.records import TRACE, AlertKey, AlertNumber, Delivery, NewJob, RepositoryId

log = structlog.get_logger(__name__)
LARGEST = 26_214_400
"""Bytes; GitHub's docs: payloads are capped at 25 MB."""
AT_ONCE = 4
"""Bodies parsed in one pass of the event loop: jobs and clicks must not wait for all that came in at once."""
LONGEST_WORD = 100
"""Characters of a delivery id or an action that are stored; a longer event name is refused."""
BODY_REFUSED = {
    "too_large": "The delivery is larger than GitHub sends.",
    "too_slow": "The delivery took too long to arrive.",
    "broken_body": "The body is not packed as its header Content-Encoding says.",
}
BAD_SIGNATURE = (
    "The signature is missing or wrong; GITHUB_WEBHOOK_SECRET and the App's webhook secret must be the same."
)


class GitHubWebhooks:
    """GitHub's deliveries."""

    def __init__(self, context: Context, secrets: SigningSecrets | None) -> None:
        self._context = context
        self._secrets = secrets
        self._refused = RefusedRequests("/github/webhooks", context.clock)
        self._rates = DeliveryRates(context.clock)
        self._parsing = asyncio.Semaphore(AT_ONCE)

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 202 once the delivery is stored, also for one that was stored before."""
        if self._secrets is None:
            return self._answer(503, "no_secret", "GITHUB_WEBHOOK_SECRET is not set; alerts come by sync.")
        try:
            body = await read_body(request, self._context.clock, largest=LARGEST)
        except BodyRefused as refused:
            return self._answer(refused.status, refused.outcome, BODY_REFUSED[refused.outcome])
        signature = request.headers.get("X-Hub-Signature-256")
        setting = self._secrets.matching(lambda secret: verify_signature(secret, body, signature))
        if setting is None:
            return self._answer(401, "bad_signature", BAD_SIGNATURE)
        event = request.headers.get("X-GitHub-Event", "")
        if not event or len(event) > LONGEST_WORD:
            return self._answer(400, "bad_delivery", "The header X-GitHub-Event is missing.")
        try:
            async with self._parsing:
                payload = decode_body(body, request.headers.get("Content-Type", ""))
                parsed = parse_event(event, payload)
                stored = condense(payload, mask)
                await self._context.clock.sleep(0)
        except BadDelivery as error:
            return self._answer(400, "bad_delivery", f"This is not a delivery of GitHub: {error}.")
        action = payload.get("action")
        delivery = Delivery(
            # GitHub redelivers with the same id. Without an id, the body's hash tells a repetition.
            guid=request.headers.get("X-GitHub-Delivery", "")[:LONGEST_WORD]
            or hashlib.sha256(body).hexdigest(),
            event=event,
            action=action[:LONGEST_WORD] if isinstance(action, str) else None,
            body=stored,
            received_at=self._context.clock.now(),
            outcome=parsed.reason if isinstance(parsed, Ignored) else None,
        )
        TRACE.set(delivery.guid)
        try:
            new = await self._context.batch_writer.accept_delivery(delivery, self._job(parsed, delivery.guid))
        except StorageUnavailable as error:
            log.error("delivery_not_stored", guid=delivery.guid, reason=str(error))
            return self._answer(503, "not_stored", "The delivery could not be stored; deliver it again.")
        await self._secrets.note_use(setting)
        return self._answer(202, "accepted" if new else "repeated", "Stored.")

    def _job(self, parsed: Parsed, guid: str) -> NewJob | None:
        """The job that handles the delivery; None for an event that we don't use."""
        if isinstance(parsed, Ignored):
            return None
        if not isinstance(parsed, AlertEvent | LocationEvent):
            return new_job(HandleDelivery(guid))
        repository = RepositoryId(parsed.repository.id)
        in_flood = self._rates.note(repository)
        alert = AlertKey(repository, AlertNumber(parsed.alert.number))
        return new_job(HandleDelivery(guid, alert), urgent=_is_urgent(parsed), in_flood=in_flood)

    def _answer(self, status: int, outcome: str, text: str) -> web.Response:
        self._context.metrics.deliveries.labels(outcome).inc()
        if status >= 400 and outcome != "not_stored":
            self._refused.note(status, outcome, text)
        return web.Response(status=status, text=text)


def _is_urgent(parsed: Parsed) -> bool:
    """Whether it says that an open alert is critical or high: then it comes before all other deliveries."""
    if not isinstance(parsed, AlertEvent) or parsed.alert.state != "open":
        return False
    return delivered_urgency(parsed.alert, parsed.repository) in URGENT
