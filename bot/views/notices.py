"""Words and draws notices: messages to a channel that are about no single alert."""

from collections.abc import Callable, Mapping

from bot.rules.masking import mask
from bot.views.formatting import done_often
from bot.views.identity_changes import draw_changes, read_changes
from bot.views.subscriptions import ADOPT_ACTION, filter_words
from integrations.slack import text as t
from integrations.slack.blocks import Content, message, section
from integrations.slack.elements import button
from integrations.slack.text import Mrkdwn
from storage.records import ChannelId, MessageKey, StoredJson

Facts = Mapping[str, StoredJson]
LOST_REASONS = {
    "no_view": "GitHub does not let them see all that it covers",
    "not_linked": "they are not linked to that GitHub account any more",
    "deactivated": "their Slack account is deactivated",
    "guest": "they are a guest in Slack now",
    "other_organization": "they belong to another organization in Slack now",
}
"""Why the author of a subscription has lost the right to it."""
OTHER_LOSS = "they can't act here any more"


def draw_notice(key: MessageKey, facts: Facts, draw: int, *, is_settled: bool = False) -> Content:
    """A notice; `is_settled`: what it asks for is done, so it has no button any more."""
    words = NOTICES.get(_text(facts, "kind"), _unknown)(facts)
    if is_settled:
        words = t.lines(words, Mrkdwn(":white_check_mark: Settled."))
    adopt = None
    if facts.get("kind") in ADOPTABLE and not is_settled:
        adopt = button("Adopt", action_id=ADOPT_ACTION, value=_text(facts, "channel"))
    return message(t.without_markup(words), section(words, accessory=adopt, block_id=f"notice:{key}:{draw}"))


def _subscribed(facts: Facts) -> Mrkdwn:
    former = facts.get("former")
    instead = t.mrkdwn(" Before: {}.", filter_words(former)) if isinstance(former, str) else Mrkdwn("")
    gets = filter_words(_text(facts, "filter"))
    return t.mrkdwn(":bell: {} subscribed this channel to {}.{}", _by(facts), gets, instead)


def _options_changed(facts: Facts) -> Mrkdwn:
    thread, mention = _text(facts, "thread"), _text(facts, "mention") or "none"
    words = t.code(f"thread={thread} mention={mention}")
    return t.mrkdwn(":bell: {} changed this channel's subscription: {}.", _by(facts), words)


def _unsubscribed(facts: Facts) -> Mrkdwn:
    return t.mrkdwn(
        ":no_bell: {} unsubscribed this channel from {}.", _by(facts), filter_words(_text(facts, "filter"))
    )


def _adopted(facts: Facts) -> Mrkdwn:
    return t.mrkdwn(":bell: {} answers for this channel's subscription now.", _by(facts))


def _author_lost(facts: Facts) -> Mrkdwn:
    at = facts.get("pause_at")
    when = t.date(at) if isinstance(at, int | float) else Mrkdwn("in seven days")
    return t.mrkdwn(
        ":warning: {}, who subscribed {}, has no right to its alerts any more: {}. The subscription is paused {} "
        "unless somebody who may see its alerts adopts it.",
        _by(facts),
        _channel(facts),
        _why(facts),
        when,
    )


def _paused(facts: Facts) -> Mrkdwn:
    return t.mrkdwn(
        ":double_vertical_bar: The subscription of {} is paused: {}, who made it, has no right to its alerts any "
        "more. New alerts go to other channels until somebody who may see them adopts it.",
        _channel(facts),
        _by(facts),
    )


def _became_public(facts: Facts) -> Mrkdwn:
    return t.mrkdwn(
        ":warning: {} has become a public channel: everybody in the workspace can read its alerts.",
        _channel(facts),
    )


def _guests_joined(facts: Facts) -> Mrkdwn:
    guests = facts.get("guests")
    named = [t.code(mask(str(one))) for one in guests] if isinstance(guests, list | tuple) else []
    return t.mrkdwn(
        ":warning: Guests have joined {}, and can read its alerts: {}.", _channel(facts), t.join(named[:10])
    )


def _limit_reached(facts: Facts) -> Mrkdwn:
    most, until = facts.get("most"), facts.get("until")
    did = done_often(_text(facts, "action"), most if isinstance(most, int) else 0)
    again = t.date(until) if isinstance(until, int | float) else Mrkdwn("the hour is over")
    unlink = t.code(f"stanch identities remove {_text(facts, 'user')}")
    return t.mrkdwn(
        ":no_entry: {} {} within an hour, which is the limit here. More are refused until {}. If that is not what "
        "they meant to do, an operator can unlink them: {}.",
        _by(facts),
        did,
        again,
        unlink,
    )


def _identities(facts: Facts) -> Mrkdwn:
    more = facts.get("more")
    lines = draw_changes(read_changes(facts.get("changes")), more if isinstance(more, int) else 0)
    return t.lines(Mrkdwn("*Who is who on GitHub has changed*"), lines)


def _unknown(facts: Facts) -> Mrkdwn:
    """A notice of a later version."""
    return t.mrkdwn(":information_source: Stanch has a notice of the kind {}.", t.code(_text(facts, "kind")))


NOTICES: Mapping[str, Callable[[Facts], Mrkdwn]] = {
    "subscribed": _subscribed,
    "options_changed": _options_changed,
    "unsubscribed": _unsubscribed,
    "adopted": _adopted,
    "author_lost": _author_lost,
    "paused": _paused,
    "became_public": _became_public,
    "guests_joined": _guests_joined,
    "limit_reached": _limit_reached,
    "identities": _identities,
}
"""By the stored kind."""
ADOPTABLE = ("author_lost", "paused")


def _by(facts: Facts) -> Mrkdwn:
    """Who did it, as a GitHub login: nobody is mentioned."""
    return t.code(_text(facts, "by")) if facts.get("by") else Mrkdwn("Somebody")


def _why(facts: Facts) -> str:
    return LOST_REASONS.get(_text(facts, "because"), OTHER_LOSS)


def _channel(facts: Facts) -> Mrkdwn:
    return t.channel(ChannelId(_text(facts, "channel")))


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""
