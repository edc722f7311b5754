"""Draws subscriptions: the preview, the results of their buttons, and the list."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.masking import mask
from bot.views.answers import answer
from bot.views.formatting import counted
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, actions, context, message, section
from integrations.slack.elements import button
from integrations.slack.text import Mrkdwn
from storage.records import Audience, Subscription, ThreadLevel, UnixTime

SUBSCRIBE_ACTION, UNSUBSCRIBE_ACTION, ADOPT_ACTION = "subscribe", "unsubscribe", "adopt_subscription"
SHOWN = 40
"""Subscriptions in one list; Slack allows 50 blocks."""
NAMED = 5
"""Repositories that a warning names."""
FILTER_SHOWN = 1_000
"""Characters of a filter that are shown."""
RATE_WEEKS = 4
"""Weeks whose alerts the preview counts."""
PAUSE_AFTER = 7 * 86_400.0
"""Seconds after which a subscription is paused whose author may no longer view all that it covers."""
THREADS = {
    ThreadLevel.ALL: "all events",
    ThreadLevel.ACTIONS: "what people do",
    ThreadLevel.NONE: "only checklists and requests for approval",
}
ONLY_YOU = Mrkdwn("Only you see this.")
EVERYTHING = Mrkdwn("every alert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a subscription would bring, for one person who may view all of it."""

    after: Subscription
    before: Subscription | None
    audience: Audience
    open_alerts: int
    recent: int
    """Alerts of the last RATE_WEEKS weeks."""
    group: str | None
    """The handle of the user group that is mentioned, if Slack gave it."""
    missing: tuple[str, ...]
    """Names in the filter that no repository has now."""
    similar: tuple[str, ...] = ()
    """Repositories with similar names, which the person may view."""
    value: str
    """What the button carries."""
    is_changed: bool = False
    """The channel or its subscription has changed since the last preview."""


def draw_preview(preview: Preview) -> Content:
    """The preview, with the button that stores the subscription."""
    after, before = preview.after, preview.before
    changed = Mrkdwn(":warning: This has changed meanwhile; look again.") if preview.is_changed else None
    lines = t.lines(
        changed,
        t.mrkdwn(":bell: *This channel would get:* {}", filter_words(after.filter)),
        t.prose(f"{counted(preview.open_alerts, 'open alert')}, {rate_words(preview.recent)}"),
        _missing(preview),
        t.fact("Thread", THREADS[after.thread]),
        t.fact("Mentioned for urgent alerts", _group(after, preview.group)),
        t.fact("Instead of", filter_words(before.filter)) if before and _differs(before, after) else None,
        _audience(preview.audience),
    )
    return message(
        t.without_markup(lines),
        section(lines),
        actions(
            button("Subscribe", action_id=SUBSCRIBE_ACTION, value=preview.value, style="primary"),
            block_id=f"subscription:{SUBSCRIBE_ACTION}",
        ),
        context(t.mrkdwn("{} The alerts that are open already come as one summary.", ONLY_YOU)),
    )


def draw_removal(before: Subscription, value: str) -> Content:
    """Asks whether the subscription is to end, with the button that ends it."""
    lines = t.lines(
        t.mrkdwn(":no_bell: *This channel would no longer get:* {}", filter_words(before.filter)),
        "New alerts that no other channel gets go to the default channel. Cards that are here stay and are updated.",
    )
    return message(
        t.without_markup(lines),
        section(lines),
        actions(
            button("Unsubscribe", action_id=UNSUBSCRIBE_ACTION, value=value, style="danger"),
            block_id=f"subscription:{UNSUBSCRIBE_ACTION}",
        ),
        context(ONLY_YOU),
    )


def subscribed_answer(after: Subscription) -> Content:
    return answer("bell", "Subscribed.", t.mrkdwn("This channel gets {}.", filter_words(after.filter)))


def unsubscribed_answer(before: Subscription) -> Content:
    words = t.mrkdwn("This channel no longer gets {}.", filter_words(before.filter))
    return answer("no_bell", "Unsubscribed.", words)


def adopted_answer(after: Subscription) -> Content:
    words = t.mrkdwn("{} gets {}.", t.channel(after.channel), filter_words(after.filter))
    return answer("bell", "You answer for this subscription now.", words)


def draw_subscriptions(found: Sequence[Subscription], *, is_complete: bool) -> Content:
    """The subscriptions that one person may view."""
    if not found:
        headline, rows = "No subscription that you may see.", []
    else:
        headline = f"{counted(len(found), 'subscription')} that you may see"
        rows = [_row(one) for one in found[:SHOWN]]
    more = f"The first {SHOWN} are shown." if len(found) > SHOWN else None
    unasked = "Some could not be checked with GitHub now." if not is_complete else None
    note = t.join((part for part in (ONLY_YOU, more, unasked) if part), " ")
    return message(
        t.prose(headline), section(t.mrkdwn("{} *{}*", t.emoji("bell"), headline)), *rows, context(note)
    )


def filter_words(stored: str) -> Mrkdwn:
    """A filter in code style, or `every alert`."""
    return t.code(mask(stored), FILTER_SHOWN) if stored else EVERYTHING


def rate_words(recent: int) -> str:
    """How many alerts a week, from those of the last four: `about 3 a week`."""
    if not recent:
        return f"none in the last {RATE_WEEKS} weeks"
    weekly = round(recent / RATE_WEEKS)
    return f"about {weekly} a week" if recent >= RATE_WEEKS else f"about {recent} a month"


def pause_at(subscription: Subscription) -> UnixTime | None:
    """When the subscription will be paused unless somebody adopts it."""
    return None if subscription.lost_at is None else subscription.lost_at + PAUSE_AFTER


def _row(one: Subscription) -> Block:
    author = one.author.github.login if one.author and one.author.github else None
    mention = t.mrkdwn("mentions {}", t.code(one.mention)) if one.mention else None
    by = t.mrkdwn("subscribed by {}", t.code(author)) if author else Mrkdwn("subscribed by an operator")
    facts = t.join(part for part in (t.prose(f"thread: {THREADS[one.thread]}"), mention, by) if part)
    lines = t.lines(
        t.mrkdwn("{}: {}", t.channel(one.channel), filter_words(one.filter)), facts, _trouble(one)
    )
    adopt = (
        button("Adopt", action_id=ADOPT_ACTION, value=one.channel) if one.lost_at or one.paused_at else None
    )
    return section(lines, accessory=adopt, block_id=f"subscription:{one.channel}")


def _trouble(one: Subscription) -> Mrkdwn | None:
    due = pause_at(one)
    if one.paused_at is not None:
        return t.mrkdwn(":double_vertical_bar: Paused since {}.", t.date(one.paused_at))
    if due is not None:
        return t.mrkdwn(":warning: Its author may not see all of it any more: it is paused {}.", t.date(due))
    return None


def _group(after: Subscription, handle: str | None) -> str | Mrkdwn:
    if after.mention is None:
        return "nobody"
    return t.code(f"@{handle}" if handle else after.mention)


def _differs(before: Subscription, after: Subscription) -> bool:
    return before.filter != after.filter


def _missing(preview: Preview) -> Mrkdwn | None:
    names = preview.missing
    if not names:
        return None
    shown = t.join(t.code(mask(name)) for name in names[:NAMED])
    similar = t.join(t.code(f"repo:{name}") for name in preview.similar)
    meant = t.mrkdwn(" Did you mean {}?", similar) if similar else Mrkdwn("")
    return t.mrkdwn(":warning: There is no {} now; its alerts would come once there is.{}", shown, meant)


def _audience(audience: Audience) -> Mrkdwn | None:
    if audience.is_public:
        return Mrkdwn(
            ":warning: This is a *public channel*: everybody in the workspace can read these alerts."
        )
    if audience.guests:
        return t.mrkdwn(":warning: *{}* can read these alerts.", counted(len(audience.guests), "guest"))
    if audience.guests is None:
        return Mrkdwn(":warning: The channel is too large to see whether there are guests in it.")
    return None
