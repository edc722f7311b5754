"""Merges GitHub's facts into a stored alert: newer facts replace older ones, whatever order they arrive in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import unquote

from bot.rules.masking import looks_like_secret, mask
from integrations.github.accounts import GitHubAccount
from integrations.github.facts import AlertFacts, LocationFacts
from integrations.github.json_fields import timestamp
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    AlertState,
    GitHubId,
    Report,
    ReportState,
    RepositoryId,
    SecretLocation,
    UnixTime,
)

Value = TypeVar("Value")
LONGEST_ID = 18
"""Digits of an account's id that both databases can store."""


def merge_facts(
    known: Alert | None, facts: AlertFacts, repository_id: RepositoryId, now: UnixTime, *, fetched: bool
) -> Alert:
    """The stored alert after GitHub's `facts`; `known` is the alert before, None for a new one.

    `fetched`: the facts are an API answer, which has every detail; a webhook has only some. Fields that the facts
    lack stay as they are. Facts that are older than the alert only fill empty fields.
    """
    if known is None:
        known = _first_sight(facts, repository_id, now)
    elif facts.updated_at is not None and facts.updated_at < known.updated_at:
        return _with_details(known, facts, newer=False, fetched=fetched)
    state = AlertState(facts.state) if facts.state in set(AlertState) else known.state
    resolved = state is AlertState.RESOLVED
    validity = facts.validity if facts.validity is not None else known.validity
    changed = validity != known.validity
    merged = replace(
        known,
        html_url=facts.html_url or known.html_url,
        secret_type=mask(facts.secret_type or known.secret_type),
        secret_type_name=mask(facts.secret_type_name or known.secret_type_name),
        provider=_masked(facts.provider) or known.provider,
        updated_at=facts.updated_at if facts.updated_at is not None else known.updated_at,
        state=state,
        resolution=(facts.resolution or known.resolution) if resolved else None,
        resolution_comment=_masked(facts.resolution_comment),
        resolved_by=(stored_account(facts.resolved_by) or known.resolved_by) if resolved else None,
        resolved_at=(facts.resolved_at or known.resolved_at) if resolved else None,
        validity=validity,
        validity_written=known.validity_written and not changed,
        acted_by=known.acted_by if state is known.state else None,
        report=confirm_report(known.report) if changed and validity == "inactive" else known.report,
        probe=replace(known.probe, superseded=True) if known.probe and changed else known.probe,
        publicly_leaked=_new_or_known(facts.publicly_leaked, known.publicly_leaked),
        multi_repo=_new_or_known(facts.multi_repo, known.multi_repo),
        bypassed=_new_or_known(facts.bypassed, known.bypassed),
        assigned_to=stored_account(facts.assigned_to) if facts.has_assigned_to else known.assigned_to,
    )
    return _with_details(merged, facts, newer=True, fetched=fetched)


def location_from_facts(facts: LocationFacts) -> SecretLocation:
    """The location as it is stored, with secrets in its path masked.

    The page's URL contains the path. If the path holds a secret, the URL is dropped and the commit is linked.
    """
    path, url = _masked(facts.path), facts.html_url
    holds_secret = path != facts.path or (url is not None and looks_like_secret(unquote(url)))
    return SecretLocation(facts.kind, path, facts.line, facts.commit_sha, None if holds_secret else url)


def is_known_location(alert: Alert, facts: LocationFacts) -> bool:
    """Whether it is the location that the alert names."""
    place = location_from_facts(facts)
    return alert.place is not None and replace(alert.place, url=None) == replace(place, url=None)


def _first_sight(facts: AlertFacts, repository_id: RepositoryId, now: UnixTime) -> Alert:
    created = facts.created_at or now
    return Alert(
        key=AlertKey(repository_id, AlertNumber(facts.number)),
        html_url=facts.html_url or "",
        secret_type=mask(facts.secret_type or "unknown"),
        secret_type_name=mask(facts.secret_type_name or facts.secret_type or "Secret"),
        created_at=created,
        # Not our own time: after a payload without times, GitHub's next one has to count as newer.
        updated_at=facts.updated_at or facts.created_at or 0.0,
        first_seen_at=now,
    )


def _with_details(known: Alert, facts: AlertFacts, *, newer: bool, fetched: bool) -> Alert:
    """Add the details that seldom change. With `newer` they replace the known ones, else they fill empty fields."""
    token = known.token
    if facts.metadata:
        token = replace(
            token,
            owner=token.owner or _owner(facts.metadata),
            owner_name=token.owner_name or _masked(facts.metadata.get("owner-name")),
            expires_at=token.expires_at or timestamp(facts.metadata.get("secret-expiration-date")),
        )

    def prefer_newer(new: Value | None, old: Value | None) -> Value | None:
        return (new or old) if newer else (old or new)

    # Before the details were fetched, these two hold defaults, so older facts may replace them.
    flags = newer or not known.detailed
    first = location_from_facts(facts.first_location) if facts.first_location else None
    return replace(
        known,
        created_at=facts.created_at or known.created_at,
        category=facts.category or known.category,
        bypassed_by=prefer_newer(facts.bypassed_by.login if facts.bypassed_by else None, known.bypassed_by),
        bypassed_at=prefer_newer(facts.bypassed_at, known.bypassed_at),
        bypass_comment=prefer_newer(_masked(facts.bypass_comment), known.bypass_comment),
        base64_encoded=_new_or_known(facts.base64_encoded if flags else None, known.base64_encoded),
        place=prefer_newer(first, known.place),
        has_more_places=_new_or_known(facts.has_more_locations if flags else None, known.has_more_places),
        token=token,
        detailed=known.detailed or fetched,
    )


def confirm_report(report: Report | None) -> Report | None:
    """The report after its secret was found inactive: confirmed if it was sent and not yet confirmed."""
    if report is None or report.state not in (ReportState.REPORTED, ReportState.STILL_ACTIVE):
        return report
    return replace(report, state=ReportState.CONFIRMED, next_look_at=None)


def _owner(metadata: Mapping[str, str]) -> Account | None:
    login, number = _masked(metadata.get("owner-name")), metadata.get("owner-id", "")
    usable = number.isascii() and number.isdigit() and len(number) <= LONGEST_ID
    return Account(GitHubId(int(number)), login) if login and usable else None


def stored_account(account: GitHubAccount | None) -> Account | None:
    """GitHub's account as it is stored."""
    return Account(GitHubId(account.id), account.login) if account else None


def _masked(text: str | None) -> str | None:
    return mask(text) if text else None


def _new_or_known(new: bool | None, old: bool) -> bool:
    return old if new is None else new
