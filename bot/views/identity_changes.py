"""Words for changed links of Slack users to GitHub accounts, for the default channel, operators and people."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from bot.people_job_kinds import IdentityChange, SendIdentityNotice
from bot.rules.masking import mask
from bot.views.answers import answer
from bot.views.link_refusals import WHY
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn
from storage.records import IdentitySource, StoredJson, Suspension

BY: Mapping[str, str] = {
    IdentitySource.SIGN_IN: "by sign-in",
    IdentitySource.OPERATOR: "by an operator",
    IdentitySource.DIRECTORY: "by the organization's directory",
}
"""By the source's stored word."""
CAUSES: Mapping[str, str] = {
    **WHY,
    Suspension.TOKEN_REFUSED: "GitHub does not accept the sign-in any more",
    Suspension.UNDECRYPTABLE: "the stored sign-in can't be read any more",
    Suspension.LAPSED: "the sign-in is too old",
    Suspension.DIRECTORY_CHANGED: "the address in the organization's directory has changed",
}
"""Why a link is suspended, for others than its owner, by the stored word."""
DECIDES = frozenset(
    {
        *(Suspension.SOURCES_DISAGREE, Suspension.SIGNED_IN_ELSEWHERE),
        *(Suspension.DIRECTORY_CHANGED, Suspension.AMBIGUOUS),
    }
)
"""Suspensions that an operator ends; a new sign-in ends all others."""
LONGEST = 2600
"""Characters of all lines; a section of Slack's takes 3,000."""
NAME = 40
"""Characters of a Slack name."""


@dataclass(frozen=True, slots=True)
class NamedChange:
    """A change with the Slack names of the people concerned, which prove nothing, since Slack users choose them."""

    change: IdentityChange
    names: Mapping[str, str]


_ADAPTER = TypeAdapter(NamedChange)


def stored_change(named: NamedChange) -> StoredJson:
    """A change as it is stored in a notice."""
    stored: StoredJson = _ADAPTER.dump_python(named, mode="json")
    return stored


def read_changes(stored: object) -> list[NamedChange]:
    """The changes of a notice; those that another version stored in another shape are left out."""
    found = []
    for one in stored if isinstance(stored, list | tuple) else ():
        with suppress(ValidationError):
            found.append(_ADAPTER.validate_python(one))
    return found


def draw_changes(changes: Sequence[NamedChange], more: int) -> Mrkdwn:
    """The changes, a line each, as many as there is room for; `more` others are counted."""
    lines: list[Mrkdwn] = []
    for number, change in enumerate(changes):
        line = _line(change)
        if sum(map(len, lines)) + len(line) > LONGEST:
            more += len(changes) - number
            break
        lines.append(line)
    rest = t.mrkdwn("…and {} more: {} shows all.", more, t.code("stanch identities list")) if more else None
    return t.lines(*lines, rest)


def operators_notice(changes: Sequence[NamedChange], more: int) -> Content:
    """Tells an operator of links that give no rights."""
    hint = t.mrkdwn(
        "{} decides for this person; {} removes the operator's link, or else the sign-in. {} shows all.",
        *map(t.code, ("stanch identities add USER LOGIN", "stanch identities remove USER")),
        t.code("stanch identities list"),
    )
    return answer(
        "warning", "Links to GitHub accounts give no rights now.", draw_changes(changes, more), hint
    )


def identity_notice(notice: SendIdentityNotice) -> Content:
    """Tells a person of a change of their own link, or of another Slack user's to an account that is theirs too."""
    if notice.about is not None:
        return _about_another(notice)
    login, hint = t.code(mask(notice.login)), Mrkdwn("If that is wrong, tell an operator of Stanch.")
    if notice.change == "linked":
        detail = t.mrkdwn("In Stanch you now act as {}.", login)
        if notice.source == IdentitySource.DIRECTORY:
            detail = t.mrkdwn("In Stanch you are now known as {}, by your organization's directory.", login)
        return answer("link", "You were linked to a GitHub account.", detail, hint)
    if notice.change == "suspended":
        why = WHY.get(notice.reason or "", "another version of Stanch suspended it")
        detail = t.mrkdwn("You are {} here, but {}.", login, why)
        ends = Mrkdwn("It ends when you sign in again: `/leaks link`.")
        if notice.reason in DECIDES:
            ends = Mrkdwn("An operator decides.")
        return answer("warning", "Your link to your GitHub account gives no rights now.", detail, ends)
    if notice.change == "not_linked":
        detail = t.mrkdwn(
            "{} is linked to another Slack user. An operator decides whose account it is.", login
        )
        return answer("warning", "You are not linked to a GitHub account yet.", detail, hint)
    detail = t.mrkdwn("You were linked to {}.", login)
    return answer("link", "You are no longer linked to GitHub.", detail, hint)


_ANOTHER_HEADLINE: Mapping[str, str] = {
    "linked": "Another Slack user was linked to your GitHub account.",
    "unlinked": "Another Slack user is no longer linked to your GitHub account.",
    "suspended": "Another Slack user's link to your GitHub account gives no rights now.",
    "not_linked": "Another Slack user signed in to your GitHub account.",
}
_ANOTHER_DETAIL: Mapping[str, str] = {
    "linked": "{} acts as {} in Stanch now.",
    "unlinked": "{} was linked to {}.",
    "suspended": "{} is linked to {} here.",
    "not_linked": "{} has signed in to {}, which gives them no rights until an operator decides.",
}


def _about_another(notice: SendIdentityNotice) -> Content:
    change = notice.change if notice.change in _ANOTHER_DETAIL else "linked"
    detail = t.mrkdwn(_ANOTHER_DETAIL[change], t.user(notice.about or ""), t.code(mask(notice.login)))
    hint = Mrkdwn(
        "If that is not you too, tell an operator of Stanch at once, and end that session in GitHub's settings."
    )
    return answer("warning", _ANOTHER_HEADLINE[change], detail, hint)


def _line(named: NamedChange) -> Mrkdwn:
    change = named.change
    who, login = _person(named, change.user), t.code(mask(change.login))
    if change.kind == "linked":
        return t.mrkdwn(
            ":link: {} is now linked to {} {}.", who, login, BY.get(change.source, "by another source")
        )
    if change.kind == "unlinked":
        return t.mrkdwn(":link: {} is no longer linked to {}.", who, login)
    others = t.join([_person(named, other) for other in change.others[:3]])
    if change.kind == "not_linked":
        return t.mrkdwn(
            ":warning: {} has signed in to {}, which another Slack user is joined to ({}). It gives no rights until "
            "an operator decides.",
            *(who, login, others or Mrkdwn("unknown")),
        )
    why = CAUSES.get(change.reason or "", "another version of Stanch suspended it")
    also = t.mrkdwn(" ({})", others) if change.others else Mrkdwn("")
    ends = "until an operator decides" if change.reason in DECIDES else "until they sign in again"
    return t.mrkdwn(
        ":warning: The link of {} to {} gives no rights {}: {}{}.", *(who, login, ends, why, also)
    )


def _person(named: NamedChange, user: str) -> Mrkdwn:
    """A Slack user by the id, with the name where it is known. Nobody is mentioned."""
    name = named.names.get(user)
    return t.mrkdwn("{} ({})", t.prose(mask(name), NAME), t.code(user)) if name else t.code(user)
