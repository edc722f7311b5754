"""The alert of the set-up's test card: no secret, and no repository of anybody."""

from bot.rules.case import Case
from bot.rules.report_eligibility import ServerAbilities
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    GitHubId,
    Repository,
    RepositoryId,
    SecretLocation,
    UnixTime,
)

EXAMPLE = AlertKey(RepositoryId(0), AlertNumber(1))
"""No repository of GitHub's has this id, so a click on the card's controls finds no alert."""
TOKEN = "github_personal_access_token"  # noqa: S105 - A kind of secret, and none.


def example_case(now: UnixTime, github_url: str) -> Case:
    """An open alert about an access token, a minute old. Its links lead to GitHub's first page."""
    alert = Alert(
        key=EXAMPLE,
        html_url=github_url,
        secret_type=TOKEN,
        secret_type_name="GitHub Personal Access Token",  # noqa: S106 - A kind of secret, and none.
        provider="GitHub",
        created_at=now - 60,
        updated_at=now - 60,
        first_seen_at=now - 60,
        place=SecretLocation("commit", "config/deploy.env", 3, "0" * 40, github_url),
        detailed=True,
    )
    repository = Repository(
        id=EXAMPLE.repository_id,
        full_name="example/test-card",
        owner=Account(GitHubId(0), "example"),
        owner_type="Organization",
        visibility="private",
        html_url=github_url,
        installation_id=None,
    )
    return Case(
        alert=alert, repository=repository, now=now, server=ServerAbilities(revokes=True, assigns=True)
    )
