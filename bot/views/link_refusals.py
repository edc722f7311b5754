"""The refusals about a person's link to a GitHub account: why it gives no rights, and what to do about it."""

from collections.abc import Mapping

from bot.errors import Refused
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Identity, Suspension

SIGN_IN_AGAIN = Mrkdwn("Sign in again with `/leaks link`.")
ASK_AN_OPERATOR = Mrkdwn("Ask an operator of Stanch, who decides whose account it is.")
WHY: Mapping[str, str] = {
    Suspension.SOURCES_DISAGREE: "what operators, sign-ins and the directory say about it disagrees",
    Suspension.SIGNED_IN_ELSEWHERE: "another Slack user has signed in to that account too",
    Suspension.TOKEN_REFUSED: "GitHub does not accept your sign-in any more",
    Suspension.AUTHORIZATION_REVOKED: "the authorization of Stanch's app was taken back on GitHub",
    Suspension.UNDECRYPTABLE: "your stored sign-in can't be read any more",
    Suspension.LAPSED: "your sign-in is too old",
    Suspension.DIRECTORY_CHANGED: "your address in the organization's directory has changed",
    Suspension.AMBIGUOUS: "the organization's directory names more than one candidate for it",
    Suspension.LEFT: "the organization's directory does not name you any more",
    Suspension.UNLINKED: "it was unlinked",
}
"""By the stored word."""
_AGAIN = frozenset(
    {
        *(Suspension.TOKEN_REFUSED, Suspension.AUTHORIZATION_REVOKED),
        *(Suspension.UNDECRYPTABLE, Suspension.LAPSED, Suspension.LEFT, Suspension.UNLINKED),
    }
)
"""What a new sign-in mends."""


def suspended(identity: Identity, *, can_sign_in: bool) -> Refused:
    """The link is suspended."""
    return _no_rights(identity.suspension or "", identity.github.login, can_sign_in=can_sign_in)


def claimed_by_others(login: str, reason: str, *, can_sign_in: bool) -> Refused:
    """The person signed in to an account that is linked to another Slack user."""
    return _no_rights(reason, login, can_sign_in=can_sign_in)


def source_too_weak(obstacle: str, verb_phrase: str, *, can_sign_in: bool) -> Refused:
    """The person is known by a source that does not allow it; `verb_phrase`: `close this alert`."""
    if obstacle == "directory_alone":
        detail = "You are known here by your organization's directory alone, which is not enough for that."
    else:
        detail = "Here everybody acts in their own name on GitHub, so Stanch needs your sign-in."
    hint = Mrkdwn("Sign in with `/leaks link`.") if can_sign_in else Mrkdwn("Ask an operator of Stanch.")
    return Refused(obstacle, f"You can't {verb_phrase}.", detail, hint, offers_link=can_sign_in)


def _no_rights(reason: str, login: str, *, can_sign_in: bool) -> Refused:
    why = WHY.get(reason, "another version of Stanch suspended it")
    helps = reason in _AGAIN and can_sign_in
    hint = SIGN_IN_AGAIN if helps else ASK_AN_OPERATOR
    return Refused(
        "suspended",
        "Your link to your GitHub account is suspended.",
        t.mrkdwn("You are {} here, but {}: until that is settled, it gives no rights.", t.code(login), why),
        hint,
        offers_link=helps,
    )
