"""One attempt to deliver a webhook, as the App's delivery log keeps it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from integrations.sandbox.github.records import JsonObject

OLD_ALERT_FIELDS = ("number", "secret_type", "resolution", "resolved_by", "resolved_at")
"""The fields of `alert` in recorded deliveries of older servers."""


@dataclass(slots=True, eq=False)
class WebhookDelivery:
    """One attempt to deliver one event; a redelivery is another attempt with the same `guid`."""

    id: int
    guid: str
    event: str
    action: str
    payload: JsonObject = field(repr=False)
    installation_id: int | None
    repository_id: int | None
    redelivery: bool = False
    delivered_at: float = 0.0
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    request_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    response_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    response_body: str = field(default="", repr=False)

    def copy(self, guid: str | None = None) -> WebhookDelivery:
        """A copy to modify; with another `guid` it is another event to the receiver."""
        return replace(self, guid=guid or self.guid, payload=copy.deepcopy(self.payload))

    def sparse(self) -> WebhookDelivery:
        """The same delivery with only those fields of `alert` that older servers send."""
        sparse_copy = self.copy()
        alert = sparse_copy.payload["alert"]
        assert isinstance(alert, dict), "only alert events have an alert"
        sparse_copy.payload["alert"] = {name: alert[name] for name in OLD_ALERT_FIELDS}
        return sparse_copy
