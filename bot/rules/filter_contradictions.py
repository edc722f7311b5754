"""Finds terms of a filter that no alert can match together."""

from collections.abc import Iterator

from storage.filter import Filter, Qualifier, Term, seconds

COMPLETE_VALUES = {Qualifier.BYPASSED: {"true", "false"}, Qualifier.IS: {"open", "closed"}}
"""Filter words for which these are all the values there are."""


def find_contradiction(alert_filter: Filter) -> tuple[Term, ...]:
    """Two terms that exclude each other, or one that excludes every alert; empty if some alert may match."""
    return next(_found(alert_filter.terms), ())


def _found(terms: tuple[Term, ...]) -> Iterator[tuple[Term, ...]]:
    for term in terms:
        if term.negated and COMPLETE_VALUES.get(term.qualifier, {""}) <= set(term.values):
            yield (term,)
        for other in terms:
            if not term.negated and _exclude(term, other):
                yield (term, other)


def _exclude(term: Term, other: Term) -> bool:
    """Whether no alert can match both `term` and `other`."""
    if term.qualifier is other.qualifier and other.negated:
        if term.qualifier is Qualifier.OLDER:
            return seconds(term.values[0]) >= seconds(other.values[0])
        if term.qualifier is Qualifier.TEXT:
            # A text that contains a word contains each part of the word.
            return other.values[0] in term.values[0]
        return set(term.values) <= set(other.values)
    if term.qualifier is Qualifier.REPO and other.qualifier is Qualifier.ORG:
        owners = {value.partition("/")[0] for value in term.values}
        return owners <= set(other.values) if other.negated else not owners & set(other.values)
    if other.negated:
        return False
    if term.qualifier is Qualifier.IS and other.qualifier is Qualifier.IS:
        return (term.values, other.values) == (("open",), ("closed",))
    is_open = other.qualifier is Qualifier.IS and other.values == ("open",)
    return term.qualifier is Qualifier.RESOLUTION and is_open
