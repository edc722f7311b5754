"""Draws the request for approval of a report, its answers, and why somebody can't decide it."""

from collections.abc import Mapping

from bot.errors import ApprovalEnded, Refused
from bot.rules.approval import alone_at
from bot.rules.case import Case, PersonalCase
from bot.rules.rights import Need, OthersCan
from bot.views.answers import answer
from bot.views.formatting import alert_name, alert_title, counted, duration_words, plain_name
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, actions, section
from integrations.slack.elements import button
from integrations.slack.text import Mrkdwn
from storage.records import Alert, AlertKey, Approval, Repository

APPROVE, DENY = "approve_report", "deny_report"
"""Slack's action ids of the two buttons."""
SECOND_PERSON = "A second person has to approve this within an hour; nothing is sent before."
WHO = "Who can: somebody with the right by role, linked by sign-in or by an operator before it was asked for."
NOTHING_SENT = "Nothing was sent to GitHub. It can be asked for again from the card."
CHANGES: Mapping[str, str] = {
    "validity_changed": "what is known of whether the secret works has changed",
    "token_owner_changed": "the token has another owner, as far as is known",
    "visibility_changed": "the visibility of the repository has changed",
    "role_changed": "the person who asked has another role on GitHub",
    "other_account": "the person who asked is linked to another GitHub account",
    "approval_lapsed": "it could not be sent within an hour",
    "closed": "the alert was closed",
    "public": "the repository is public, so GitHub reports its leaks itself",
    "reported": "it was reported already",
    "inactive": "the secret does not work",
    "no_role": "GitHub no longer lets the person who asked see this alert",
    "not_linked": "the person who asked is no longer linked to a GitHub account",
    "suspended": "the link of the person who asked to their GitHub account is suspended",
    "guest": "the person who asked is a guest in Slack now",
    "deactivated": "the Slack account of the person who asked is deactivated",
}
"""Why a request ended; by the words of refusals, as they are stored."""
OTHER_CHANGE = "it was refused when it was checked again"
DECIDED: Mapping[str, str] = {
    "approval_unknown": "This request for approval is no longer known.",
    "approval_approved": "This report has been approved already.",
    "approval_denied": "This report has been denied already.",
    "approval_lapsed": "This request for approval has lapsed.",
    "approval_ended": "This request for approval has ended.",
}
NOT_THE_SECOND: Mapping[str, str] = {
    "self_approval": "You asked for this report yourself, so a second person has to decide.",
    "alone_later": "You asked for this report yourself, so a second person has to decide.",
    "others_can": "You can't go ahead alone: GitHub names others with the right.",
    "others_unknown": "You can't go ahead alone: GitHub does not say for sure that nobody else has the right.",
    "weak_link": "Your GitHub account was linked by the directory, which is not enough to decide this.",
    "linked_later": "You were linked to your GitHub account after this was asked for, so you can't decide it.",
    "not_by_role": "You can't decide this: none of your roles on GitHub gives you the right.",
}


def because_words(word: str) -> str:
    """Why a request ended, as a part of a sentence."""
    return CHANGES.get(word, OTHER_CHANGE)


def request_buttons(key: AlertKey, request: str, draw: int) -> Block | None:
    """Approve and Deny; their values name the request, so that an old button decides no new one."""
    value = f"{key}/{request}"
    return actions(
        button("Approve", action_id=APPROVE, value=value, style="danger"),
        button("Deny", action_id=DENY, value=value),
        block_id=f"alert:{key}:approval-{draw}",
    )


def approval_blocks(case: PersonalCase) -> list[Block | None]:
    """What the form of a report says where a second person has to approve it."""
    alone = case.options.report.alone_after
    words = t.lines(
        t.mrkdwn(":busts_in_silhouette: *{}*", SECOND_PERSON),
        t.as_mrkdwn(case.who_approves) if case.who_approves else None,
        alone
        and f"If GitHub names nobody else, you can press Approve yourself after {counted(alone, 'minute')}.",
    )
    return [section(words)]


def asked_answer(case: PersonalCase, approval: Approval) -> Content:
    """The private answer to the person who asked."""
    until = t.mrkdwn("A second person has to approve it in the thread, until {}.", _time(approval.expires_at))
    name = alert_name(case.alert, case.repository)
    return answer("busts_in_silhouette", "Asked for approval; nothing is sent yet.", t.lines(name, until))


def approved_answer(case: PersonalCase) -> Content:
    """The private answer to the person who approved, or who went ahead alone."""
    after = "Everything is checked once more, and then it is sent; the card shows the result."
    return answer(
        "white_check_mark", "The report is approved.", t.lines(alert_name(case.alert, case.repository), after)
    )


def denied_answer(case: PersonalCase) -> Content:
    """The private answer to the person who denied."""
    name = alert_name(case.alert, case.repository)
    return answer("no_entry_sign", "Denied; nothing is sent.", name)


def ended_notice(approval: Approval, alert: Alert, repository: Repository, because: str) -> Content:
    """Tells the person who asked that nothing was sent; `because` is a word of CHANGES, `denied` or `lapsed`."""
    name = alert_title(alert, repository)
    if because == "denied":
        who = t.mrkdwn("{} denied it. You can ask again in an hour.", plain_name(approval.decided_by))
        return answer("no_entry_sign", "The report that you asked for was denied.", t.lines(name, who))
    if because == "lapsed":
        headline = "Nobody approved the report that you asked for within an hour."
        return answer("hourglass", headline, t.lines(name, NOTHING_SENT))
    headline = f"The report that you asked for was not sent: {because_words(because)}."
    return answer("no_entry_sign", headline, t.lines(name, NOTHING_SENT))


def cant_ask(case: PersonalCase, obstacle: str) -> Refused:
    """The refusal for a word of `ask_obstacle`."""
    name = alert_name(case.alert, case.repository)
    if obstacle == "denied_before":
        ago = duration_words(case.now - (case.denied_at or case.now))
        detail = t.mrkdwn(
            "You can ask again an hour after that, or somebody else can at once. It was {} ago.", ago
        )
        return Refused(obstacle, "A second person has denied this report.", t.lines(name, detail))
    return Refused(
        obstacle, "This report waits for a second person's approval.", t.lines(name, _who_asked(case))
    )


def cant_decide(case: PersonalCase, obstacle: str) -> Refused:
    """The refusal for a word of `decision_obstacle` or `alone_obstacle`."""
    if obstacle in DECIDED:
        return Refused(obstacle, DECIDED[obstacle], _decision(case))
    who = WHO if obstacle in ("linked_later", "weak_link", "not_by_role") else None
    detail = t.lines(_alone(case, obstacle), who)
    return OthersCan(obstacle, NOT_THE_SECOND[obstacle], detail, who_can=Need.VIEW)


def request_ended(case: PersonalCase, approval: Approval, obstacle: str) -> ApprovalEnded:
    """What was asked for has changed, so the request ends; `obstacle` is a word of CHANGES."""
    headline = f"The request has ended: {because_words(obstacle)}."
    detail = t.lines(alert_name(case.alert, case.repository), NOTHING_SENT)
    return ApprovalEnded(obstacle, headline, detail, request=approval.id)


def not_sent(case: PersonalCase, obstacle: str) -> Refused:
    """Why an approved report is not sent after all; for a word of `run_obstacle`."""
    headline = f"The approved report is not sent: {because_words(obstacle)}."
    return Refused(obstacle, headline, t.lines(alert_name(case.alert, case.repository), NOTHING_SENT))


def _who_asked(case: Case) -> Mrkdwn | None:
    """Who asked, and until when it can be approved."""
    approval = case.approval
    if approval is None:
        return None
    ago, by = duration_words(case.now - approval.requested_at), plain_name(approval.requested_by)
    until = _time(approval.expires_at)
    return t.mrkdwn("{} asked for it {} ago; it can be approved in the thread until {}.", by, ago, until)


def _decision(case: PersonalCase) -> Mrkdwn:
    approval = case.approval
    if approval is None or approval.decided_by is None:
        return t.prose("Look at the card; a new request has buttons of its own.")
    ago = duration_words(case.now - (approval.decided_at or approval.requested_at))
    return t.mrkdwn("By {}, {} ago.", plain_name(approval.decided_by), ago)


def _alone(case: PersonalCase, obstacle: str) -> Mrkdwn | None:
    at = alone_at(case)
    if obstacle != "alone_later" or at is None:
        return None
    return t.mrkdwn(
        "From {} on you can go ahead alone, if GitHub names nobody else with the right.", _time(at)
    )


def _time(at: float) -> Mrkdwn:
    return t.date(at, "{time}")
