"""Decides what a channel's filter can match, by the repositories and accounts that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from storage.filter import Filter, Qualifier, Term, fold
from storage.records import Installation


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a filter can match."""

    repositories: tuple[str, ...] | None
    """The only repositories that it can match, as `owner/name` in lower case; None if it can match others too."""
    owners: frozenset[str] | None
    """The only accounts that it can match, as logins in lower case; None if it can match others too."""
    without_owners: frozenset[str] = frozenset()


def coverage(alert_filter: Filter) -> Coverage:
    """What the filter can match at most: no term narrows another one here, which asks for more rights."""
    named = _values(alert_filter, Qualifier.REPO)
    excluded = _values(alert_filter, Qualifier.REPO, negated=True) or frozenset()
    return Coverage(
        None if named is None else tuple(sorted(named - excluded)),
        _values(alert_filter, Qualifier.ORG),
        _values(alert_filter, Qualifier.ORG, negated=True) or frozenset(),
    )


def covered_accounts(
    covered: Coverage, installations: Sequence[Installation], pinned: Mapping[str, int]
) -> tuple[Installation, ...]:
    """The installations on the accounts that the filter can match; all of them if it names none of their accounts."""

    def is_named(one: Installation, logins: frozenset[str]) -> bool:
        ids = {login: pinned.get(pin(Qualifier.ORG, login)) for login in logins}
        return any(
            one.account.id == known if known is not None else fold(one.account.login) == login
            for login, known in ids.items()
        )

    found = [
        one
        for one in installations
        if (covered.owners is None or is_named(one, covered.owners))
        and not is_named(one, covered.without_owners)
    ]
    return tuple(found or installations)


def pin(qualifier: Qualifier, value: str) -> str:
    """The key under which a subscription keeps the numeric id of a repository or an account."""
    return f"{qualifier}:{value}"


def pinned_values(alert_filter: Filter) -> set[tuple[Qualifier, str]]:
    """Every repository and account that the filter names, also in negated terms."""
    return {
        (term.qualifier, value)
        for term in alert_filter.terms
        if term.qualifier in (Qualifier.REPO, Qualifier.ORG)
        for value in term.values
    }


def with_current_names(alert_filter: Filter, names: Mapping[str, str]) -> Filter:
    """The filter with the present names of what was renamed; `names` are by the key of `pin`."""
    terms = tuple(
        replace(term, values=tuple(names.get(pin(term.qualifier, value), value) for value in term.values))
        if term.qualifier in (Qualifier.REPO, Qualifier.ORG)
        else term
        for term in alert_filter.terms
    )
    return replace(alert_filter, terms=terms)


def _values(alert_filter: Filter, qualifier: Qualifier, *, negated: bool = False) -> frozenset[str] | None:
    found: list[Term] = [
        term for term in alert_filter.terms if term.qualifier is qualifier and term.negated is negated
    ]
    return frozenset(found[0].values) if found else None
