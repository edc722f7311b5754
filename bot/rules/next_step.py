"""Table of what to do next about an alert: one piece of advice for its card."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.case import Case
from bot.rules.report_eligibility import report_obstacle
from bot.rules.validity import RECHECK_AFTER, confirmed_inactive, effective_validity, is_probed
from integrations.github.token_verdict import UNPROBEABLE
from storage.records import Alert, ReportState, UnixTime


class Advice(StrEnum):
    """What to do next. Only CLOSE, STEPS_THEN_CLOSE and LOGS_THEN_CLOSE lead to closing as revoked."""

    CHECK = "check"
    CHECK_AGAIN = "check_again"
    ROTATE = "rotate"
    """The owner rotates it at the provider."""
    ROTATE_THEN_REPORT = "rotate_then_report"
    ROTATE_BEFORE_SENDING = "rotate_before_sending"
    """The report waits for GitHub's limit."""
    ROTATE_AFTER_REPORT = "rotate_after_report"
    """The report did not stop the secret from working."""
    APPROVE = "approve"
    """A second person has to approve the report."""
    REPORT = "report"
    """All steps are done, and it still works."""
    REVOKE = "revoke"
    """The same for a secret that can't be reported."""
    VERIFY = "verify"
    """All steps are done, and it is not known whether it works."""
    FIND_SERVER = "find_server"
    """It is not valid on this GitHub, which never accepted it: it may work on another one."""
    WAIT = "wait"
    """GitHub is asked again by itself."""
    LOGS_THEN_CLOSE = "logs_then_close"
    STEPS_THEN_CLOSE = "steps_then_close"
    CLOSE = "close"
    ROTATE_UNREACHABLE = "rotate_unreachable"
    """Nothing can be done in Slack, because GitHub no longer shows the repository."""
    NOTHING_UNREACHABLE = "nothing_unreachable"
    REOPEN = "reopen"
    ROTATE_CLOSED = "rotate_closed"
    """It was closed with an accepted risk, and still works."""
    STEPS_CLOSED = "steps_closed"
    NOTHING = "nothing"


WITH_TAKING = frozenset(
    {Advice.ROTATE, Advice.ROTATE_THEN_REPORT, Advice.ROTATE_AFTER_REPORT, Advice.LOGS_THEN_CLOSE}
)
"""Advice that begins with taking the alert, while nobody is on it."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The advice, and what its words depend on."""

    advice: Advice
    take: bool = False
    """Somebody has to take the alert first."""
    at: UnixTime | None = None
    """When something happens by itself: GitHub is asked again, the report is sent, or its approval lapses."""
    github_notifies: bool = False
    """GitHub itself reports the secret, or tells its provider, because the repository is public."""


def next_step(case: Case) -> NextStep:
    """The advice for an alert's state, validity, report, steps, provider and who is on it."""
    rows = _open(case) if case.alert.is_open else _closed(case)
    advice = next(advice for holds, advice in rows if holds)
    alert = case.alert
    free = alert.taken_by is None and alert.assigned_to is None
    notifies = case.repository.is_public and alert.category != "generic" and alert.is_open
    return NextStep(
        advice,
        take=free and advice in WITH_TAKING,
        at=case.approval.expires_at if case.approval and advice is Advice.APPROVE else _due(alert, advice),
        github_notifies=notifies and not confirmed_inactive(alert),
    )


def _open(case: Case) -> Iterator[tuple[bool, Advice]]:
    """The rows for an open alert; the first one that holds is the advice."""
    alert = case.alert
    report = alert.report.state if alert.report else None
    reportable = report_obstacle(alert, case.repository, case.server, case.options.report) is None
    probed = is_probed(alert, case.options.validity)
    validity, dead = effective_validity(alert), confirmed_inactive(alert)
    complete = 0 < case.steps_total <= case.steps_done
    unclear = alert.probe is not None and alert.probe.verdict == "unknown" and not alert.probe.superseded
    unprobeable = unclear and alert.probe is not None and alert.probe.reason in UNPROBEABLE
    yield not case.repository.is_reachable and dead, Advice.NOTHING_UNREACHABLE
    yield not case.repository.is_reachable, Advice.ROTATE_UNREACHABLE
    # Dead: the only state in which closing as revoked is true.
    yield dead and case.steps_total == 0, Advice.LOGS_THEN_CLOSE
    yield dead and not complete, Advice.STEPS_THEN_CLOSE
    yield dead, Advice.CLOSE
    yield case.approval is not None, Advice.APPROVE
    # Reported, and not known to be dead.
    yield report is ReportState.WAITING, Advice.ROTATE_BEFORE_SENDING
    yield _is_followed_up(case), Advice.WAIT
    yield validity == "inactive" and complete, Advice.VERIFY
    yield validity == "inactive", Advice.FIND_SERVER
    # It works.
    yield validity == "active" and complete and reportable, Advice.REPORT
    yield validity == "active" and complete, Advice.REVOKE
    yield validity == "active" and report is ReportState.STILL_ACTIVE, Advice.ROTATE_AFTER_REPORT
    yield validity == "active" and reportable, Advice.ROTATE_THEN_REPORT
    yield validity == "active", Advice.ROTATE
    # Not known.
    yield probed and not unclear, Advice.CHECK
    yield probed and not unprobeable, Advice.CHECK_AGAIN
    yield complete, Advice.VERIFY
    yield True, Advice.ROTATE


def _closed(case: Case) -> Iterator[tuple[bool, Advice]]:
    """The rows for a closed alert; the first one that holds is the advice."""
    alert = case.alert
    active, dead = effective_validity(alert) == "active", confirmed_inactive(alert)
    revoked, reachable = alert.resolution == "revoked", case.repository.is_reachable
    yield reachable and _is_followed_up(case), Advice.WAIT
    yield active and alert.resolution == "wont_fix", Advice.ROTATE_CLOSED
    yield active and reachable, Advice.REOPEN
    yield active, Advice.ROTATE_UNREACHABLE
    yield revoked and case.steps_done < case.steps_total, Advice.STEPS_CLOSED
    yield revoked and not dead and reachable and _is_rechecked(case), Advice.WAIT
    yield True, Advice.NOTHING


def _is_followed_up(case: Case) -> bool:
    """Whether the reported secret is still going to be probed."""
    report = case.alert.report
    asked = report is not None and report.state is ReportState.REPORTED and report.next_look_at is not None
    return asked and case.options.validity.probes


def _is_rechecked(case: Case) -> bool:
    """Whether the closed alert's secret is still going to be probed once more."""
    resolved_at = case.alert.resolved_at
    return (
        is_probed(case.alert, case.options.validity)
        and resolved_at is not None
        and case.now < resolved_at + RECHECK_AFTER
    )


def _due(alert: Alert, advice: Advice) -> UnixTime | None:
    if advice not in (Advice.WAIT, Advice.ROTATE_BEFORE_SENDING):
        return None
    follow_up = alert.report.next_look_at if alert.report else None
    if alert.is_open or follow_up is not None:
        return follow_up
    return None if alert.resolved_at is None else alert.resolved_at + RECHECK_AFTER
