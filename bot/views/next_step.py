"""Words the line that says what to do next about an alert."""

from collections.abc import Mapping

from bot.rules.case import Case
from bot.rules.next_step import Advice, NextStep, next_step
from bot.views.formatting import counted, is_github_secret
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Alert

WORDS: Mapping[Advice, str] = {
    Advice.CHECK: "check whether it works",
    Advice.CHECK_AGAIN: "check again whether it works",
    Advice.ROTATE: "rotate it {where}",
    Advice.ROTATE_THEN_REPORT: "rotate it {where} before you report it",
    Advice.ROTATE_BEFORE_SENDING: "rotate it {where}; the report will be sent {at}",
    Advice.ROTATE_AFTER_REPORT: "rotate it {where} at once: the report has not stopped it",
    Advice.APPROVE: "a second person approves or denies the report in the thread; its request lapses {at}",
    Advice.REPORT: "its steps are done, but it still works: report it",
    Advice.REVOKE: "its steps are done, but it still works: revoke it {where}",
    Advice.VERIFY: "its steps are done; make sure that it no longer works",
    Advice.FIND_SERVER: "find out which GitHub it belongs to, and rotate it there",
    Advice.WAIT: "GitHub is asked again {at}{left}",
    Advice.LOGS_THEN_CLOSE: "check the logs for use by others; then close as Revoked",
    Advice.STEPS_THEN_CLOSE: "{steps}; then close as Revoked",
    Advice.CLOSE: "close as Revoked",
    Advice.ROTATE_UNREACHABLE: "rotate it {where}; here nothing more can be done",
    Advice.NOTHING_UNREACHABLE: "here nothing more can be done",
    Advice.REOPEN: "reopen it: it still works",
    Advice.ROTATE_CLOSED: "rotate it {where}: it still works",
    Advice.STEPS_CLOSED: "{steps}",
    Advice.NOTHING: "nothing is left to do",
}


def next_line(case: Case) -> Mrkdwn:
    """The line `*Next:* …` of a card."""
    step = next_step(case)
    words = _worded(step, case)
    if step.take:
        words = t.mrkdwn("take it, and {}", words)
    if step.github_notifies:
        words = t.mrkdwn("{}; GitHub {}", words, _notifies(case.alert))
    return t.fact("Next", words)


def _worded(step: NextStep, case: Case) -> Mrkdwn:
    steps = steps_left(case)
    return t.mrkdwn(
        WORDS[step.advice],
        where=_where(case.alert),
        at=_at(step, is_open=case.alert.is_open),
        steps=steps,
        left=t.mrkdwn("; {}", steps) if case.steps_done < case.steps_total else Mrkdwn(""),
    )


def steps_left(case: Case) -> str:
    """`2 of 3 steps are left`."""
    left = case.steps_total - case.steps_done
    return f"{left} of {counted(case.steps_total, 'step')} {'is' if left == 1 else 'are'} left"


def _where(alert: Alert) -> Mrkdwn:
    """With whom or at whom a secret is rotated."""
    if is_github_secret(alert):
        owner = alert.token.owner.login if alert.token.owner else alert.token.owner_name
        return t.mrkdwn("with {}", t.code(owner) if owner else "its owner")
    return t.mrkdwn("at {}", alert.provider) if alert.provider else Mrkdwn("wherever it is used")


def _at(step: NextStep, *, is_open: bool) -> Mrkdwn:
    """When something happens by itself: within the hour for an open alert, within a day for a closed one."""
    if step.at is None:
        return Mrkdwn("later")
    return t.mrkdwn("at {}", t.date(step.at, "{time}")) if is_open else t.date(step.at)


def _notifies(alert: Alert) -> str:
    return "reports it itself" if is_github_secret(alert) else "tells the provider itself"
