"""Draws the card: the message that shows one alert in one channel."""

from collections.abc import Sequence

from bot.rules.case import Case
from bot.rules.comments import without_signature
from bot.views.card_facts import closed_facts, open_facts
from bot.views.formatting import alert_title, closed_by_words, duration_words
from bot.views.headline import headline, preview
from integrations.slack import text as t
from integrations.slack.blocks import (
    Block,
    Content,
    Metadata,
    actions,
    context,
    message,
    plain_section,
    section,
)
from integrations.slack.elements import Element
from integrations.slack.text import Mrkdwn
from storage.records import AlertKey

HIDDEN = "An alert is hidden here, because this channel is shared with another organization."
NO_DETAILS = Mrkdwn(":hourglass: GitHub has not sent the details yet; they will be added here.")


def draw_card(case: Case, controls: Sequence[Element], draw: int) -> Content:
    """The card's message. `draw` makes its block ids unique: Slack keeps a menu's selection while its id stays."""
    state = headline(case)
    heading = t.mrkdwn("{} *{}*", t.emoji(state.sign), state.words)
    return message(
        preview(case),
        section(t.lines(heading, alert_title(case.alert, case.repository))),
        *(_open_blocks(case) if case.alert.is_open else _closed_blocks(case)),
        actions(*controls, block_id=f"alert:{case.alert.key}:{draw}"),
    )


def draw_hidden() -> Content:
    """The message in place of a card in a channel that people of another organization can read."""
    return message(t.escape(HIDDEN), section(t.mrkdwn(":lock: {}", HIDDEN)))


def card_metadata(key: AlertKey) -> Metadata:
    """The metadata by which a posted card is found again after a crash."""
    return Metadata("stanch_alert", {"repository_id": key.repository_id, "alert_number": key.number})


def _open_blocks(case: Case) -> list[Block | None]:
    return [section(open_facts(case)), None if case.alert.detailed else context(NO_DETAILS)]


def _closed_blocks(case: Case) -> list[Block | None]:
    words = without_signature(case.alert.resolution_comment)
    return [
        section(closed_facts(case)),
        plain_section(f"“{words}”") if words else None,
        context(_closing(case)),
    ]


def _closing(case: Case) -> Mrkdwn:
    alert = case.alert
    at = alert.resolved_at or alert.updated_at
    parts = [t.mrkdwn("{} {}", closed_by_words(alert, first=True), t.date(at))]
    if alert.resolved_at:
        parts.append(t.mrkdwn("open for {}", duration_words(alert.resolved_at - alert.created_at)))
    if case.steps_total:
        parts.append(t.mrkdwn("{} of {} done", case.steps_done, case.steps_total))
    return t.join(parts)
