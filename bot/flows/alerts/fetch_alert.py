"""Reads an alert from GitHub, with one call where the repository was read a short time ago."""

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from integrations.github.errors import Forbidden, InstallationGone, NotFound
from integrations.github.facts import AlertFacts, RepositoryFacts
from storage.records import AlertNumber, Repository

REPOSITORY_LASTS = 300.0
"""Seconds for which a repository is not read again, unless a delivery or the alert shows that it has changed."""


async def fetch_alert(
    context: Context, repository: Repository, number: AlertNumber, *, delivered: RepositoryFacts | None = None
) -> tuple[Repository, AlertFacts | None]:
    """The repository and the alert as GitHub shows them now; no facts where it does not show the alert (yet).

    `delivered` are the repository's facts in a delivery. Where they differ from the stored ones, the repository is
    read too. Raises GitHubError where GitHub can't be asked.
    """
    if repository_access.was_read_within(context, repository, REPOSITORY_LASTS) and not differs(
        repository, delivered
    ):
        facts = await _by_stored_name(context, repository, number)
        if facts is not None:
            return repository, facts
    try:
        repository, access = await repository_access.reach(context, repository)
        return repository, await access.alert_with_location(repository.full_name, number)
    except (NotFound, Refused):
        return repository, None


async def _by_stored_name(context: Context, repository: Repository, number: AlertNumber) -> AlertFacts | None:
    """The alert, read by the repository's stored name; None where that name may lead elsewhere now.

    The name needs no check first: the token is minted for the repository's id. So GitHub shows it no alert of another
    repository, not even of one that a stranger has registered under the name. If the repository was renamed, GitHub
    redirects the old name to it, and the answer has the new address.
    """
    if repository.installation_id is None:
        return None
    access = context.github.of(repository.installation_id).only(repository.id)
    try:
        facts = await access.alert_with_location(repository.full_name, number)
    except (Forbidden, InstallationGone, NotFound):
        return None
    return facts if facts.html_url.lower().startswith(f"{repository.html_url}/".lower()) else None


def differs(repository: Repository, delivered: RepositoryFacts | None) -> bool:
    """Whether a delivery, which may be old, names a fact of the repository that is not stored."""
    if delivered is None:
        return False
    visible = delivered.visibility in ("unknown", repository.visibility)
    delegated = delivered.delegated_dismissal in (None, repository.delegated_dismissal)
    return delivered.full_name != repository.full_name or not visible or not delegated
