"""Parses filters of look-ups and subscriptions: the words of GitHub's alert search, and some of our own.

    is:open validity:active,unknown -repo:octo/website assignee:@me older:7d sort:updated-desc deploy.yml

All terms have to match. A term with several values matches if one of them does. `-` in front negates a term. Text
without a colon is searched in the secret type's name, the repository and the path. Values with spaces need quotes.
Two terms with the same word are one term with all their values: `repo:a/b repo:a/c` is `repo:a/b,a/c`. Terms with
`is:`, `older:` and plain text are not joined, so both have to match: `is:open is:publicly-leaked`.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from bot.rules.filter_contradictions import find_contradiction
from bot.rules.masking import mask
from bot.rules.typed_text import QUOTED, normalize_typed
from storage.filter import ME, Filter, Qualifier, Sort, Term, fold, hyphened

MAX_LENGTH = 1_500
"""Characters of a filter. With the position in a list it has to fit into a Slack button's value (2,000)."""
SORT = "sort"
VALUES: Mapping[str, tuple[str, ...]] = {
    Qualifier.IS: ("open", "closed", "publicly-leaked", "multi-repository"),
    Qualifier.VALIDITY: ("active", "inactive", "unknown"),
    Qualifier.RESOLUTION: (
        *("revoked", "false-positive", "used-in-tests", "wont-fix"),
        *("pattern-edited", "pattern-deleted", "hidden-by-config"),
    ),
    Qualifier.BYPASSED: ("true", "false"),
    SORT: tuple(Sort),
}
"""The words with a fixed set of values (GitHub's docs: "Viewing and filtering alerts from secret scanning")."""
WORDS = (*(word for word in Qualifier if word is not Qualifier.TEXT), SORT)
EXAMPLES: Mapping[str, str] = {
    Qualifier.SECRET_TYPE: "secret-type:github_personal_access_token",
    Qualifier.PROVIDER: "provider:github",
    Qualifier.REPO: "repo:OWNER/NAME",
    Qualifier.ORG: "org:NAME",
    Qualifier.ASSIGNEE: "assignee:LOGIN, assignee:@me or assignee:none",
    Qualifier.OLDER: "older:7d, older:12h or older:30m",
}
SYNONYMS: Mapping[str, str] = {
    "state": "is",
    "status": "is",
    "repository": "repo",
    "owner": "org",
    "organization": "org",
    "type": "secret-type",
    "age": "older",
    "order": "sort",
    "reason": "resolution",
    "resolved": "closed",
    "public": "publicly-leaked",
    "works": "active",
    "newest": "created-desc",
    "oldest": "created-asc",
    "updated": "updated-desc",
}
"""Words that people may try and that are spelled unlike the right one."""
SUBSCRIPTION_WORDS = (Qualifier.SECRET_TYPE, Qualifier.BYPASSED, Qualifier.REPO, Qualifier.ORG)
"""Facts that the first webhook of an alert has and that do not change: its channels are chosen once, by these."""

_SPAN = re.compile(r"[0-9]{1,5}[dhm]")
_PIECE = re.compile(rf"{QUOTED}|.", re.DOTALL)


class BadFilter(ValueError):
    """The filter is invalid; `str()` names the part and says what to write instead.

    Filter words and typed text in it are in backticks, so it can be shown in a terminal and in Slack.
    """


def parse_filter(text: str) -> Filter:
    """Parse a filter; raises BadFilter, and nothing else, for an invalid one."""
    text = normalize_typed(text)
    if len(text) > MAX_LENGTH:
        raise _too_long()
    merged: dict[tuple[Qualifier, bool], set[str]] = {}
    alone: set[Term] = set()
    sort = Sort.CREATED_DESC
    for pieces in split_words(text):
        word, values, negated = _read(pieces)
        if word == SORT:
            if negated or len(values) != 1:
                raise BadFilter(f"`sort:` takes one of {listed(VALUES[SORT])}.")
            sort = Sort(values[0])
        elif word in (Qualifier.IS, Qualifier.TEXT, Qualifier.OLDER):
            # One alert can match several such terms, so they stay separate.
            alone.add(Term(Qualifier(word), tuple(sorted(set(values))), negated))
        else:
            merged.setdefault((Qualifier(word), negated), set()).update(values)
    together = {Term(word, tuple(sorted(values)), negated) for (word, negated), values in merged.items()}
    found = Filter(tuple(sorted(alone | together, key=lambda term: term.sort_key)), sort)
    if len(str(found)) > MAX_LENGTH:
        raise _too_long()
    return found


def parse_subscription_filter(text: str) -> Filter:
    """Parse a subscription's filter, which may use `SUBSCRIPTION_WORDS` only; raises BadFilter."""
    alert_filter = parse_filter(text)
    for term in alert_filter.terms:
        if term.qualifier not in SUBSCRIPTION_WORDS:
            part, hint = f"{term.qualifier}:", ""
            if term.qualifier is Qualifier.TEXT:
                part, hint = str(term), " Put a value with spaces in quotes."
            raise BadFilter(
                f"`{quotable(part)}` can't choose a channel's alerts, because it may change while an alert is open; "
                f"use {listed([f'{word}:' for word in SUBSCRIPTION_WORDS])}.{hint}"
            )
    if alert_filter.sort is not Sort.CREATED_DESC:
        raise BadFilter("`sort:` can't choose a channel's alerts; remove it.")
    return refuse_contradiction(alert_filter)


def refuse_contradiction(alert_filter: Filter) -> Filter:
    """Return the filter; raises BadFilter if no alert can match it. Stored filters are not checked."""
    terms = find_contradiction(alert_filter)
    if terms:
        quoted = " and ".join(f"`{quotable(str(term))}`" for term in terms)
        raise BadFilter(f"{quoted}: no alert can match that; remove a part.")
    return alert_filter


def open_by_default(alert_filter: Filter) -> Filter:
    """The filter, with `is:open` added unless it names a state itself."""
    if names_state(alert_filter):
        return alert_filter
    terms = (Term(Qualifier.IS, ("open",)), *alert_filter.terms)
    return replace(alert_filter, terms=tuple(sorted(terms, key=lambda term: term.sort_key)))


def names_state(alert_filter: Filter) -> bool:
    """Whether the filter names a state: `is:open`, `is:closed` or a `resolution:`."""
    states = {"open", "closed"}
    return alert_filter.uses(Qualifier.RESOLUTION) or any(
        term.qualifier is Qualifier.IS and states & set(term.values) for term in alert_filter.terms
    )


def split_words(text: str) -> list[list[str]]:
    """Normalized text as words, each in pieces: characters, and quoted parts as one piece. Raises BadFilter."""
    return _split(_pieces(text), str.isspace)


def _pieces(text: str) -> list[str]:
    """The text as pieces: single characters, and quoted parts as one piece."""
    pieces: list[str] = _PIECE.findall(text)
    if '"' in pieces:
        raise BadFilter('A quote `"` is not closed; close it at the end of the value.')
    return pieces


def _split(pieces: Iterable[str], separates: Callable[[str], bool]) -> list[list[str]]:
    """The pieces between separators, without empty groups."""
    return [list(group) for is_separator, group in groupby(pieces, separates) if not is_separator]


def _read(pieces: list[str]) -> tuple[str, list[str], bool]:
    """A term's word, its values, and whether it is negated."""
    negated = pieces[0] == "-" and len(pieces) > 1
    rest = pieces[1:] if negated else pieces
    colon = rest.index(":") if ":" in rest else -1
    if colon < 0 or any(len(piece) > 1 for piece in rest[:colon]):
        text = fold(_unquoted(rest))
        if not text.strip():
            raise BadFilter("An empty pair of quotes finds nothing; remove it.")
        return Qualifier.TEXT, [text], negated
    word = fold("".join(rest[:colon]))
    if word not in WORDS:
        raise _unknown_word(word, _unquoted(pieces))
    values = map(_unquoted, _split(rest[colon + 1 :], ",".__eq__))
    checked = [_checked(word, value) for value in values if value.strip()]
    if not checked:
        raise BadFilter(f"`{word}:` has no value; write {_example(word)}.")
    return word, checked, negated


def _unquoted(pieces: list[str]) -> str:
    return "".join(re.sub(r"\\(.)", r"\1", piece[1:-1]) if len(piece) > 1 else piece for piece in pieces)


def _checked(word: str, value: str) -> str:
    """The value in its stored form; raises BadFilter if the word can't have it."""
    value = fold(value)
    if word in VALUES:
        value = hyphened(value)
        if value not in VALUES[word]:
            raise _unknown_value(word, value)
        return value
    check = _CHECKS.get(word)
    if check is not None and not check(value):
        raise BadFilter(f"`{quotable(f'{word}:{value}')}` is not a valid value; write {_example(word)}.")
    if word == Qualifier.PROVIDER:
        return hyphened(value)
    return value.removeprefix("@") if word == Qualifier.ASSIGNEE and value != ME else value


def _is_repository(value: str) -> bool:
    owner, slash, name = value.partition("/")
    return bool(owner and slash and name) and "/" not in name


def _is_login(value: str) -> bool:
    return re.fullmatch(r"@?[a-z0-9_-]+(\[bot\])?", value) is not None


_CHECKS: Mapping[str, Callable[[str], object]] = {
    Qualifier.REPO: _is_repository,
    Qualifier.ORG: lambda value: "/" not in value,
    Qualifier.ASSIGNEE: _is_login,
    Qualifier.OLDER: _SPAN.fullmatch,
}


def _unknown_word(word: str, term: str) -> BadFilter:
    near = nearest(word, WORDS)
    meant = f"Did you mean `{near}:`?" if near else f"There are {listed([f'{one}:' for one in WORDS])}."
    as_text = f'To search for the text itself, write `"{quotable(term)}"`.'
    return BadFilter(f"`{quotable(word)}:` is not a filter. {meant} {as_text}")


def _unknown_value(word: str, value: str) -> BadFilter:
    known = VALUES[word]
    near = nearest(value, known)
    meant = f"Did you mean `{word}:{near}`?" if near else f"There are {listed(known)}."
    return BadFilter(f"`{word}:` has no `{quotable(value)}`. {meant}")


def nearest(typed: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    choice = list(known)
    meant = SYNONYMS.get(hyphened(typed))
    if meant in choice:
        return meant
    return next(iter(difflib.get_close_matches(hyphened(typed)[:40], choice, n=1, cutoff=0.5)), None)


def _example(word: str) -> str:
    return EXAMPLES.get(word) or f"{word}:{VALUES[word][0]}"


def listed(values: Iterable[str]) -> str:
    """Values in backticks, separated by commas."""
    return ", ".join(f"`{value}`" for value in values)


def quotable(text: str) -> str:
    """Typed text for a message: masked, cut to 40 characters, without backticks."""
    text = mask(text).replace("`", "'")
    return text if len(text) <= 40 else f"{text[:39]}…"


def _too_long() -> BadFilter:
    return BadFilter(f"The filter is too long; at most {MAX_LENGTH} characters are allowed.")
