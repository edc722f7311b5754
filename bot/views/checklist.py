"""Draws the checklist in the card's thread: the steps, who did them, and links."""

from collections.abc import Mapping, Sequence

from bot.options import Step
from bot.rules.case import Case
from bot.rules.checklist import Tick, has_checklist
from bot.views.formatting import plain_name
from integrations.slack import text as t
from integrations.slack.blocks import Content, actions, context, message, section
from integrations.slack.elements import Element, Option, checkboxes
from integrations.slack.text import Mrkdwn

TITLE = "What is left to do"
NOTHING = "Nothing is left to do: this was no real secret."


def draw_checklist(
    case: Case,
    steps: Sequence[Step],
    done: Mapping[str, Tick],
    draw: int,
    *,
    token_page: str | None,
    uses: Element | None,
) -> Content:
    """The checklist's message.

    `draw` makes its block ids unique. `token_page` is the URL where the owner deletes a token. `uses` is the button
    Find its uses.
    """
    key = case.alert.key
    if not has_checklist(case.alert):
        return message(t.escape(NOTHING), section(t.prose(NOTHING)))
    where = t.mrkdwn("{} for alert {} in {}", TITLE, key.number, case.repository.full_name)
    options = [Option(step.text, step.id) for step in steps]
    boxes = checkboxes(action_id="next_steps", options=options, checked=done)
    ticked = [(step, done[step.id]) for step in steps if step.id in done]
    by_whom = [
        t.mrkdwn("{}: {} {}", step.text, plain_name(tick.by), t.date(tick.at)) for step, tick in ticked
    ]
    links = [t.link(step.link, step.text) for step in steps if step.link]
    owner = case.alert.token.owner
    if token_page is not None and case.alert.is_open:
        whose = t.code(owner.login) if owner else Mrkdwn("Its owner")
        links.append(t.mrkdwn("{} can delete it at {}", whose, t.link(token_page, "their token page")))
    notes = [part for part in (t.join(by_whom, ". "), t.join(links, ", ")) if part]
    return message(
        t.mrkdwn("{}: {} of {} done", where, len(ticked), len(steps)),
        section(t.mrkdwn("*{}*", TITLE)),
        actions(boxes, block_id=f"alert:{key}:steps-{draw}"),
        context(t.join(notes, "\n")) if notes else None,
        actions(uses, block_id=f"alert:{key}:uses-{draw}") if uses else None,
    )
