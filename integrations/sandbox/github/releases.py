"""What a release of GitHub Enterprise Server has: its endpoints, what they take, and the fields of its alerts."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from integrations.sandbox.github.openapi import DATA, Operation

PATCH_ALERT = "PATCH /repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}"
LATER_FIELDS = {(3, 20): "assignee", (3, 22): "validity"}
"""Fields that this endpoint takes since a release. GitHub's descriptions of 3.20 and later are not here; for all else
these releases count as 3.19, the newest one that is described."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release, by method and path of each operation."""

    name: str
    operations: Mapping[str, Mapping[str, Collection[str]]]
    later_fields: Collection[str]

    def problems(self, operation: Operation, query: Collection[str], body: object) -> Iterator[str]:
        """What this release does not have of a request, each as a sentence."""
        known = self.operations.get(_key(operation))
        if known is None:
            yield f"{self.name} does not have this endpoint"
            return
        for name in sorted(set(query) - set(known.get("query", ()))):
            yield f"{self.name} does not know the query parameter {name}"
        fields = {*known.get("body", ()), *(self.later_fields if _key(operation) == PATCH_ALERT else ())}
        for name in sorted(set(body if isinstance(body, dict) else ()) - fields):
            yield f"{self.name} does not know the field {name}"

    def shown(self, operation: Operation, answer: object) -> object:
        """The answer without the fields of alerts that this release does not have."""
        fields = self.operations[_key(operation)].get("fields")
        if fields is None:
            return answer
        if isinstance(answer, list):
            return [_only(fields, one) for one in answer]
        return _only(fields, answer)


def release_of(version: str | None) -> Release | None:
    """The release of a version like `3.20.1`; None for github.com."""
    if version is None:
        return None
    major, minor = (int(part) for part in version.split(".")[:2])
    later = [name for since, name in LATER_FIELDS.items() if (major, minor) >= since]
    return Release(f"Enterprise Server {major}.{minor}", _described(), later)


@functools.cache
def _described() -> Mapping[str, Mapping[str, Collection[str]]]:
    described: Mapping[str, Mapping[str, Collection[str]]] = json.loads(
        (DATA / "enterprise-server-3.19.json").read_text(encoding="utf-8")
    )
    return described


def _key(operation: Operation) -> str:
    return f"{operation.method} {operation.template}"


def _only(fields: Collection[str], alert: object) -> object:
    if not isinstance(alert, dict) or "secret_type" not in alert:
        return alert
    return {name: value for name, value in alert.items() if name in fields}
