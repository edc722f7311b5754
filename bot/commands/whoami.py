"""`/leaks whoami`: which GitHub account somebody is here, how that is known, and what it may do."""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import identify, roles
from bot.requests import CommandRequest
from bot.rules.permissions import Rights
from bot.views.answers import answer
from bot.views.formatting import when
from integrations.github.errors import GitHubError
from integrations.github.facts import is_full_name
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage import repositories
from storage.records import Identity, Repository

PROOFS = {"mapping": "whoever runs Stanch linked it"}
HINT = Mrkdwn("Your roles in a repository: `/leaks whoami OWNER/NAME`")
NO_ALERTS = "Stanch knows no repository of that name, or it is not yours to see."


async def whoami(context: Context, asked: CommandRequest) -> Content:
    """The asker's identity; with `OWNER/REPO`, their roles there as GitHub says just now."""
    identity = await identify.identify(context, asked.user, asked.channel)
    named = asked.text.strip()
    if not named:
        return you_are(identity)
    repository = await _find(context, named, identity)
    try:
        repository, _, _ = await repository_access.reach(context, repository)
        rights = await roles.rights(context, identity.github, repository, None, fresh=True)
    except Refused:
        # Whether it is out of reach or was never there is nothing that this person has a right to know.
        raise Refused("unreachable", NO_ALERTS, _proof(identity)) from None
    except GitHubError as error:
        raise repository_access.github_failure_refusal(error) from error
    if not rights.view and rights.role == "no role":
        raise Refused("no_role", NO_ALERTS, _proof(identity))
    return you_may(identity, repository, rights)


def you_are(identity: Identity) -> Content:
    """Who somebody is, and how that is known."""
    return answer("bust_in_silhouette", f"You are {identity.github.login} here.", _proof(identity), HINT)


def you_may(identity: Identity, repository: Repository, rights: Rights) -> Content:
    """The same, with the role in a repository and what it allows."""
    said = t.lines(_proof(identity), t.fact(repository.full_name, rights.role), _allowed(rights))
    return answer("bust_in_silhouette", f"You are {identity.github.login} here.", said)


async def _find(context: Context, named: str, identity: Identity) -> Repository:
    if not is_full_name(named):
        raise Refused(
            "bad_repository", "That is not a repository.", "Write it as OWNER/NAME: /leaks whoami octo/web"
        )
    async with context.db.read() as tx:
        found = await repositories.load_by_name(tx, named)
    if not found:
        raise Refused("no_role", NO_ALERTS, _proof(identity))
    return found[0]


def _proof(identity: Identity) -> Mrkdwn:
    how = PROOFS.get(identity.proof, identity.proof)
    return t.mrkdwn(
        "GitHub account {} (id {}), since {}: {}.",
        t.code(identity.github.login),
        identity.github.id,
        when(identity.linked_at),
        how,
    )


def _allowed(rights: Rights) -> str:
    if rights.resolve:
        return "You may see, check and report its alerts, and close and reopen them."
    if rights.view:
        return "You may see, check and report its alerts."
    return "You may do nothing with its alerts."


WHOAMI = Subcommand(
    "whoami",
    "whoami [OWNER/NAME]",
    "which GitHub account you are here, and what you may do in a repository",
    whoami,
)
