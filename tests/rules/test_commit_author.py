"""Whose name a card shows for a commit, and which commit GitHub is asked about."""

from dataclasses import replace

import pytest

from bot.rules.commit_author import author_from_facts, lacks_author, leaking_commit, shown_author
from integrations.github.accounts import GitHubAccount
from integrations.github.commit_facts import CommitFacts
from storage.records import Account, CommitAuthor, GitHubId, SecretLocation
from tests.storage.examples import plain_alert

SHA, OTHER = "a" * 40, "b" * 40
DANA = Account(GitHubId(5), "dana-kim")
MALLORY = Account(GitHubId(6), "mallory")
COMMIT = SecretLocation("commit", "a.env", 1, SHA)


@pytest.mark.parametrize(
    ("author", "committer", "verified", "proved"),
    [
        (DANA, DANA, True, True),
        (DANA, Account(DANA.id, "renamed"), True, True),
        (DANA, DANA, False, False),
        (DANA, MALLORY, True, False),
        (DANA, None, True, False),
        (None, DANA, True, False),
        (None, None, True, False),
    ],
)
def test_an_author_is_proved_by_a_verified_signature_of_one_account(
    author: Account | None, committer: Account | None, verified: bool, proved: bool
) -> None:
    assert CommitAuthor(SHA, author, committer, verified).is_proved is proved


@pytest.mark.parametrize(
    ("place", "sha"),
    [
        (COMMIT, SHA),
        (replace(COMMIT, kind="wiki_commit"), None),
        (replace(COMMIT, kind="issue_body"), None),
        (replace(COMMIT, commit_sha=None), None),
        (replace(COMMIT, commit_sha="../../orgs/octo"), None),
        (None, None),
    ],
)
def test_only_a_commit_of_the_repository_has_an_author(place: SecretLocation | None, sha: str | None) -> None:
    alert = replace(plain_alert(), place=place)
    assert leaking_commit(place) == sha
    assert lacks_author(alert) is (sha is not None)


@pytest.mark.parametrize(
    ("author", "lacks", "shows"),
    [
        (None, True, False),
        (CommitAuthor(OTHER, DANA), True, False),
        (CommitAuthor(SHA), False, False),
        (CommitAuthor(SHA, DANA), False, True),
    ],
)
def test_a_commit_is_asked_about_once(author: CommitAuthor | None, lacks: bool, shows: bool) -> None:
    alert = replace(plain_alert(), place=COMMIT, commit_author=author)
    assert lacks_author(alert) is lacks
    assert (shown_author(alert) is not None) is shows


def test_an_answer_is_stored_as_accounts_alone() -> None:
    facts = CommitFacts(OTHER, GitHubAccount(5, "dana-kim"), None, verified=True)
    assert author_from_facts(SHA, facts) == CommitAuthor(SHA, DANA, None, True)
