"""`/leaks whoami`: shows the person's GitHub account, how it was linked, and its role in a repository."""

from collections.abc import Iterator

from bot.commands.command import Subcommand
from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import identify, roles
from bot.options import Options
from bot.requests import CommandRequest
from bot.rules.rights import Rights
from bot.rules.source_rights import Deed, source_obstacle
from bot.views.answers import answer
from integrations.github.errors import GitHubError
from integrations.github.facts import is_full_name
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage import repositories, sign_ins
from storage.records import Identity, IdentitySource, Repository, SignIn

PROOFS = {
    IdentitySource.SIGN_IN: "you signed in at GitHub",
    IdentitySource.OPERATOR: "an operator of Stanch linked it",
    IdentitySource.DIRECTORY: "your organization's directory says so",
}
APPROVES = (
    "With it you can look alerts up, act on them and approve what others ask for, as far as your roles go."
)
ACTS = "With it you can look alerts up and act on them, as far as your roles go, but approve nothing."
LOOKS_UP = "With it you can look alerts up and be asked about them, nothing else."
HINT = Mrkdwn("Your roles in a repository: `/leaks whoami OWNER/NAME`")
NO_ALERTS = "Stanch knows no repository of that name, or it is not yours to see."


async def whoami(context: Context, request: CommandRequest) -> Content:
    """The person's identity; with `OWNER/NAME` also their role there, asked from GitHub now."""
    identity = await identify.identify(context, request.user, request.channel)
    named = request.text.strip()
    if not named:
        async with context.db.read() as tx:
            signed_in = await sign_ins.load(tx, identity.slack_team, identity.slack_user)
        return identity_answer(identity, context.options, signed_in, can_sign_in=context.sign_in is not None)
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


def identity_answer(
    identity: Identity, options: Options, signed_in: SignIn | None = None, *, can_sign_in: bool = False
) -> Content:
    """The private answer without a repository: the source of the link, since when, and what it allows."""
    detail = t.lines(_proof(identity), *_powers(identity, options, signed_in, can_sign_in=can_sign_in))
    return answer("bust_in_silhouette", f"You are {identity.github.login} here.", detail, HINT)


def _powers(
    identity: Identity, options: Options, signed_in: SignIn | None, *, can_sign_in: bool
) -> Iterator[str | Mrkdwn]:
    acts = source_obstacle(identity.source, Deed.ACT, options) is None
    approves = source_obstacle(identity.source, Deed.APPROVE, options) is None
    yield APPROVES if acts and approves else ACTS if acts else LOOKS_UP
    if identity.source is not IdentitySource.SIGN_IN or signed_in is None:
        if can_sign_in and not (acts and approves):
            yield Mrkdwn("For the rest sign in at GitHub: `/leaks link`")
        return
    if signed_in.tokens is not None and options.github.act_as != "app":
        yield "GitHub shows what you do as done by yourself."
    yield t.mrkdwn("The sign-in lasts until {}; then sign in again.", t.date(signed_in.lapses_at))


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
    account = identity.github
    how = PROOFS[identity.source] if identity.source else identity.proof
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
