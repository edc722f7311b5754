"""Draws an alert's history and its locations, as private answers."""

from collections.abc import Sequence

from bot.views.formatting import alert_title, counted, line_sections, location_words
from bot.views.replies import event_words, quoted_comment
from integrations.slack import text as t
from integrations.slack.blocks import Content, context, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, Repository, SecretLocation

MAX_EVENTS = 40
MAX_LOCATIONS = 320
LINES_PER_SECTION = 8
"""Lines per section; a message holds 50 blocks and a section 3,000 characters (Slack's docs)."""
NO_LOCATIONS = Mrkdwn("*GitHub lists no location.*")


def draw_history(alert: Alert, repository: Repository, events: Sequence[Event]) -> Content:
    """The timeline, oldest event first, with reasons, comments and people."""
    shown = events[-MAX_EVENTS:]
    entries = [t.mrkdwn("{}: {}", t.date(event.at), _entry(event)) for event in shown]
    left_out = len(events) - len(shown)
    title = t.mrkdwn("History of alert {} in {}", alert.key.number, repository.full_name)
    return message(
        t.without_markup(t.lines(title, *entries)),
        section(t.lines(Mrkdwn("*History*"), alert_title(alert, repository))),
        *line_sections(entries, LINES_PER_SECTION),
        context(t.mrkdwn("{} older entries are left out.", left_out)) if left_out else None,
    )


def draw_locations(
    alert: Alert, repository: Repository, locations: Sequence[SecretLocation], *, more: bool
) -> Content:
    """The locations of the secret; `more` says that GitHub has others that are not shown."""
    entries = [location_words(location, repository) for location in locations]
    count = t.mrkdwn("*Found at {}*", counted(len(locations), "location")) if locations else NO_LOCATIONS
    title = t.mrkdwn("Locations of alert {} in {}", alert.key.number, repository.full_name)
    all_of_them = t.link(alert.html_url, "GitHub lists all of them")
    return message(
        t.without_markup(t.lines(title, *(entries or [count]))),
        section(t.lines(count, alert_title(alert, repository))),
        *line_sections(entries, LINES_PER_SECTION),
        context(t.mrkdwn("There are more; {}.", all_of_them)) if more else None,
    )


def _entry(event: Event) -> Mrkdwn:
    words, comment = event_words(event), quoted_comment(event)
    return t.mrkdwn("{} {}", words, comment) if comment else words
