"""`/leaks whoami`: shows the person's GitHub account, how it was linked, and its role in a repository."""

from bot.commands.command import Subcommand
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import identify, roles
from bot.requests import CommandRequest
from bot.rules.permissions import Rights
from bot.views.answers import answer
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


async def whoami(context: Context, request: CommandRequest) -> Content:
    """The person's identity; with `OWNER/NAME` also their role there, asked from GitHub now."""
    identity = await identify.identify(context, request.user, request.channel)
    named = request.text.strip()
    if not named:
        return identity_answer(identity)
    repository = await _find(context, named, identity)
    try:
        repository, _ = await repository_access.reach(context, repository)
        rights = await roles.rights(context, identity.github, repository, None, fresh=True)
    except Refused:
        # The person must not learn that Stanch once had access to this repository.
        raise Refused("unreachable", NO_ALERTS, _proof(identity)) from None
    except GitHubError as error:
        raise repository_access.github_failure_refusal(error) from error
    if not rights.view and rights.role == "no role":
        raise Refused("no_role", NO_ALERTS, _proof(identity))
    return role_answer(identity, repository, rights)


def identity_answer(identity: Identity) -> Content:
    """The private answer without a repository."""
    return answer("bust_in_silhouette", f"You are {identity.github.login} here.", _proof(identity), HINT)


def role_answer(identity: Identity, repository: Repository, rights: Rights) -> Content:
    """The private answer with a role in a repository."""
    detail = t.lines(_proof(identity), t.fact(repository.full_name, rights.role), _allowed(rights))
    return answer("bust_in_silhouette", f"You are {identity.github.login} here.", detail)


async def _find(context: Context, named: str, identity: Identity) -> Repository:
    if not is_full_name(named):
        how = "Write it as OWNER/NAME: /leaks whoami octo/web"
        raise Refused("bad_repository", "That is not a repository.", how)
    async with context.db.read() as tx:
        found = await repositories.load_by_name(tx, named)
    if not found:
        raise Refused("no_role", NO_ALERTS, _proof(identity))
    return found[0]


def _proof(identity: Identity) -> Mrkdwn:
    account, how = identity.github, PROOFS.get(identity.proof, identity.proof)
    since, login = t.date(identity.linked_at), t.code(account.login)
    return t.mrkdwn("GitHub account {} (id {}), since {}: {}.", login, account.id, since, how)


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
