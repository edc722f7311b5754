"""Report leak: tells GitHub that a token leaked, after the person has accepted the consequence."""

from dataclasses import dataclass, replace

from bot.actions.action import ActionRun, FormAction, Outcome
from bot.actions.probe import PROBE_INTERVAL, ProbeResult, probe_secret, probe_unless_recent
from bot.errors import OutcomeUnknown, Refused, RetryLater
from bot.job_kinds import FollowUpReport, PerformAction
from bot.job_rows import new_job
from bot.options import Options
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.rules.report_eligibility import report_obstacle
from bot.rules.validity import confirmed_inactive, effective_validity, was_ever_active
from bot.views.answers import answer
from bot.views.formatting import (
    PROBE_REASONS,
    alert_name,
    by_words,
    closed_by,
    duration_words,
    joined_words,
    person_words,
    resolution_words,
    when,
)
from integrations.github.token_format import REVOCABLE, decode, kind_of
from integrations.github.token_verdict import Reason
from integrations.literal import Literal
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, View, actions, input_block, modal, section
from integrations.slack.elements import Element, Option, button, checkboxes
from integrations.slack.text import Mrkdwn
from storage.records import (
    Alert,
    AuditOutcome,
    Event,
    EventKind,
    Report,
    ReportState,
    UnixTime,
)

TITLE = "Report leak"
UNDERSTOOD = "I understand the consequence, report this secret"
CONSEQUENCE = Mrkdwn(
    ":one: *Rotate it first.* Whatever uses this token stops working, perhaps within minutes.\n"
    ":two: GitHub treats it as publicly leaked and may revoke it.\n"
    ":three: GitHub tells the token's owner.\n"
    ":four: *It can't be undone.*"
)
NOT_ACCEPTED = "Tick the box to accept the consequence; nothing was sent."
TELL_FIRST = "Tell {} first"
FOLLOW_UP_DELAYS = (60.0, 300.0, 900.0)
"""Seconds after the report at which the token is probed again."""
UNPROBEABLE = frozenset({Reason.CANNOT_BE_PROBED, Reason.NOT_A_TOKEN})
"""Reasons for an unknown verdict that another probe would not change."""
INACTIVE = "It no longer works."
FOLLOW_UP = "GitHub is asked after 1, 5 and 15 minutes whether it still works; the card shows the result."
WAITING = "Not sent yet: GitHub takes no more reports from here for now."
OWNER_UNKNOWN = Mrkdwn("Its owner is not known yet; *Check validity* on the card may tell.")
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


@dataclass(frozen=True, slots=True)
class SendReport:
    """The decision to report; it has no fields."""


class ReportLeak(FormAction[SendReport]):
    """A button that opens a form, which states the consequence and has a box to accept it."""

    id = "report_leak"
    callback_id = "report_leak"
    audited_as = "report_leak"
    title = TITLE
    needs = Need.VIEW
    needs_fresh_role = True

    def shown(self, case: Case) -> bool:
        return report_obstacle(case.alert, case.repository, case.server, case.options.report) is None

    def control(self, case: Case) -> Element:
        return button(TITLE, action_id=self.id, value=str(case.alert.key), style="danger")

    def form(
        self, case: PersonalCase, user_input: UserInput, metadata: str, *, owner_told: bool = False
    ) -> View:
        """The form; `owner_told` is set after the token's owner has been told."""
        _check_obstacles(case)
        consent = checkboxes(action_id="understood", options=[Option(UNDERSTOOD, "yes")])
        return modal(
            callback_id=self.callback_id,
            title=TITLE,
            submit=TITLE,
            private_metadata=metadata,
            blocks=[
                section(t.lines(alert_name(case.alert, case.repository), _token_words(case))),
                section(CONSEQUENCE),
                _owner_row(case, owner_told=owner_told),
                input_block("Consequence", consent, block_id="consequence"),
            ],
        )

    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        return {} if user_input.get("consequence") == ("yes",) else {"consequence": NOT_ACCEPTED}

    def decide(self, case: PersonalCase, user_input: UserInput) -> SendReport:
        if self.form_errors(user_input, case.options):
            raise Refused("not_accepted", "The consequence was not accepted, so nothing was sent.")
        _check_obstacles(case)
        return SendReport()

    async def act(self, run: ActionRun, decision: SendReport) -> Outcome:
        case, context = run.case, run.context
        literal = await run.access.literal(case.repository.full_name, case.alert.key.number)
        token = _reportable_token(case.alert, literal)
        probed = None
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
        elif not was_ever_active(case.alert):
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


def _owner_row(case: PersonalCase, *, owner_told: bool) -> Block | None:
    """The button that tells the token's owner, or why there is none."""
    owner = case.alert.token.owner
    if owner is None:
        return section(OWNER_UNKNOWN) if case.alert.token.owner_name is None else None
    if owner_told:
        return section(t.mrkdwn(":white_check_mark: {} has been told.", t.code(owner.login)))
    if case.token_owner is None:
        return section(
            t.mrkdwn("Nobody here is linked to {}, so Stanch can't tell them.", t.code(owner.login))
        )
    if case.token_owner.slack_user == case.actor.identity.slack_user:
        return section(OWN_TOKEN)
    tell = button(TELL_FIRST.format(owner.login), action_id="tell_owner", value=str(case.alert.key))
    return actions(tell, block_id=f"alert:{case.alert.key}:owner")


def _check_obstacles(case: PersonalCase) -> None:
    obstacle = report_obstacle(case.alert, case.repository, case.server, case.options.report)
    if obstacle is None or (obstacle == "waiting" and case.waited):
        return
    if obstacle == "inactive" and case.resumed:
        # The interrupted run's report may be the reason; `act` probes the token first.
        return
    name = alert_name(case.alert, case.repository)
    raise Refused(obstacle, OBSTACLES[obstacle], t.lines(name, _obstacle_detail(case, obstacle)))


def _obstacle_detail(case: PersonalCase, obstacle: str) -> Mrkdwn | None:
    """Who closed or reported it, and how long ago."""
    alert, report = case.alert, case.alert.report
    if obstacle == "closed":
        ago = duration_words(case.now - (alert.resolved_at or alert.updated_at))
        words = resolution_words(alert.resolution)
        return t.mrkdwn("Closed as {} {} {} ago.", words, by_words(closed_by(alert)), ago)
    if report is None or obstacle not in ("reported", "waiting"):
        return None
    ago = duration_words(case.now - report.at)
    if obstacle == "reported":
        return t.mrkdwn("{} reported it {} ago.", person_words(report.by), ago)
    due = when(report.next_look_at or report.at)
    return t.mrkdwn("{} asked for it {} ago; it will be sent {}.", person_words(report.by), ago, due)


def _token_words(case: PersonalCase) -> Mrkdwn:
    token = case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    validity = {"active": "Active", "inactive": "Inactive"}.get(
        effective_validity(case.alert), "Not known whether it works"
    )
    parts: list[str | Mrkdwn] = []
    if owner:
        parts.append(t.mrkdwn("Belongs to {}", t.code(owner)))
    if token.scopes:
        words = "scopes" if len(token.scopes) > 1 else "scope"
        parts.append(f"{words if owner else words.capitalize()} {joined_words(token.scopes)}")
    return t.mrkdwn("{}. {}.", validity, t.join(parts)) if parts else t.mrkdwn("{}.", validity)


def _reportable_token(alert: Alert, literal: Literal) -> Literal:
    """The token as the revocation API takes it; raises Refused for anything but a complete token."""
    token = decode(literal, alert.base64_encoded)
    kind = kind_of(alert.secret_type, token) if token else None
    if token is None or kind not in REVOCABLE:
        there = t.link(alert.html_url, "Open the alert on GitHub")
        raise Refused(
            "not_a_token", "The secret is not a GitHub token in full, so it can't be reported.", there
        )
    return token


def _report_sent(run: ActionRun, probed: ProbeResult | None, *, inactive: bool = False) -> Outcome:
    """GitHub has the report; `inactive`: a probe after an interrupted run shows that the token no longer works."""
    case, now = run.case, run.context.clock.now()
    key, person = case.alert.key, case.actor.person
    state = ReportState.CONFIRMED if inactive else ReportState.REPORTED
    report = Report(state, person, now, None if inactive else now + FOLLOW_UP_DELAYS[0])

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
        change=change,
        events=tuple(events),
        jobs=() if inactive else (follow_up,),
        reason="found_dead_after_a_lost_answer" if inactive else None,
    )


def reported_answer(case: PersonalCase, *, inactive: bool) -> Content:
    """The private answer after a report."""
    name = alert_name(case.alert, case.repository)
    return answer("outbox_tray", "Reported to GitHub.", t.lines(name, INACTIVE if inactive else FOLLOW_UP))


def _report_waiting(run: ActionRun, retry_at: UnixTime) -> Outcome:
    """The report is sent again later: GitHub allows 60 unauthenticated requests an hour from one address."""
    case, key, person = run.case, run.case.alert.key, run.case.actor.person
    report = Report(ReportState.WAITING, person, run.context.clock.now(), retry_at)
    delay = max(1.0, retry_at - run.context.clock.now())
    again = new_job(PerformAction(replace(run.request, waited=True)), delay=delay)
    return Outcome(
        answer=waiting_answer(case, retry_at),
        change=lambda alert: replace(alert, report=report),
        events=(Event(key, EventKind.REPORT_WAITING, report.at, person, {"until": retry_at}),),
        jobs=(again,),
        outcome=AuditOutcome.INTENDED,
        reason="waits_for_quota",
    )


def waiting_answer(case: PersonalCase, until: UnixTime) -> Content:
    """The private answer while the report waits for GitHub's rate limit."""
    due = t.mrkdwn("It will be sent {}, after everything has been checked again.", when(until))
    return answer("hourglass_flowing_sand", WAITING, t.lines(alert_name(case.alert, case.repository), due))


def _report_failed(run: ActionRun, status: int) -> Outcome:
    case, person = run.case, run.case.actor.person
    now = run.context.clock.now()
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
    there = t.link(case.alert.html_url, "Report it on GitHub's page instead")
    why = t.mrkdwn("It answered {}. {}.", status, there)
    return answer(
        "x", "GitHub did not take the report.", t.lines(alert_name(case.alert, case.repository), why)
    )
