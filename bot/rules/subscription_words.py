"""Parses what follows `subscribe`: a channel's filter, and options written like its words.

repo:octo/payments -bypassed:true thread=all mention=@security
"""

import re
from dataclasses import dataclass

from bot.rules.filters import (
    SUBSCRIPTION_WORDS,
    BadFilter,
    listed,
    nearest,
    parse_subscription_filter,
    quotable,
    split_words,
)
from bot.rules.typed_text import normalize_typed
from storage.filter import Filter, fold
from storage.records import Subscription, ThreadLevel

THREAD, MENTION = "thread", "mention"
OPTIONS = (THREAD, MENTION)
NOBODY = "none"
"""As `mention=`: nobody is mentioned."""
GROUP_ID = re.compile(r"S[A-Z0-9]{2,20}")
"""A user group of Slack's."""
USAGE = "[FILTER] [thread=all|actions|none] [mention=none|@group]"

_OPTION = re.compile(r"([a-z-]{1,40})=(.*)", re.DOTALL | re.IGNORECASE)
_WRITTEN_AS_FILTER = re.compile(rf"-?({'|'.join(OPTIONS)}):(.*)", re.DOTALL | re.IGNORECASE)
_HANDLE = re.compile(r"@[^\s<>@`|&=,:]{1,80}")
_SENT_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]{2,20})(?:\|[^<>]*)?>")
"""A user group as Slack sends it for a command whose text it escapes."""
_EVERYONE = frozenset({"channel", "here", "everyone"})


@dataclass(frozen=True, slots=True)
class SubscriptionWords:
    """A channel's filter and options; None for an option that is not written."""

    alert_filter: Filter
    thread: ThreadLevel | None = None
    mention: str | None = None
    """The id of a user group, its handle (`@security`, in lower case), or `none`."""


def parse_subscription_words(text: str) -> SubscriptionWords:
    """Parse a filter with options; raises BadFilter, which names the part and says what to write instead."""
    rest: list[str] = []
    options: dict[str, str] = {}
    for pieces in split_words(normalize_typed(text)):
        word = "".join(pieces)
        as_filter = _WRITTEN_AS_FILTER.fullmatch(word)
        if as_filter is not None:
            raise BadFilter(
                f"`{quotable(word)}` is an option; write `{quotable('='.join(as_filter.groups()))}`."
            )
        option = _OPTION.fullmatch(word)
        if option is None:
            rest.append(word)
            continue
        name, value = fold(option[1]), option[2]
        if name not in OPTIONS:
            raise _unknown_option(name, value)
        if name in options:
            raise BadFilter(f"`{name}=` is given twice; give it once.")
        options[name] = value
    return SubscriptionWords(
        parse_subscription_filter(" ".join(rest)),
        _thread(options[THREAD]) if THREAD in options else None,
        _mention(options[MENTION]) if MENTION in options else None,
    )


def write_words(subscription: Subscription) -> str:
    """A subscription as it is typed, with both options: parsing it again gives the same."""
    mention = subscription.mention or NOBODY
    written = f"{subscription.filter} {THREAD}={subscription.thread} {MENTION}={mention}"
    return written.strip()


def _unknown_option(name: str, value: str) -> BadFilter:
    near = nearest(name.strip("-"), [*OPTIONS, *SUBSCRIPTION_WORDS])
    meant = ""
    if near is not None:
        word = f"{near}=" if near in OPTIONS else f"{near}:{value}"
        meant = f" Did you mean `{quotable(word)}`?"
    known = listed([f"{one}=" for one in OPTIONS])
    return BadFilter(f"`{quotable(name)}=` is not an option.{meant} There are {known}.")


def _thread(value: str) -> ThreadLevel:
    known = [str(level) for level in ThreadLevel]
    if fold(value) in known:
        return ThreadLevel(fold(value))
    near = nearest(value, known)
    meant = f" Did you mean `{THREAD}={near}`?" if near else ""
    raise BadFilter(f"`{THREAD}=` has no `{quotable(value)}`.{meant} There are {listed(known)}.")


def _mention(value: str) -> str:
    sent = _SENT_GROUP.fullmatch(value)
    if sent is not None:
        return sent[1]
    if GROUP_ID.fullmatch(value) or fold(value) == NOBODY:
        return value if fold(value) != NOBODY else NOBODY
    if fold(value).strip("@<!>") in _EVERYONE:
        raise BadFilter(
            f"`{MENTION}={quotable(value)}` would notify everybody in the channel; name a user group, such as "
            f"`{MENTION}=@security`."
        )
    if _HANDLE.fullmatch(value):
        return fold(value)
    handle = f"@{value}" if _HANDLE.fullmatch(f"@{value}") else "@security"
    example = (
        f"`{MENTION}={quotable(handle)}`, `{MENTION}=none`, or a group's id such as `{MENTION}=S012AB3CD`"
    )
    raise BadFilter(f"`{MENTION}=` does not take `{quotable(value)}`; write {example}.")
