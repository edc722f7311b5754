"""Who made a commit, read from GitHub's answer for it. Names and e-mail addresses in the commit are not read."""

from dataclasses import dataclass

from integrations.github.accounts import GitHubAccount, account
from integrations.github.errors import Malformed
from integrations.github.json_fields import flag, json_object, text
from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """A commit's accounts. GitHub finds them by e-mail addresses, which anyone with push can write."""

    sha: str
    author: GitHubAccount | None
    committer: GitHubAccount | None
    verified: bool
    """GitHub calls the signature verified."""


def parse_commit(raw: JsonObject) -> CommitFacts:
    """Read a commit from a REST response. Raises Malformed without its SHA."""
    sha = text(raw.get("sha"))
    if sha is None:
        raise Malformed("the commit has no SHA")
    verification = json_object((json_object(raw.get("commit")) or {}).get("verification")) or {}
    return CommitFacts(
        sha=sha,
        author=account(raw.get("author")),
        committer=account(raw.get("committer")),
        verified=flag(verification.get("verified")) is True,
    )
