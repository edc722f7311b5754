"""Draws the form of Report leak, and the refusal of what can't be reported."""

from bot.errors import Refused
from bot.rules.approval import is_to_be_approved
from bot.rules.case import PersonalCase
from bot.rules.owner_message import advises_report_first, owner_obstacle
from bot.rules.validity import effective_validity
from bot.views.approval import approval_blocks
from bot.views.formatting import (
    alert_name,
    closed_by_words,
    duration_words,
    joined_words,
    person_words,
    resolution_words,
)
from bot.views.owner_message import notice_of, owner_lines
from bot.views.replies import OWNER_ANSWERS
from integrations.slack import text as t
from integrations.slack.blocks import Block, actions, context, input_block, section
from integrations.slack.elements import Option, button, checkboxes
from integrations.slack.text import Mrkdwn
from storage.records import Person

UNDERSTOOD = "I understand the consequence, report this secret"
CONSEQUENCE = Mrkdwn(
    ":one: *Rotate it first.* Whatever uses this token stops working, perhaps within minutes.\n"
    ":two: GitHub treats it as publicly leaked and may revoke it.\n"
    ":three: GitHub tells the token's owner.\n"
    ":four: *It can't be undone.*"
)
TELL_FIRST = "Tell {} first"
UNCONFIRMED = "Stanch does not check here whether it still works, so it can't confirm that GitHub revoked it."
OWNER_UNKNOWN = Mrkdwn("Its owner is not known yet; *Check validity* on the card may tell.")
REPORT_FIRST = Mrkdwn(
    ":warning: *Report it first, and tell the owner afterwards:* it works and is in public, so others may use it."
)
OWN_TOKEN = Mrkdwn("This token is yours.")
OBSTACLES = {
    "unreachable": "Stanch can no longer reach this repository.",
    "closed": "This alert is closed already.",
    "secret_type": "This kind of secret can't be reported from here; revoke it at its provider.",
    "server": "This GitHub server takes no reports.",
    "public": "The repository is public, so GitHub reports its leaks itself.",
    "reported": "It has been reported already.",
    "waiting": "Its report is waiting for GitHub's quota and will be sent.",
    "inactive": "It does not work here, so there is nothing to report.",
}


def draw_report_form(case: PersonalCase) -> list[Block | None]:
    """The token, what reporting it means, its owner, and the box to accept the consequence."""
    consent = checkboxes(action_id="understood", options=[Option(UNDERSTOOD, "yes")])
    return [
        section(t.lines(alert_name(case.alert, case.repository), _token_words(case))),
        section(_held_words(case.held_for)) if case.held_for else None,
        section(CONSEQUENCE),
        section(REPORT_FIRST) if advises_report_first(case.alert) else None,
        None if case.options.validity.probes else section(t.prose(UNCONFIRMED)),
        *_owner_blocks(case),
        *(approval_blocks(case) if is_to_be_approved(case) else ()),
        input_block("Consequence", consent, block_id="consequence"),
    ]


def _held_words(person: Person) -> Mrkdwn:
    return t.mrkdwn(
        ":key: *Stanch holds this token:* it acts on GitHub for {} with it. "
        "After the report they have to sign in again with `/leaks link`.",
        person_words(person),
    )


def not_reportable(case: PersonalCase, obstacle: str) -> Refused:
    """The refusal for a word of `report_obstacle`."""
    name = alert_name(case.alert, case.repository)
    return Refused(obstacle, OBSTACLES[obstacle], t.lines(name, _obstacle_detail(case, obstacle)))


def owner_not_told(case: PersonalCase, obstacle: str) -> Mrkdwn:
    """Why the token's owner can't be told, for a word of `owner_obstacle`."""
    owner = case.alert.token.owner
    login = t.code(owner.login) if owner else Mrkdwn("the token's owner")
    if obstacle == "owner_outside":
        return t.mrkdwn("{} is a guest or not active in this Slack, so Stanch can't tell them.", login)
    return {
        "owner_unknown": _owner_unknown(case),
        "owner_acts": OWN_TOKEN,
        "owner_not_linked": t.mrkdwn("Nobody here is linked to {}, so Stanch can't tell them.", login),
    }[obstacle]


def _owner_unknown(case: PersonalCase) -> Mrkdwn:
    return OWNER_UNKNOWN if case.options.validity.probes else Mrkdwn("Its owner is not known.")


def _owner_blocks(case: PersonalCase) -> list[Block | None]:
    """The message to the token's owner and the button that sends it, or why there is none."""
    owner, obstacle = case.alert.token.owner, owner_obstacle(case)
    if owner is None:
        return [section(_owner_unknown(case))] if case.alert.token.owner_name is None else []
    if case.owner_told:
        answer = OWNER_ANSWERS.get(case.owner_answer or "")
        said = t.mrkdwn(", and {}", answer) if answer else Mrkdwn("")
        return [section(t.mrkdwn(":white_check_mark: {} has been told{}.", t.code(owner.login), said))]
    if obstacle is not None:
        return [section(owner_not_told(case, obstacle))]
    tell = button(TELL_FIRST.format(owner.login), action_id="tell_owner", value=str(case.alert.key))
    return [
        section(t.mrkdwn("{} would get this message:", t.code(owner.login))),
        context(owner_lines(notice_of(case))),
        actions(tell, block_id=f"alert:{case.alert.key}:owner"),
    ]


def _obstacle_detail(case: PersonalCase, obstacle: str) -> Mrkdwn | None:
    """Who closed or reported it, and how long ago."""
    alert, report = case.alert, case.alert.report
    if obstacle == "closed":
        ago = duration_words(case.now - (alert.resolved_at or alert.updated_at))
        words = resolution_words(alert.resolution)
        return t.mrkdwn("Closed as {} {} {} ago.", words, closed_by_words(alert), ago)
    if report is None or obstacle not in ("reported", "waiting"):
        return None
    ago = duration_words(case.now - report.at)
    if obstacle == "reported":
        return t.mrkdwn("{} reported it {} ago.", person_words(report.by), ago)
    due = t.date(report.next_look_at or report.at)
    return t.mrkdwn("{} asked for it {} ago; it will be sent {}.", person_words(report.by), ago, due)


def _token_words(case: PersonalCase) -> Mrkdwn:
    token = case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    words = {"active": "Active", "inactive": "Inactive"}
    validity = words.get(effective_validity(case.alert), "Not known whether it works")
    parts: list[str | Mrkdwn] = []
    if owner:
        parts.append(t.mrkdwn("Belongs to {}", t.code(owner)))
    if token.scopes:
        noun = "scopes" if len(token.scopes) > 1 else "scope"
        parts.append(f"{noun if owner else noun.capitalize()} {joined_words(token.scopes)}")
    return t.mrkdwn("{}. {}.", validity, t.join(parts)) if parts else t.mrkdwn("{}.", validity)
