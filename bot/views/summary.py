"""Draws many alerts in one message: a flood, old alerts, or a channel that can't take cards."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.urgency import Urgency
from bot.views.formatting import counted, line_sections
from bot.views.headline import urgency_sign
from bot.views.lists import SHOW_LIST_ACTION
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, actions, message, section
from integrations.slack.elements import Element, button
from integrations.slack.text import Mrkdwn, clean
from storage.records import Alert, AlertState, ChannelId, MessageKey, Repository, SummaryGroup, UnixTime

NAMED_IN_SUMMARY, NAMED_IN_SECTION, NAMED_IN_REPLY = 20, 5, 3
"""How many urgent alerts a summary names, how many one section names, and how many a reply names."""
MAX_REPOSITORIES = 3
"""How many repositories a summary names."""
MAX_FILTER = 1_000
"""Characters of a filter; a button holds 2,000."""
VALIDITIES = ("active", "unknown", "inactive")


@dataclass(frozen=True, slots=True)
class SummaryKind:
    """The wording of a kind of summary: emoji, a word before "alerts", and the words after the repositories."""

    sign: str
    which: str
    why: Mrkdwn


KINDS = {
    "flood": SummaryKind("ocean", "new ", Mrkdwn(" within a minute")),
    "first": SummaryKind("card_file_box", "", Mrkdwn(", from before Stanch was connected")),
    "subscription": SummaryKind("card_file_box", "", Mrkdwn(", from before this channel was subscribed")),
}

CHANNEL_PROBLEMS = {
    "is_archived": "it is archived",
    "is_inactive": "it is archived or deleted",
    "not_in_channel": "Stanch is not in it; type /invite there",
    "channel_not_found": "it was deleted, or it is private and Stanch is not in it",
    "shared_with_another_organization": "it is shared with another organization",
}
"""Slack's error codes for a channel that can't be posted in, in words."""


@dataclass(frozen=True, slots=True)
class UrgentAlert:
    """An alert that a summary names."""

    urgency: Urgency
    alert: Alert
    repository: Repository


def draw_summary(
    key: MessageKey,
    kind: str,
    shares: Sequence[SummaryGroup],
    since: UnixTime,
    draw: int,
    urgent: Sequence[UrgentAlert] = (),
) -> Content:
    """The summary: counts, urgent alerts by name, the repositories with the most alerts, and a button that lists all.

    `urgent` is sorted, the most urgent first.
    """
    wording = KINDS[kind]
    total = sum(share.count for share in shares)
    by_repository: Counter[str] = Counter()
    for share in shares:
        by_repository[share.repository] += share.count
    alerts = counted(total, f"{wording.which}alert")
    where = counted(len(by_repository), "repository", "repositories")
    why = t.mrkdwn(" since {}", t.date(since)) if kind == "flood" else wording.why
    heading = t.mrkdwn("{} *{}* in {}{}", t.emoji(wording.sign), alerts, where, why)
    most = by_repository.most_common(MAX_REPOSITORIES)
    names = t.join(t.mrkdwn("{} ({})", t.code(name), count) for name, count in most)
    works = sum(share.count for share in shares if _is_open(share) and share.validity == "active")
    return message(
        t.mrkdwn("{} in {}{}; {} still work{}", alerts, where, wording.why, works, _urgencies(urgent)),
        section(t.lines(heading, _states(shares))),
        *_named(urgent),
        section(t.mrkdwn("Most in {}", names)) if most else None,
        actions(_show_button(shares), block_id=f"list:{key}:{draw}"),
    )


def draw_urgent_reply(urgent: Sequence[UrgentAlert]) -> Content:
    """The reply that announces urgent alerts in a summary, because editing the summary notifies nobody."""
    alerts = counted(len(urgent), "critical or high alert")
    has, its = ("has", "its") if len(urgent) == 1 else ("have", "their")
    words = t.mrkdwn("{} in this summary {} no card of {} own:", alerts, has, its)
    named = [_line(one) for one in urgent[:NAMED_IN_REPLY]]
    return message(
        t.without_markup(t.lines(words, *named)),
        section(t.lines(t.mrkdwn(":rotating_light: {}", words), *named, _more(urgent, NAMED_IN_REPLY))),
    )


def draw_blocked(
    key: MessageKey, channel: ChannelId, problem: str | None, shares: Sequence[SummaryGroup], draw: int
) -> Content:
    """One line for a channel that can't take cards: its name, the reason, and how many alerts have no card there."""
    total = counted(sum(share.count for share in shares), "more alert")
    why = t.mrkdwn(" ({})", CHANNEL_PROBLEMS.get(problem, f"Slack says {problem}")) if problem else Mrkdwn("")
    problem_words = t.mrkdwn(" can't take cards{}: {} for it", why, total)
    return message(
        t.mrkdwn("{}{}", t.prose(channel), problem_words),
        section(
            t.mrkdwn("{} {}{}", t.emoji("no_entry"), t.channel(channel), problem_words),
            accessory=_show_button(shares),
            block_id=f"list:{key}:{draw}",
        ),
    )


def _urgencies(urgent: Sequence[UrgentAlert]) -> Mrkdwn:
    """`; 2 critical, 1 high`, for a lock screen."""
    counts = Counter(one.urgency for one in urgent)
    named = ", ".join(f"{counts[level]} {level}" for level in Urgency if counts[level])
    return t.mrkdwn("; {}", named) if named else Mrkdwn("")


def _named(urgent: Sequence[UrgentAlert]) -> list[Block]:
    """Sections that name the first alerts, and how many more there are."""
    sections = line_sections([_line(one) for one in urgent[:NAMED_IN_SUMMARY]], NAMED_IN_SECTION)
    more = _more(urgent, NAMED_IN_SUMMARY)
    return [*sections, section(more)] if more else sections


def _line(one: UrgentAlert) -> Mrkdwn:
    name = t.link(one.alert.html_url, f"{one.repository.full_name}#{one.alert.key.number}")
    return t.mrkdwn(
        "{} *{}:* {} in {}",
        t.emoji(urgency_sign(one.alert, one.urgency)),
        one.urgency.capitalize(),
        clean(one.alert.secret_type_name, 80),
        name,
    )


def _more(urgent: Sequence[UrgentAlert], named: int) -> Mrkdwn | None:
    return t.mrkdwn("and {} more", len(urgent) - named) if len(urgent) > named else None


def _states(shares: Sequence[SummaryGroup]) -> Mrkdwn:
    """`14 active, 41 of unknown validity, 257 inactive, 3 closed`."""
    counts: Counter[str] = Counter()
    for share in shares:
        word = share.validity if share.validity in VALIDITIES else "unknown"
        counts[word if _is_open(share) else "closed"] += share.count
    words = {"unknown": "of unknown validity"}
    named = [f"{counts[word]} {words.get(word, word)}" for word in (*VALIDITIES, "closed") if counts[word]]
    return t.prose(", ".join(named) or "none")


def _show_button(shares: Sequence[SummaryGroup]) -> Element:
    """The button's filter names the repositories while they are few, else their organizations."""
    names = sorted({share.repository for share in shares})
    owners = sorted({share.owner for share in shares})
    where = f"repo:{','.join(names)}" if len(names) <= MAX_REPOSITORIES else f"org:{','.join(owners)}"
    value = f"is:open {where}" if names and len(where) < MAX_FILTER else "is:open"
    return button("Show them", action_id=SHOW_LIST_ACTION, value=value)


def _is_open(share: SummaryGroup) -> bool:
    return share.state is AlertState.OPEN
