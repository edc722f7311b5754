"""Which commit of an alert GitHub is asked about, and whose name its card shows."""

import re

from bot.rules.alert_merge import stored_account
from integrations.github.commit_facts import CommitFacts
from storage.records import Alert, CommitAuthor, SecretLocation

_SHA = re.compile(r"[0-9a-f]{7,64}")


def leaking_commit(place: SecretLocation | None) -> str | None:
    """The commit of a location in the repository itself; None for every other kind of location."""
    if place is None or place.kind != "commit" or place.commit_sha is None:
        return None
    return place.commit_sha if _SHA.fullmatch(place.commit_sha) else None


def lacks_author(alert: Alert) -> bool:
    """Whether GitHub has not been asked yet who made the commit of the alert's location."""
    sha = leaking_commit(alert.place)
    return sha is not None and (alert.commit_author is None or alert.commit_author.sha != sha)


def author_from_facts(sha: str, facts: CommitFacts) -> CommitAuthor:
    """The author as it is stored, with the commit that GitHub was asked about."""
    author, committer = stored_account(facts.author), stored_account(facts.committer)
    return CommitAuthor(sha, author, committer, facts.verified)


def shown_author(alert: Alert) -> CommitAuthor | None:
    """The author of the location's commit; None where it is not known or has no account on GitHub."""
    author = alert.commit_author
    if author is None or author.account is None or author.sha != leaking_commit(alert.place):
        return None
    return author
