"""Refuses a person who lacks a right on an alert, and says who could help."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.context import Context
from bot.errors import Refused
from bot.flows.people.entitled_people import who_can
from bot.requests import ActionRequest
from bot.rules.case import PersonalCase
from bot.rules.rights import Need, OthersCan, Rights
from bot.views import own_name_refusals, refusals
from integrations.github.errors import GitHubError
from storage import messages
from storage.records import Identity, IdentitySource, MessagePurpose, Repository


async def refuse_lacking_right(
    context: Context,
    request: ActionRequest,
    identity: Identity,
    repository: Repository,
    rights: Rights,
    need: Need,
    verb_phrase: str,
    *,
    asks_github: bool,
    refused: GitHubError | None = None,
) -> Refused:
    """The refusal for `rights` that don't allow `need`; `verb_phrase` names the action, as in `close this alert`.

    It names people who can, but only to members of the organization that owns the repository. If the person may not
    view the alert, and the channel has no card of it, the refusal is that of an alert that does not exist. `refused`
    is what GitHub answered to the person's own token. `asks_github` allows to ask GitHub who can; call `reach` first.
    """
    if not rights.view and not await _is_shown(context, request):
        return refusals.alert_not_visible("no_role")
    names: tuple[str, ...] = ()
    if rights.member:
        names = await who_can(context, repository, need, but={identity.github.id}, asks_github=asks_github)
    help_words = refusals.help_words(names, context.default_channel, request.channel)
    login = identity.github.login
    # GitHub knows more roles than it shows to the App, as that of a commit's author.
    can_sign_in = signs_in(context) and identity.source is not IdentitySource.SIGN_IN
    if refused is not None:
        return own_name_refusals.not_shown(login, repository, help_words, refused)
    if not rights.view:
        return refusals.no_view(login, repository, help_words, can_sign_in=can_sign_in)
    return refusals.lacks_role(
        verb_phrase, rights.role, login, repository, help_words, can_sign_in=can_sign_in
    )


def signs_in(context: Context) -> bool:
    """Whether GitHub itself decides about people who sign in: their tokens are kept and used."""
    is_used = context.options.github.act_as != "app"
    return is_used and context.sign_in is not None and context.keyring is not None


@asynccontextmanager
async def names_others(context: Context, request: ActionRequest, case: PersonalCase) -> AsyncIterator[None]:
    """Add to a refusal of a decision or a form who could do it, as far as the person may know that."""
    try:
        yield
    except OthersCan as refused:
        names: tuple[str, ...] = ()
        if case.actor.rights.member:
            asking = case.approval.requested_by.github if case.approval else None
            names = await who_can(
                *(context, case.repository, refused.who_can),
                but={case.actor.identity.github.id, asking.id if asking else None},
                asks_github=not case.offline,
                only_proven=case.approval is not None,
            )
        help_words = refusals.help_words(names, context.default_channel, request.channel)
        raise refusals.naming(refused, help_words) from None


async def _is_shown(context: Context, request: ActionRequest) -> bool:
    """Whether the channel of the request has a posted card of the alert; what the request says is not trusted."""
    async with context.db.read() as tx:
        cards = await messages.of_alert(tx, request.alert, MessagePurpose.CARD)
    return any(card.channel == request.channel and card.ts is not None for card in cards)
