"""GitHub's webhooks: verified, stored without secrets, answered; the work comes after."""

import hashlib

import structlog
from aiohttp import web

from bot.rules.masking import mask
from bot.tools import Tools
from integrations.github.condense import condense
from integrations.github.delivery import decode, scrub, verify_signature
from integrations.github.errors import BadDelivery
from integrations.github.json_values import JsonValue
from integrations.github.webhook import AlertEvent, Ignored, LocationEvent, Parsed, parse
from storage.db import StorageUnavailable
from storage.records import Delivery, NewJob

log = structlog.get_logger(__name__)
LARGEST = 26_214_400
"""Bytes; GitHub's docs: payloads are capped at 25 MB."""
LONGEST_WORD = 100
"""Characters that are kept of an id or an action."""


async def receive(request: web.Request, tools: Tools, secret: str | None) -> web.Response:
    """Answer 202 once the delivery is stored, also for one that was stored before."""
    if secret is None:
        return _answer(tools, 503, "no_secret", "GITHUB_WEBHOOK_SECRET is not set; alerts come by sweep.")
    if (request.content_length or 0) > LARGEST:
        return _answer(tools, 413, "too_large", "The delivery is larger than GitHub sends.")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _answer(tools, 413, "too_large", "The delivery is larger than GitHub sends.")
    if not verify_signature(secret, body, request.headers.get("X-Hub-Signature-256")):
        return _answer(tools, 401, "bad_signature", "The signature is missing or wrong.")
    event = request.headers.get("X-GitHub-Event", "")
    if not event or len(event) > LONGEST_WORD:
        return _answer(tools, 400, "bad_delivery", "The header X-GitHub-Event is missing.")
    try:
        payload = decode(body, request.headers.get("Content-Type", ""))
        said = parse(event, payload)
        stored = _masked(scrub(condense(payload)))
    except BadDelivery as error:
        return _answer(tools, 400, "bad_delivery", f"This is no delivery of GitHub's: {error}.")
    action = payload.get("action")
    delivery = Delivery(
        # A redelivery repeats the id; without one, the body itself tells a repetition.
        guid=request.headers.get("X-GitHub-Delivery", "")[:LONGEST_WORD] or hashlib.sha256(body).hexdigest(),
        event=event,
        action=action[:LONGEST_WORD] if isinstance(action, str) else None,
        body=stored if isinstance(stored, dict) else {},
        received_at=tools.clock.now(),
        outcome=said.reason if isinstance(said, Ignored) else None,
    )
    try:
        new = await tools.inbox.accept_delivery(delivery, _job(said, delivery.guid))
    except StorageUnavailable as error:
        log.error("delivery_not_stored", guid=delivery.guid, reason=str(error))
        return _answer(tools, 503, "not_stored", "The delivery could not be stored; deliver it again.")
    return _answer(tools, 202, "accepted" if new else "repeated", "Stored.")


def _job(said: Parsed, guid: str) -> NewJob | None:
    """The work that follows; deliveries about one alert are worked in their order."""
    if isinstance(said, Ignored):
        return None
    key = None
    if isinstance(said, AlertEvent | LocationEvent):
        key = f"alert:{said.repository.id}/{said.alert.number}"
    return NewJob("delivery", {"guid": guid}, key=key)


def _masked(value: JsonValue) -> JsonValue:
    """The payload with everything blanked that looks like a secret, wherever people may have typed it."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _answer(tools: Tools, status: int, outcome: str, text: str) -> web.Response:
    tools.metrics.deliveries.labels(outcome).inc()
    return web.Response(status=status, text=text)
