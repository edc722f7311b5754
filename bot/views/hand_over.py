"""Draws the form of Hand over and the message to the receiver, with the words for effects and refusals."""

from collections.abc import Mapping

from bot.errors import Refused
from bot.rules.case import PersonalCase, Receiver
from bot.rules.hand_over import Effect, Obstacle
from bot.views.answers import answer
from bot.views.formatting import alert_name, alert_title, person_words
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, input_block, message, section
from integrations.slack.elements import people_select
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Person, Repository

BLOCK = "receiver"
LABEL, PLACEHOLDER = "Hand over to", "Pick a person"
HINT = "They get a direct message with a link to the card."
REFUSED = "The alert can't be handed over to this person."
HANDED_OVER = "The alert was handed over."
RECEIVED = "An alert was handed over to you."
EFFECTS: Mapping[Effect, str] = {
    Effect.GRANT: "GitHub will let {who} see and resolve this alert.",
    Effect.ASSIGN: "GitHub will show {who} as the assignee.",
    Effect.SHOWN: "GitHub shows {who} as the assignee already.",
    Effect.NOT_ASSIGNED: "GitHub will not show {who} as the assignee.",
    Effect.NOT_WRITTEN: "Nothing is written to GitHub, since you may not resolve this alert by your role there.",
    Effect.LATER: "GitHub does not answer now; the role of {who} is checked, and the assignee set, when it is back.",
}
LOGIN = 100
"""The longest part of a login that is shown."""
NO_DISMISSAL = "Closing it stays with organization owners and security managers."
"""After the sentence about a grant, where delegated alert dismissal is on or may be on."""
OBSTACLES: Mapping[Obstacle, str] = {
    Obstacle.YOURSELF: "That is you. To take the alert yourself, press I'm on it on the card.",
    Obstacle.ON_IT: "{who} is on it already.",
    Obstacle.BOT: "That is a bot. Pick a person.",
    Obstacle.DEACTIVATED: "This person's Slack account is deactivated.",
    Obstacle.OTHER_ORGANIZATION: "This person belongs to another organization, and can't use Stanch here.",
    Obstacle.GUEST: "This person is a guest in Slack, and guests can't use Stanch.",
    Obstacle.NOT_LINKED: "Stanch doesn't know this person's GitHub account. An operator of Stanch can link it.",
    Obstacle.UNKNOWN_PERSON: "Slack knows no such person here.",
    Obstacle.SLACK_UNREACHABLE: "Slack did not say who this person is. Pick them again in a moment.",
    Obstacle.NO_VIEW: (
        "GitHub doesn't let {who} see this alert. Only a person who may resolve it by role can change that."
    ),
    Obstacle.NO_VIEW_OFFLINE: (
        "GitHub did not let {who} see this alert when it was asked last, and it does not answer now."
    ),
    Obstacle.NO_ASSIGNEES: (
        "GitHub doesn't let {who} see this alert, and this GitHub server has no assignees that could change that."
    ),
    Obstacle.NO_WRITE: (
        "GitHub doesn't let {who} see this alert. As the assignee they could, but GitHub takes only people with "
        "write access to the repository."
    ),
    Obstacle.OTHER_ASSIGNEE: (
        "GitHub doesn't let {who} see this alert. As the assignee they could, but somebody else is the assignee on "
        "GitHub."
    ),
}


def form_blocks(case: PersonalCase, effect: Effect | Obstacle | None) -> list[Block | None]:
    """The alert, who is on it, the people picker, and what follows for the picked person or why they are refused."""
    receiver, holder = case.receiver, case.alert.taken_by
    known = receiver.identity if receiver else None
    on_it = t.mrkdwn("On it: {}", person_words(holder) if holder else "nobody yet")
    picker = people_select(PLACEHOLDER, action_id=BLOCK, initial=known.slack_user if known else None)
    return [
        section(t.lines(alert_name(case.alert, case.repository), on_it)),
        input_block(LABEL, picker, block_id=BLOCK, hint=HINT, dispatches=True),
        section(_consequence(case, receiver, effect)) if receiver and effect else None,
    ]


def _consequence(case: PersonalCase, receiver: Receiver, effect: Effect | Obstacle) -> Mrkdwn:
    if isinstance(effect, Obstacle):
        return t.mrkdwn(":no_entry: {}", obstacle_words(receiver, effect))
    sign = "warning" if effect is Effect.GRANT else "information_source"
    return t.mrkdwn("{} {}", t.emoji(sign), effect_words(case, receiver, effect))


def effect_words(case: PersonalCase, receiver: Receiver, effect: Effect) -> str:
    """What the hand over changes on GitHub."""
    words = EFFECTS[effect].format(who=_who(receiver))
    if effect is Effect.GRANT and case.repository.delegated_dismissal is not False:
        return f"{words} {NO_DISMISSAL}"
    return words


def obstacle_words(receiver: Receiver, obstacle: Obstacle) -> str:
    """Why the alert can't be handed over to that person."""
    return OBSTACLES[obstacle].format(who=_who(receiver))


def refused_receiver(case: PersonalCase, receiver: Receiver, obstacle: Obstacle) -> Refused:
    """The refusal, which is audited under the obstacle's word."""
    detail = t.lines(alert_name(case.alert, case.repository), obstacle_words(receiver, obstacle))
    return Refused(f"receiver_{obstacle}", REFUSED, detail)


def handed_over_answer(case: PersonalCase, receiver: Receiver, effect: Effect) -> Content:
    """The private answer to the giver."""
    on_it = t.mrkdwn("{} is on it now.", person_words(receiver.person))
    words = effect_words(case, receiver, effect)
    return answer("raising_hand", HANDED_OVER, t.lines(alert_name(case.alert, case.repository), on_it, words))


def receiver_message(
    alert: Alert, repository: Repository, giver: Person, card: str | None, *, may_view: bool, grants: bool
) -> Content:
    """The direct message to the receiver; `card` is the address of the card.

    Without `may_view` it is not known whether they may see the alert, so it says nothing about the alert itself.
    """
    lines = t.lines(
        t.mrkdwn(":raising_hand: *{}*", RECEIVED),
        alert_title(alert, repository) if may_view else None,
        t.mrkdwn("By {}.", person_words(giver)),
        "GitHub lets you see and resolve it as its assignee." if grants else None,
        t.link(card, "Open the card") if card else None,
    )
    return message(t.without_markup(lines), section(lines))


def _who(receiver: Receiver) -> str:
    """The receiver's login."""
    return t.clean(receiver.identity.github.login, LOGIN) if receiver.identity else "this person"
