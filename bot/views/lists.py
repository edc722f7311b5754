"""Draws a page of the alerts that one person may see, with its rows, page buttons and notes."""

from dataclasses import dataclass, replace

from bot.rules.filters import names_state
from bot.rules.pagination import ListPage
from bot.rules.urgency import urgency
from bot.rules.validity import confirmed_inactive, effective_validity
from bot.views.formatting import counted, duration_words, resolution_words
from bot.views.headline import NOT_KNOWN, urgency_sign
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, actions, context, message, section
from integrations.slack.elements import Element, button
from integrations.slack.text import Mrkdwn
from storage.filter import Filter, FoundAlert, Qualifier, Term
from storage.records import Alert, UnixTime

PAGE_ACTION = "page"
SHOW_ALERT_ACTION = "show_alert"
SHOW_LIST_ACTION = "show_list"
FRESH_ROLES = 300.0
"""Seconds after which a list says how old the roles behind it are."""
ONLY_VISIBLE = Mrkdwn("Only repositories whose alerts you may view.")
PAGE_GONE = Mrkdwn("The list is shorter now, and that page no longer exists: this is the last page.")
UNREACHABLE = Mrkdwn(
    ":warning: GitHub can't be asked right now what you may view, so some alerts may be missing."
)
TOO_MANY = Mrkdwn(
    ":warning: There are too many repositories to ask GitHub about at once; name some with `repo:`."
)
_STATES = {Term(Qualifier.IS, ("open",)): "open", Term(Qualifier.IS, ("closed",)): "closed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the alerts that match a filter and that one person may see."""

    alert_filter: Filter
    shown: tuple[FoundAlert, ...]
    now: UnixTime
    total: int | None = None
    """None if it is unknown for some alerts whether the person may see them."""
    is_longer: bool = False
    """There are more than `total`."""
    first: int | None = None
    """The number of the first alert in the whole list, from 1."""
    previous: ListPage | None = None
    following: ListPage | None = None
    page_gone: bool = False
    """The requested page no longer exists; this is the last one."""
    roles_since: UnixTime | None = None
    """When GitHub gave the oldest role that the page depends on; None if it depends on none."""
    github_unreachable: bool = False
    too_many_repositories: bool = False
    """There are more repositories than GitHub is asked about in one look-up."""


def draw_list(listing: Listing) -> Content:
    """The page, with a button for each alert. The buttons hold all that is needed to go on."""
    if not listing.shown:
        return _draw_nothing(listing)
    rows = [_row(found, number, listing.now) for number, found in enumerate(listing.shown, 1)]
    return message(
        t.mrkdwn("{} that you may see", _count(listing)),
        section(
            t.lines(_heading(listing), PAGE_GONE if listing.page_gone else None),
            accessory=_page_button("Previous page", listing.previous),
        ),
        *rows,
        actions(_page_button("Next page", listing.following), block_id="list:onward"),
        context(_footer(listing)),
    )


def _page_button(label: str, page: ListPage | None) -> Element | None:
    return button(label, action_id=PAGE_ACTION, value=page.value) if page else None


def with_private_note(content: Content, since: UnixTime | None, now: UnixTime) -> Content:
    """An answer about one alert, with the note that only this person sees it."""
    return message(content.text, *content.blocks, context(Mrkdwn("Only you see this."), role_age(since, now)))


def _draw_nothing(listing: Listing) -> Content:
    state, for_what = _state(listing.alert_filter)
    kind = f"{state} alerts" if state else "alerts"
    return message(
        t.mrkdwn("No {} that you may see", kind),
        section(t.mrkdwn(":mag: *No {}*{} that you may see.", kind, for_what)),
        context(_sentences(_missing(listing), ONLY_VISIBLE, _wider(listing.alert_filter))),
    )


def _wider(alert_filter: Filter) -> Mrkdwn:
    """The command that finds more alerts than the filter."""
    if _state(alert_filter)[0] == "open":
        closed = Term(Qualifier.IS, ("closed", "open"))
        terms = tuple(closed if term in _STATES else term for term in alert_filter.terms)
        wider = replace(alert_filter, terms=terms)
        return t.mrkdwn("Closed ones too: {}", t.code(f"/leaks list {wider}", 1_000))
    return t.mrkdwn("All open ones: {}", t.code("/leaks list"))


def _heading(listing: Listing) -> Mrkdwn:
    last = (listing.first or 0) + len(listing.shown) - 1
    part = Mrkdwn("")
    is_part = listing.is_longer or len(listing.shown) < (listing.total or 0)
    if listing.first is not None and is_part:
        part = t.mrkdwn(", {} to {}", listing.first, last)
    return t.mrkdwn("*{}*{}{}", _count(listing), _state(listing.alert_filter)[1], part)


def _count(listing: Listing) -> Mrkdwn:
    state = _state(listing.alert_filter)[0]
    if listing.total is None:
        return t.prose(f"{state.capitalize()} alerts" if state else "Alerts")
    noun = f"{state} alert" if state else "alert"
    if listing.is_longer:
        return t.prose(f"More than {listing.total:,} {noun}s")
    return t.prose(counted(listing.total, noun))


def _row(found: FoundAlert, number: int, now: UnixTime) -> Block:
    alert, repository = found.alert, found.repository
    level = urgency(alert, repository)
    name = t.mrkdwn("{} #{}", t.link(repository.html_url, repository.full_name), alert.key.number)
    facts = (name, _state_words(alert), f"{duration_words(now - alert.created_at)} old", _on_it(alert))
    title = t.mrkdwn(
        "{} {}{}",
        t.emoji(urgency_sign(alert, level) if alert.is_open else _closed_sign(alert)),
        t.mrkdwn("*{}* ", level.capitalize()) if alert.is_open else Mrkdwn(""),
        t.link(alert.html_url, alert.secret_type_name),
    )
    return section(
        t.lines(title, t.join(fact for fact in facts if fact)),
        block_id=f"alert:{alert.key}:row-{number}",
        accessory=button("Show", action_id=SHOW_ALERT_ACTION, value=str(alert.key)),
    )


def _closed_sign(alert: Alert) -> str:
    return "warning" if effective_validity(alert) == "active" else "white_check_mark"


def _state_words(alert: Alert) -> str:
    """The state in words, because an emoji alone is not enough."""
    dead = "no longer works" if confirmed_inactive(alert) else "not valid on this GitHub"
    words = {"active": "works" if alert.is_open else "still works", "inactive": dead}
    works = words.get(effective_validity(alert), NOT_KNOWN)
    return works if alert.is_open else f"closed as {resolution_words(alert.resolution)}, {works}"


def _on_it(alert: Alert) -> str | None:
    if alert.taken_by is not None and alert.taken_by.slack_user is not None:
        return t.user(alert.taken_by.slack_user)
    account = (alert.taken_by.github if alert.taken_by else None) or alert.assigned_to
    if account is not None:
        return t.code(account.login)
    return "nobody yet" if alert.is_open else None


def _footer(listing: Listing) -> Mrkdwn:
    age = role_age(listing.roles_since, listing.now)
    return _sentences(_missing(listing), ONLY_VISIBLE, age, _narrower(listing))


def _sentences(*parts: Mrkdwn | None) -> Mrkdwn:
    return t.join((part for part in parts if part), " ")


def role_age(since: UnixTime | None, now: UnixTime) -> Mrkdwn | None:
    """How old the roles behind an answer are; None if they are fresh."""
    if since is None or now - since <= FRESH_ROLES:
        return None
    return t.mrkdwn("What you may view was last checked with GitHub {} ago.", duration_words(now - since))


def _missing(listing: Listing) -> Mrkdwn | None:
    """Why alerts may be missing from the list."""
    if listing.github_unreachable:
        return UNREACHABLE
    return TOO_MANY if listing.too_many_repositories else None


def _narrower(listing: Listing) -> Mrkdwn | None:
    """The same list with one more condition, as an example; None if the list has one page."""
    alert_filter = listing.alert_filter
    if alert_filter.uses(Qualifier.REPO) or (listing.previous, listing.following) == (None, None):
        return None
    name = Term(Qualifier.REPO, (listing.shown[0].repository.full_name,))
    example = replace(alert_filter, terms=(*alert_filter.terms, name))
    # Without a state, `list` would add `is:open`.
    subcommand = "list" if names_state(alert_filter) else "search"
    return t.mrkdwn("Narrow it: {}", t.code(f"/leaks {subcommand} {example}", 1_000))


def _state(alert_filter: Filter) -> tuple[str, Mrkdwn]:
    """The state that the filter names, and `for` with the rest of it; an empty state if it names none or two."""
    states = [term for term in alert_filter.terms if term in _STATES]
    state = _STATES[states[0]] if len(states) == 1 else ""
    if state:
        others = tuple(term for term in alert_filter.terms if term not in _STATES)
        alert_filter = replace(alert_filter, terms=others)
    rest = str(alert_filter)
    return state, t.mrkdwn(" for {}", t.code(rest, 1_000)) if rest else Mrkdwn("")
