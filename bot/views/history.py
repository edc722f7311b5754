"""Draws an alert's history and its locations, as private answers."""

from collections.abc import Sequence

from bot.rules.comments import without_signature
from bot.views.formatting import alert_title, location_words, when
from bot.views.replies import event_words
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, context, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, Repository, SecretLocation

MAX_EVENTS = 40
MAX_LOCATIONS = 320
LINES_PER_SECTION = 8
"""Lines per section; a message holds 50 blocks and a section 3,000 characters (Slack's docs)."""
NO_LOCATIONS = "GitHub lists no location."


def draw_history(alert: Alert, repository: Repository, events: Sequence[Event]) -> Content:
    """The timeline, oldest event first, with reasons, comments and people."""
    shown = events[-MAX_EVENTS:]
    entries = [t.mrkdwn("{}: {}", when(event.at), _entry(event)) for event in shown]
    left_out = len(events) - len(shown)
    title = t.mrkdwn("History of alert {} in {}", alert.key.number, repository.full_name)
    return message(
        t.without_markup(t.lines(title, *entries)),
        section(t.lines(Mrkdwn("*History*"), alert_title(alert, repository))),
        *_sections(entries),
        context(t.mrkdwn("{} older entries are left out.", left_out)) if left_out else None,
    )


def draw_locations(
    alert: Alert, repository: Repository, locations: Sequence[SecretLocation], *, more: bool
) -> Content:
    """The locations of the secret; `more` says that GitHub has others that are not shown."""
    entries = [location_words(location, repository) for location in locations]
    noun = "location" if len(locations) == 1 else "locations"
    count = (
        t.mrkdwn("*Found at {} {}*", len(locations), noun) if locations else t.mrkdwn("*{}*", NO_LOCATIONS)
    )
    title = t.mrkdwn("Locations of alert {} in {}", alert.key.number, repository.full_name)
    return message(
        t.without_markup(t.lines(title, *(entries or [count]))),
        section(t.lines(count, alert_title(alert, repository))),
        *_sections(entries),
        context(t.mrkdwn("There are more; {}.", t.link(alert.html_url, "GitHub lists all of them")))
        if more
        else None,
    )


def _entry(event: Event) -> Mrkdwn:
    comment = event.details.get("comment")
    comment_words = without_signature(comment) if isinstance(comment, str) else None
    return t.mrkdwn("{} “{}”", event_words(event), comment_words) if comment_words else event_words(event)


def _sections(entries: Sequence[Mrkdwn]) -> list[Block]:
    return [
        section(t.lines(*entries[at : at + LINES_PER_SECTION]))
        for at in range(0, len(entries), LINES_PER_SECTION)
    ]
