"""Report leak: tells GitHub that a token leaked, after the person has accepted the consequence."""

from dataclasses import replace

from bot.actions.action import ActionRun, CardAction, FormAction, Outcome
from bot.actions.approval import request_approval
from bot.actions.probe import PROBE_INTERVAL, ProbeResult, probe_secret, probe_unless_recent
from bot.errors import OutcomeUnknown, Refused, RetryLater
from bot.job_kinds import FollowUpReport, PerformAction
from bot.job_rows import new_job
from bot.options import LimitsOptions, Options
from bot.requests import UserInput
from bot.rules.approval import ask_obstacle, is_to_be_approved, run_obstacle
from bot.rules.case import Case, PersonalCase
from bot.rules.report_eligibility import report_obstacle
from bot.rules.validity import confirmed_inactive, was_ever_active
from bot.views.answers import answer
from bot.views.approval import cant_ask, not_sent
from bot.views.formatting import PROBE_REASONS, alert_name
from bot.views.report_form import UNCONFIRMED, draw_report_form, not_reportable
from integrations.github.token_format import REVOCABLE, decode, kind_of
from integrations.github.token_verdict import UNPROBEABLE
from integrations.literal import Literal
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content
from integrations.slack.elements import Element, button
from storage.records import Alert, AuditOutcome, Event, EventKind, Report, ReportState, UnixTime

NOT_ACCEPTED = "Tick the box to accept the consequence; nothing was sent."
FOLLOW_UP_DELAYS = (60.0, 300.0, 900.0)
"""Seconds after the report at which the token is probed again."""
INACTIVE = "It no longer works."
FOLLOW_UP = "GitHub is asked after 1, 5 and 15 minutes whether it still works; the card shows the result."
PROBES_OFF = "checks are turned off here"
WAITING = "Not sent yet: GitHub takes no more reports from here for now."


class ReportLeak(CardAction[None], FormAction[None]):
    """A button that opens a form, which states the consequence and has a box to accept it."""

    id = "report_leak"
    callback_id = "report_leak"
    audited_as = "report_leak"
    title = "Report leak"
    needs_fresh_role = True
    asks_about_owner = True
    asks_about_approval = True

    def most_per_hour(self, limits: LimitsOptions) -> int:
        return limits.reports_per_hour

    def shown(self, case: Case) -> bool:
        if case.approval is not None:
            return False
        return report_obstacle(case.alert, case.repository, case.server, case.options.report) is None

    def control(self, case: Case) -> Element:
        return button(self.title, action_id=self.id, value=str(case.alert.key), style="danger")

    def form_blocks(self, case: PersonalCase, user_input: UserInput) -> list[Block | None]:
        _check_obstacle(case)
        return draw_report_form(case)

    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        return {} if user_input.get("consequence") == ("yes",) else {"consequence": NOT_ACCEPTED}

    def decide(self, case: PersonalCase, user_input: UserInput) -> None:
        if self.form_errors(user_input, case.options):
            raise Refused("not_accepted", "The consequence was not accepted, so nothing was sent.")
        _check_obstacle(case)
        changed = run_obstacle(case) if case.is_approved_run else None
        if changed is not None:
            raise not_sent(case, changed)

    async def act(self, run: ActionRun, decision: None) -> Outcome:
        case, context = run.case, run.context
        if is_to_be_approved(case):
            return request_approval(run)
        probed, probes = None, case.options.validity.probes
        if case.resumed and not probes:
            raise OutcomeUnknown(PROBES_OFF)
        literal = await run.access.literal(case.repository.full_name, case.alert.key.number)
        token = _reportable_token(case.alert, literal)
        if case.resumed:
            # Only the token itself shows whether the interrupted run reported it.
            probed = await probe_secret(context, case.alert, literal, by=None)
            if probed.probe.verdict == "unknown":
                why = PROBE_REASONS.get(probed.probe.reason, probed.probe.reason)
                if probed.probe.reason in UNPROBEABLE:
                    raise OutcomeUnknown(why)
                raise RetryLater(context.clock.now() + PROBE_INTERVAL, why)
            if probed.probe.verdict == "inactive":
                return _report_sent(run, probed, inactive=True)
        elif probes and not was_ever_active(case.alert):
            # After the report, an inactive token counts as revoked only if it was seen active before: probe it now.
            probed = await probe_unless_recent(context, case.alert, literal)
        response = await context.github.revoke(token)
        if response.accepted:
            return _report_sent(run, probed)
        if response.retry_at is not None:
            return _report_waiting(run, response.retry_at)
        return _report_failed(run, response.status)

    def abandon(self, alert: Alert) -> Alert:
        waiting = alert.report is not None and alert.report.state is ReportState.WAITING
        return replace(alert, report=None) if waiting else alert


def _check_obstacle(case: PersonalCase) -> None:
    obstacle = report_obstacle(case.alert, case.repository, case.server, case.options.report)
    waits = obstacle == "waiting" and case.waited
    # The report of an interrupted run may have made the token inactive; `act` probes it first.
    perhaps_reported = obstacle == "inactive" and case.resumed
    if obstacle is not None and not waits and not perhaps_reported:
        raise not_reportable(case, obstacle)
    asking = ask_obstacle(case) if is_to_be_approved(case) else None
    if asking is not None:
        raise cant_ask(case, asking)


def _reportable_token(alert: Alert, literal: Literal) -> Literal:
    """The token as the revocation API takes it; raises Refused for anything but a complete token."""
    token = decode(literal, alert.base64_encoded)
    kind = kind_of(alert.secret_type, token) if token else None
    if token is None or kind not in REVOCABLE:
        headline = "The secret is not a GitHub token in full, so it can't be reported."
        raise Refused("not_a_token", headline, t.link(alert.html_url, "Open the alert on GitHub"))
    return token


def _report_sent(run: ActionRun, probed: ProbeResult | None, *, inactive: bool = False) -> Outcome:
    """GitHub has the report; `inactive`: a probe after an interrupted run shows that the token no longer works."""
    case, now = run.case, run.context.clock.now()
    key, person = case.alert.key, case.actor.person
    state = ReportState.CONFIRMED if inactive else ReportState.REPORTED
    follows_up = not inactive and case.options.validity.probes
    report = Report(state, person, now, now + FOLLOW_UP_DELAYS[0] if follows_up else None)

    def change(alert: Alert) -> Alert:
        return replace(probed.apply_to(alert) if probed else alert, report=report)

    events = [Event(key, EventKind.REPORTED, now, person, once=f"reported:{run.request.at}")]
    if inactive:
        details = {"confirmed": confirmed_inactive(change(case.alert))}
        once = f"confirmed:{now}"
        events.append(Event(key, EventKind.REPORT_CONFIRMED, now, details=details, once=once))
    follow_up = new_job(FollowUpReport(key, attempt=0), delay=FOLLOW_UP_DELAYS[0])
    return Outcome(
        answer=reported_answer(case, inactive=inactive),
        is_shown=True,
        change=change,
        events=tuple(events),
        jobs=(follow_up,) if follows_up else (),
        reason="found_dead_after_a_lost_answer" if inactive else None,
    )


def reported_answer(case: PersonalCase, *, inactive: bool) -> Content:
    """The private answer after a report."""
    name = alert_name(case.alert, case.repository)
    after = FOLLOW_UP if case.options.validity.probes else UNCONFIRMED
    return answer("outbox_tray", "Reported to GitHub.", t.lines(name, INACTIVE if inactive else after))


def _report_waiting(run: ActionRun, retry_at: UnixTime) -> Outcome:
    """The report is sent again later: GitHub allows 60 unauthenticated requests an hour from one address."""
    case, key, person = run.case, run.case.alert.key, run.case.actor.person
    report = Report(ReportState.WAITING, person, run.context.clock.now(), retry_at)
    delay = max(1.0, retry_at - run.context.clock.now())
    again = new_job(PerformAction(replace(run.request, waited=True)), delay=delay)
    return Outcome(
        answer=waiting_answer(case, retry_at),
        is_shown=True,
        change=lambda alert: replace(alert, report=report),
        events=(Event(key, EventKind.REPORT_WAITING, report.at, person, {"until": retry_at}),),
        jobs=(again,),
        outcome=AuditOutcome.INTENDED,
        reason="waits_for_quota",
    )


def waiting_answer(case: PersonalCase, until: UnixTime) -> Content:
    """The private answer while the report waits for GitHub's rate limit."""
    due = t.mrkdwn("It will be sent {}, after everything has been checked again.", t.date(until))
    return answer("hourglass_flowing_sand", WAITING, t.lines(alert_name(case.alert, case.repository), due))


def _report_failed(run: ActionRun, status: int) -> Outcome:
    case, person, now = run.case, run.case.actor.person, run.context.clock.now()
    report = Report(ReportState.FAILED, person, now, reason=f"http_{status}")
    event = Event(case.alert.key, EventKind.REPORT_FAILED, now, person, {"status": status})
    return Outcome(
        answer=failed_answer(case, status),
        change=lambda alert: replace(alert, report=report),
        events=(event,),
        outcome=AuditOutcome.FAILED,
        reason=f"http_{status}",
    )


def failed_answer(case: PersonalCase, status: int) -> Content:
    """The private answer after GitHub refused the report."""
    name, there = alert_name(case.alert, case.repository), "Report it on GitHub's page instead"
    why = t.mrkdwn("It answered {}. {}.", status, t.link(case.alert.html_url, there))
    return answer("x", "GitHub did not take the report.", t.lines(name, why))
