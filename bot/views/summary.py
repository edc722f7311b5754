"""Many alerts in one message: a flood, or what was there before Stanch looked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.views.words import when
from integrations.slack import text as t
from integrations.slack.blocks import Content, actions, message, section
from integrations.slack.elements import button
from integrations.slack.text import Mrkdwn
from storage.records import AlertState, MessageKey, Share, UnixTime

MOST = 3
"""How many repositories are named."""
LONGEST = 1_000
"""Characters of a filter; a button holds 2,000."""
VALIDITIES = ("active", "unknown", "inactive")
SHOW = "Show them"


@dataclass(frozen=True, slots=True)
class Kind:
    """Why there is a summary: a sign, a word before "alerts", and what is said after the repositories."""

    sign: str
    which: str
    why: Mrkdwn


KINDS = {
    "flood": Kind("ocean", "new ", Mrkdwn(" within a minute")),
    "first": Kind("card_file_box", "", Mrkdwn(", from before Stanch looked")),
    "subscription": Kind("card_file_box", "", Mrkdwn(", from before this channel was subscribed")),
}


def draw_summary(key: MessageKey, kind: str, shares: Sequence[Share], since: UnixTime, draw: int) -> Content:
    """Counts, the repositories with the most, and a button that lists them."""
    words = KINDS[kind]
    total = sum(share.count for share in shares)
    by_repository: Counter[str] = Counter()
    for share in shares:
        by_repository[share.repository] += share.count
    alerts = _counted(total, f"{words.which}alert", f"{words.which}alerts")
    where = _counted(len(by_repository), "repository", "repositories")
    why = t.mrkdwn(" since {}", when(since)) if kind == "flood" else words.why
    most = t.join(t.mrkdwn("{} ({})", t.code(name), count) for name, count in by_repository.most_common(MOST))
    works = sum(share.count for share in shares if _is_open(share) and share.validity == "active")
    return message(
        t.mrkdwn("{} in {}{}; {} still work", alerts, where, words.why, works),
        section(
            t.lines(t.mrkdwn("{} *{}* in {}{}", t.emoji(words.sign), alerts, where, why), _states(shares))
        ),
        section(t.mrkdwn("Most in {}", most)) if by_repository else None,
        actions(button(SHOW, action_id="show_list", value=_filter(shares)), block_id=f"list:{key}:{draw}"),
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _states(shares: Sequence[Share]) -> Mrkdwn:
    """`14 active, 41 unknown, 257 inactive`, and how many have been closed since."""
    counts: Counter[str] = Counter()
    for share in shares:
        word = share.validity if share.validity in VALIDITIES else "unknown"
        counts[word if _is_open(share) else "closed"] += share.count
    named = [f"{counts[word]} {word}" for word in (*VALIDITIES, "closed") if counts[word]]
    return t.prose(", ".join(named) or "none")


def _filter(shares: Sequence[Share]) -> str:
    """What the button lists: the repositories by name while they are few, else their organizations."""
    names = sorted({share.repository for share in shares})
    owners = sorted({share.owner for share in shares})
    where = f"repo:{','.join(names)}" if len(names) <= MOST else f"org:{','.join(owners)}"
    return f"is:open {where}" if names and len(where) < LONGEST else "is:open"


def _is_open(share: Share) -> bool:
    return share.state is AlertState.OPEN
