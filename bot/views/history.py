"""An alert's history and its places, as one person sees them privately."""

from collections.abc import Sequence

from bot.rules.comments import without_signature
from bot.views.formatting import alert_title, location_words, when
from bot.views.replies import event_words
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, context, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, Repository, SecretLocation

ENTRIES = 40
PLACES = 320
IN_A_SECTION = 8
"""So many lines make a section; a message takes 50 blocks, and a section 3,000 characters (Slack's docs)."""
NO_PLACES = "GitHub names no place."


def draw_history(alert: Alert, repository: Repository, events: Sequence[Event]) -> Content:
    """The timeline, oldest entry first, with reasons, comments and people."""
    shown = events[-ENTRIES:]
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
    alert: Alert, repository: Repository, places: Sequence[SecretLocation], *, more: bool
) -> Content:
    """Every place where the secret was found; `more` says that there are others still."""
    entries = [location_words(place, repository) for place in places]
    noun = "place" if len(places) == 1 else "places"
    count = t.mrkdwn("*Found at {} {}*", len(places), noun) if places else t.mrkdwn("*{}*", NO_PLACES)
    title = t.mrkdwn("Places of alert {} in {}", alert.key.number, repository.full_name)
    return message(
        t.without_markup(t.lines(title, *(entries or [count]))),
        section(t.lines(count, alert_title(alert, repository))),
        *_sections(entries),
        context(t.mrkdwn("There are more; {}.", t.link(alert.html_url, "GitHub lists all")))
        if more
        else None,
    )


def _entry(event: Event) -> Mrkdwn:
    comment = event.details.get("comment")
    said = without_signature(comment) if isinstance(comment, str) else None
    return t.mrkdwn("{} “{}”", event_words(event), said) if said else event_words(event)


def _sections(entries: Sequence[Mrkdwn]) -> list[Block]:
    return [section(t.lines(*entries[at : at + IN_A_SECTION])) for at in range(0, len(entries), IN_A_SECTION)]
