"""Asks GitHub who made the commit that a secret was found in, where the installation allows that.

The permission is optional, and what a commit claims is only shown: it gives nobody a right, a mention or a message.
"""

from dataclasses import dataclass, replace

import structlog

from bot.context import Context
from bot.rules.alert_merge import location_from_facts
from bot.rules.commit_author import author_from_facts, lacks_author, leaking_commit
from bot.rules.masking import mask
from integrations.github.errors import Forbidden, GitHubError, InstallationGone, Invalid, NotFound
from integrations.github.facts import AlertFacts
from integrations.slack.errors import SlackError
from storage import alerts, identities
from storage.records import (
    Alert,
    AlertKey,
    AlertNumber,
    CommitAuthor,
    InstallationId,
    Repository,
    SlackTeamId,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommitAnswer:
    """What was learnt about an alert's commit."""

    author: CommitAuthor | None = None
    is_late: bool = False
    """GitHub could not be asked now, so it is asked again later."""

    def apply_to(self, alert: Alert) -> Alert:
        """The alert with the author, if that is the author of its location's commit."""
        if self.author is None or self.author.sha != leaking_commit(alert.place):
            return alert
        return replace(alert, commit_author=self.author)


NOT_ASKED = CommitAnswer()


async def may_read_commits(context: Context, installation_id: InstallationId) -> bool:
    """Whether an installation lets Stanch read who made a commit. Raises GitHubError where GitHub can't be asked."""
    try:
        return await context.github.of(installation_id).may_read_contents()
    except (Forbidden, InstallationGone, NotFound):
        return False


async def fetch_author(context: Context, repository: Repository, facts: AlertFacts | None) -> CommitAnswer:
    """Who made the commit of an alert's first location; nothing where that is known, or may not be read.

    Where GitHub refuses to show the commit, or does not know it, the author has no account: it is asked once.
    """
    place = location_from_facts(facts.first_location) if facts and facts.first_location else None
    sha = leaking_commit(place)
    if facts is None or sha is None or repository.installation_id is None:
        return NOT_ASKED
    key = AlertKey(repository.id, AlertNumber(facts.number))
    try:
        if not await may_read_commits(context, repository.installation_id):
            return NOT_ASKED
        async with context.db.read() as tx:
            known = await alerts.load(tx, key)
        if known is not None and not lacks_author(replace(known, place=place)):
            return NOT_ASKED
        commit = await context.github.of(repository.installation_id).commit(
            repository.id, repository.full_name, sha
        )
    except (Forbidden, Invalid, NotFound) as error:
        log.info("commit_not_shown", alert=str(key), reason=str(error))
        return CommitAnswer(CommitAuthor(sha))
    except InstallationGone:
        return NOT_ASKED
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, alert=key.number, reason=str(error))
        return CommitAnswer(is_late=True)
    author = author_from_facts(sha, commit)
    await _save_name(context, author)
    return CommitAnswer(author)


async def _save_name(context: Context, author: CommitAuthor) -> None:
    """Save the Slack name of the account that made the commit, if that is proved and it is linked."""
    workspace = context.platforms.workspace
    if workspace is None or author.account is None or not author.is_proved:
        return
    team = SlackTeamId(workspace.team_id)
    async with context.db.read() as tx:
        identity = await identities.of_github(tx, team, author.account.id)
    if identity is None:
        return
    try:
        person = await context.platforms.person(identity.slack_user)
    except SlackError as error:
        # Without the name, the card shows the login alone.
        log.info("name_not_asked", reason=str(error))
        return
    name = mask(person.name)
    if name != identity.slack_name:
        async with context.db.begin() as tx:
            await identities.save_name(tx, team, identity.slack_user, name)
