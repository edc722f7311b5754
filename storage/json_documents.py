"""Nested records as JSON documents, tolerant of fields that a document's version did not know."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from storage.records import Account, GitHubId, Person, Probe, Report, ReportState, SecretLocation, TokenFacts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Document = Mapping[str, Any]
R = TypeVar("R")


def document(record: "DataclassInstance | None") -> dict[str, Any] | None:
    """A record as a document."""
    return None if record is None else asdict(record)


def account(id_: int | None, login: str | None) -> Account | None:
    """An account of two columns."""
    return None if id_ is None or login is None else Account(GitHubId(id_), login)


def person(found: Document | None) -> Person | None:
    """A person of a document."""
    if found is None:
        return None
    return _build(Person, found, github=_account(found.get("github")))


def place(found: Document | None) -> SecretLocation | None:
    """A place of a document."""
    return None if found is None else _build(SecretLocation, found)


def token_facts(found: Document) -> TokenFacts:
    """A token's facts of a document."""
    scopes = tuple(found.get("scopes", ()))
    return _build(TokenFacts, found, owner=_account(found.get("owner")), scopes=scopes)


def probe(found: Document | None) -> Probe | None:
    """A probe of a document."""
    return None if found is None else _build(Probe, found, by=person(found.get("by")))


def report(found: Document | None) -> Report | None:
    """A report of a document."""
    if found is None:
        return None
    return _build(Report, found, state=ReportState(found["state"]), by=person(found["by"]))


def _account(found: Document | None) -> Account | None:
    return None if found is None else _build(Account, found)


def _build(kind: type[R], found: Document, **instead: object) -> R:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # Only records come here.
    return kind(**{name: value for name, value in {**found, **instead}.items() if name in names})
