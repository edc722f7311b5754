"""Nested records as JSON documents; reading tolerates missing and unknown fields of other versions."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from storage.records import Account, GitHubId, Person, Probe, Report, ReportState, SecretLocation, TokenFacts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Document = Mapping[str, Any]
R = TypeVar("R")


def document(record: "DataclassInstance | None") -> dict[str, Any] | None:
    """The document of a record."""
    return None if record is None else asdict(record)


def account(id_: int | None, login: str | None) -> Account | None:
    """The account in two columns."""
    return None if id_ is None or login is None else Account(GitHubId(id_), login)


def person(stored: Document | None) -> Person | None:
    """The person in a document."""
    if stored is None:
        return None
    return _build(Person, stored, github=_account(stored.get("github")))


def location(stored: Document | None) -> SecretLocation | None:
    """The location in a document."""
    return None if stored is None else _build(SecretLocation, stored)


def token_facts(stored: Document) -> TokenFacts:
    """The token's facts in a document."""
    scopes = tuple(stored.get("scopes", ()))
    return _build(TokenFacts, stored, owner=_account(stored.get("owner")), scopes=scopes)


def probe(stored: Document | None) -> Probe | None:
    """The probe in a document."""
    return None if stored is None else _build(Probe, stored, by=person(stored.get("by")))


def report(stored: Document | None) -> Report | None:
    """The report in a document."""
    if stored is None:
        return None
    return _build(Report, stored, state=ReportState(stored["state"]), by=person(stored["by"]))


def _account(stored: Document | None) -> Account | None:
    return None if stored is None else _build(Account, stored)


def _build(kind: type[R], stored: Document, **replaced: object) -> R:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # Callers pass records only.
    return kind(**{name: value for name, value in {**stored, **replaced}.items() if name in names})
