"""The App's webhook: checks payloads against GitHub's schemas, signs, sends, logs and redelivers them."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import replace
from typing import cast

import aiohttp
from jsonschema_rs import Draft202012Validator

from integrations.sandbox.github import shapes
from integrations.sandbox.github.deliveries import WebhookDelivery
from integrations.sandbox.github.openapi import DATA, AnswerMismatch
from integrations.sandbox.github.records import (
    GitHubInstallation,
    GitHubRepository,
    GitHubUser,
    JsonObject,
    Organization,
    RepositoryOwner,
)
from integrations.sandbox.github.world import GitHubChange, GitHubWorld
from integrations.sandbox.hosts import real_address

HOOK_ID = 480001
EVENT_PERMISSIONS = {
    "secret_scanning_alert": "secret_scanning_alerts",
    "secret_scanning_alert_location": "secret_scanning_alerts",
    "repository": "metadata",
    "member": "members",
    "membership": "members",
    "organization": "members",
    "team": "members",
}


class Webhooks:
    """Sends the App's deliveries, or collects them if the world's `deliver` is `hold`."""

    def __init__(self, world: GitHubWorld, *, check: bool) -> None:
        self._world = world
        self._check_payloads = check
        self._session: aiohttp.ClientSession | None = None
        self._sending: set[asyncio.Task[int]] = set()

    def emit(
        self,
        event: str,
        action: str,
        content: JsonObject,
        *,
        account: RepositoryOwner,
        repository: GitHubRepository | None = None,
        sender: RepositoryOwner | None = None,
        installation: GitHubInstallation | None = None,
    ) -> None:
        """Send an event to the App if an installation covers it and subscribes to it."""
        alert = content.get("alert")
        self._world.publish(
            GitHubChange(
                f"{event}.{action}",
                self._world.now(),
                (sender or account).login,
                repository.id if repository else None,
                cast("int", alert["number"]) if isinstance(alert, dict) else None,
            )
        )
        if self._world.webhook_url is None and self._world.deliver == "now":
            return
        target = installation or self._subscribed(event, account, repository)
        if target is None:
            return
        payload: JsonObject = {"action": action, **content}
        if installation is None:
            payload.setdefault(
                "installation", {"id": target.id, "node_id": shapes.node_id("Install", target.id)}
            )
            if isinstance(account, Organization):
                payload["organization"] = shapes.simple_organization(self._world, account)
        if repository is not None:
            payload.setdefault("repository", shapes.repository(self._world, repository))
        payload["sender"] = shapes.simple_user(self._world, sender or account)
        self._deliver(event, action, payload, target.id, repository.id if repository else None)

    def send_revoked_authorization(self, user: GitHubUser) -> None:
        """GitHub's docs: every App gets `github_app_authorization`; it names the person and no installation."""
        if self._world.webhook_url is None and self._world.deliver == "now":
            return
        payload: JsonObject = {"action": "revoked", "sender": shapes.simple_user(self._world, user)}
        self._deliver("github_app_authorization", "revoked", payload, None, None)

    def _deliver(
        self,
        event: str,
        action: str,
        payload: JsonObject,
        installation_id: int | None,
        repository_id: int | None,
    ) -> None:
        if self._check_payloads:
            check_payload(event, action, payload)
        delivery = WebhookDelivery(
            self._world.next_id(), str(uuid.uuid4()), event, action, payload, installation_id, repository_id
        )
        if self._world.deliver == "hold":
            self._world.held.append(delivery)
        else:
            self._send_soon(delivery)

    def _subscribed(
        self, event: str, account: RepositoryOwner, repository: GitHubRepository | None
    ) -> GitHubInstallation | None:
        installation = self._world.installation_on(account)
        if installation is None or installation.suspended_at is not None or event not in installation.events:
            return None
        if EVENT_PERMISSIONS[event] not in installation.permissions:
            return None
        covered = repository is None or installation.covers(repository)
        return installation if covered else None

    async def send(self, delivery: WebhookDelivery) -> int:
        """Deliver once and log the attempt; returns the receiver's status, 0 without an answer."""
        assert self._world.webhook_url is not None, "set webhook_url first"
        assert self._session is not None, "start the sandbox first"
        body = self.body(delivery)
        attempt = replace(
            delivery,
            id=self._world.next_id(),
            delivered_at=self._world.now(),
            request_headers=self.headers(delivery, body),
        )
        began = time.perf_counter()
        try:
            address = real_address(self._world.webhook_url, self._world.hosts)
            if address is None:
                raise aiohttp.ClientConnectionError("not on this machine")
            async with self._session.post(
                address,
                data=body,
                headers=attempt.request_headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._world.webhook_timeout),
            ) as response:
                attempt.response_body = await response.text()
                attempt.response_headers = dict(response.headers)
                attempt.status_code = response.status
                attempt.status = (
                    "OK" if 200 <= response.status < 300 else f"Invalid HTTP Response: {response.status}"
                )
        except TimeoutError:
            attempt.status, attempt.status_code = "timed out", 504
        except aiohttp.ClientError:
            # GitHub logs neither 4xx nor 5xx for it, so its filter `status=failure` misses it.
            attempt.status, attempt.status_code = "failed to connect to host", 0
        attempt.duration = round(time.perf_counter() - began, 2)
        self._world.deliveries.append(attempt)
        return attempt.status_code if attempt.status != "timed out" else 0

    def redeliver(self, delivery: WebhookDelivery) -> None:
        """Send a logged delivery again, as another attempt with the same GUID."""
        self._send_soon(replace(delivery, redelivery=True))

    async def settle(self) -> None:
        """Wait until every delivery is answered, including those that follow from others."""
        while self._sending:
            await asyncio.gather(*self._sending)

    def body(self, delivery: WebhookDelivery) -> bytes:
        """The bytes that are sent and signed."""
        return json.dumps(delivery.payload, separators=(",", ":")).encode()

    def headers(self, delivery: WebhookDelivery, body: bytes) -> dict[str, str]:
        """GitHub's headers of a delivery, with both signatures over `body` if the App has a webhook secret."""
        key = self._world.webhook_secret.encode()
        signatures = {
            "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
        }
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/sandbox",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(self._world.app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            **(signatures if key else {}),
        }

    def _send_soon(self, delivery: WebhookDelivery) -> None:
        task = asyncio.get_running_loop().create_task(self.send(delivery))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def open(self) -> None:
        """Prepare to send; needs a running loop."""
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Cancel deliveries in progress."""
        for task in tuple(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


@functools.cache
def _payload_schema(event: str, action: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((DATA / f"webhook.{event}.{action}.schema.json").read_text()))


def check_payload(event: str, action: str, payload: JsonObject) -> None:
    """Raise `AnswerMismatch` unless GitHub's schema allows the payload."""
    for error in _payload_schema(event, action).iter_errors(payload):
        field_path = ".".join(str(part) for part in error.instance_path)
        raise AnswerMismatch(f"webhook {event}.{action}: {field_path or 'payload'} breaks {error.kind.name}")
