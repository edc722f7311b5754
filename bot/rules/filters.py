"""The filter language of subscriptions: which alerts a channel wants."""

from dataclasses import dataclass

from storage.records import Repository

WORDS = ("repo", "org")


class BadFilter(ValueError):
    """A filter that can't be understood; the text tells which part and what to write instead."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Repositories and organizations by name, in lower case; nothing named means every alert."""

    repo: frozenset[str] = frozenset()
    org: frozenset[str] = frozenset()

    def __str__(self) -> str:
        terms = [f"{word}:{','.join(sorted(values))}" for word in WORDS if (values := getattr(self, word))]
        return " ".join(terms)


def parse_filter(text: str) -> Filter:
    """Read `repo:octo/payments,octo/web org:octo`; raises BadFilter."""
    found: dict[str, set[str]] = {word: set() for word in WORDS}
    for term in text.split():
        word, colon, rest = term.partition(":")
        word = word.lower()
        if not colon or word not in WORDS:
            raise BadFilter(f"`{term[:40]}` is not a filter; write repo:OWNER/NAME or org:NAME.")
        values = {value.lower() for value in rest.split(",") if value}
        if not values:
            raise BadFilter(
                f"`{word}:` names nothing; write {'repo:OWNER/NAME' if word == 'repo' else 'org:NAME'}."
            )
        if word == "repo" and not all(
            value.count("/") == 1 and not value.startswith("/") for value in values
        ):
            raise BadFilter(f"`{term[:40]}` is not a repository; write repo:OWNER/NAME.")
        found[word] |= values
    return Filter(repo=frozenset(found["repo"]), org=frozenset(found["org"]))


def matches(wanted: Filter, repository: Repository) -> bool:
    """Whether an alert of this repository is wanted: every word holds, by any of its values."""
    in_repo = not wanted.repo or repository.full_name.lower() in wanted.repo
    in_org = not wanted.org or repository.owner.login.lower() in wanted.org
    return in_repo and in_org
