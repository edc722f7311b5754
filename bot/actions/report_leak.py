"""Report leak: tells GitHub that a token leaked, after the person has accepted the consequence."""

from dataclasses import dataclass, replace

from bot.actions.action import Doing, FormAction, Given, Outcome
from bot.actions.probing import Asked, ask
from bot.errors import Refused, RetryLater
from bot.options import Options
from bot.rules.case import Case, PersonalCase
from bot.rules.eligibility import report_obstacle, works
from bot.rules.permissions import Need
from bot.views.answers import answer
from bot.views.words import alert_name, person_words, resolution_words, span_words, when
from integrations.literal import Literal
from integrations.providers.github_token import REVOCABLE, decode, kind_of
from integrations.slack import text as t
from integrations.slack.blocks import Block, View, actions, input_block, modal, section
from integrations.slack.elements import Element, Option, button, checkboxes
from integrations.slack.text import Mrkdwn
from storage.records import (
    Alert,
    AuditOutcome,
    Event,
    EventKind,
    NewJob,
    Person,
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
OWN_TOKEN = Mrkdwn(":warning: *This is one of Stanch's own credentials.* Reporting it stops Stanch as well.")
NOT_ACCEPTED = "Tick the box to accept the consequence; nothing was sent."
TELL_FIRST = "Tell {} first"
FOLLOW_UPS = (60.0, 300.0, 900.0)
"""Seconds after the report at which GitHub is asked whether the token still works."""
OBSTACLES = {
    "unreachable": "Stanch can no longer reach this repository.",
    "closed": "This alert is closed already.",
    "secret_type": "GitHub takes reports of this kind of secret from nobody but its provider.",
    "server": "This GitHub server takes no reports.",
    "public": "The repository is public, so GitHub reports its leaks itself.",
    "reported": "It has been reported already.",
    "waiting": "Its report is waiting for GitHub's quota and will be sent.",
    "inactive": "It no longer works, so there is nothing to report.",
}


@dataclass(frozen=True, slots=True)
class SendReport:
    """The decision to report, with all conditions met."""


class ReportLeak(FormAction[SendReport]):
    """A button whose form states the consequence and takes a ticked box for consent."""

    id = "report_leak"
    callback_id = "report_leak"
    audited_as = "report_leak"
    title = TITLE
    needs = Need.VIEW
    asks_role_afresh = True

    def shown(self, case: Case) -> bool:
        return report_obstacle(case.alert, case.repository, case.server, case.options.report) is None

    def control(self, case: Case) -> Element:
        return button(TITLE, action_id=self.id, value=str(case.alert.key), style="danger")

    def form(self, case: PersonalCase, given: Given, metadata: str, *, told: bool = False) -> View:
        """The form; `told` is set once the token's owner has been told."""
        del given
        _check_obstacles(case)
        consent = checkboxes(action_id="understood", options=[Option(UNDERSTOOD, "yes")])
        return modal(
            callback_id=self.callback_id,
            title=TITLE,
            submit=TITLE,
            private_metadata=metadata,
            blocks=[
                section(t.lines(alert_name(case.alert, case.repository), _what_it_is(case))),
                section(OWN_TOKEN) if case.own_token else None,
                section(CONSEQUENCE),
                _owner_row(case, told=told),
                input_block("Consequence", consent, block_id="consequence"),
            ],
        )

    def faults(self, given: Given, options: Options) -> dict[str, str]:
        del options
        return {} if given.get("consequence") == ("yes",) else {"consequence": NOT_ACCEPTED}

    def decide(self, case: PersonalCase, given: Given) -> SendReport:
        if self.faults(given, case.options):
            raise Refused("not_accepted", "The consequence was not accepted, so nothing was sent.")
        _check_obstacles(case)
        return SendReport()

    async def act(self, doing: Doing, wanted: SendReport) -> Outcome:
        case, tools = doing.case, doing.tools
        literal = await doing.access.literal(case.repository.full_name, case.alert.key.number)
        token = _reportable_token(case.alert, literal)
        if doing.resumed:
            asked = await ask(tools, case.alert, literal, by=None)
            if asked.probe.verdict == "unknown":
                raise RetryLater(tools.clock.now() + 30, "it can't be told yet whether the report arrived")
            if asked.probe.verdict == "inactive":
                return _reported(doing, asked)
        answered = await tools.github.revoke(token)
        if answered.accepted:
            return _reported(doing, None)
        if answered.retry_at is not None:
            return _waits(doing, answered.retry_at)
        return _not_taken(doing, answered.status)

    def abandon(self, alert: Alert) -> Alert:
        waiting = alert.report is not None and alert.report.state is ReportState.WAITING
        return replace(alert, report=None) if waiting else alert


def _owner_row(case: PersonalCase, *, told: bool) -> Block | None:
    """The way to tell the token's owner before reporting, or why there is none."""
    owner = case.alert.token.owner
    if owner is None:
        return None
    if told:
        return section(t.mrkdwn(":white_check_mark: {} has been told.", t.code(owner.login)))
    if case.token_owner is None:
        return section(t.mrkdwn("Nobody here is linked to {}.", t.code(owner.login)))
    tell = button(TELL_FIRST.format(owner.login), action_id="tell_owner", value=str(case.alert.key))
    return actions(tell, block_id=f"alert:{case.alert.key}:owner")


def _check_obstacles(case: PersonalCase) -> None:
    obstacle = report_obstacle(case.alert, case.repository, case.server, case.options.report)
    if obstacle is None or (obstacle == "waiting" and case.waited):
        return
    alert, detail = case.alert, None
    if obstacle == "closed":
        by = alert.acted_by or (Person(github=alert.resolved_by) if alert.resolved_by else None)
        ago = span_words(case.now - (alert.resolved_at or alert.updated_at))
        words = resolution_words(alert.resolution)
        detail = t.mrkdwn("{} closed it as {} {} ago.", person_words(by), words, ago)
    elif alert.report is not None:
        ago = span_words(case.now - alert.report.at)
        detail = t.mrkdwn("{} reported it {} ago.", person_words(alert.report.by), ago)
    raise Refused(obstacle, OBSTACLES[obstacle], detail or alert_name(alert, case.repository))


def _what_it_is(case: PersonalCase) -> Mrkdwn:
    token = case.alert.token
    validity = {"active": "Active", "inactive": "Inactive"}.get(
        works(case.alert), "Not known whether it works"
    )
    parts: list[str | Mrkdwn] = []
    if token.owner:
        parts.append(t.mrkdwn("Belongs to {}", t.code(token.owner.login)))
    if token.scopes:
        parts.append(f"scopes {' and '.join(token.scopes)}")
    return t.mrkdwn("{}. {}.", validity, t.join(parts)) if parts else t.mrkdwn("{}.", validity)


def _reportable_token(alert: Alert, literal: Literal) -> Literal:
    """The whole token as the revocation API takes it; what isn't one in full is never sent."""
    token = decode(literal, alert.base64_encoded)
    kind = kind_of(alert.secret_type, token) if token else None
    if token is None or kind not in REVOCABLE:
        raise Refused("not_a_token", "The secret is not a GitHub token in full, so it can't be reported.")
    return token


def _reported(doing: Doing, asked: Asked | None) -> Outcome:
    """GitHub has the report. `asked` is the look, after a crash, that found the token dead already."""
    case, now = doing.case, doing.tools.clock.now()
    key, person = case.alert.key, case.actor.person
    state = ReportState.CONFIRMED if asked else ReportState.REPORTED
    report = Report(state, person, now, None if asked else now + FOLLOW_UPS[0])

    def remember(alert: Alert) -> Alert:
        return replace(asked.remember(alert) if asked else alert, report=report)

    events = [Event(key, EventKind.REPORTED, now, person, once=f"reported:{doing.request.at}")]
    if asked:
        events.append(Event(key, EventKind.REPORT_CONFIRMED, now, once=f"confirmed:{doing.request.at}"))
    follow_up = NewJob("follow_up", {"alert": str(key), "look": 0}, delay=FOLLOW_UPS[0])
    next_look = "GitHub is asked after 1, 5 and 15 minutes whether it still works; the card will say."
    return Outcome(
        said=answer(
            "hourglass_flowing_sand",
            "Reported to GitHub.",
            t.lines(alert_name(case.alert, case.repository), "It is dead already." if asked else next_look),
        ),
        change=remember,
        events=tuple(events),
        jobs=() if asked else (follow_up,),
        reason="found_dead_after_a_lost_answer" if asked else None,
    )


def _waits(doing: Doing, retry_at: UnixTime) -> Outcome:
    """GitHub takes 60 unauthenticated requests an hour from one address; the report goes out after that."""
    case, person = doing.case, doing.case.actor.person
    key = case.alert.key
    report = Report(ReportState.WAITING, person, doing.tools.clock.now(), retry_at)
    delay = max(1.0, retry_at - doing.tools.clock.now())
    again = NewJob("act", replace(doing.request, waited=True).to_json(), key=str(key), delay=delay)
    return Outcome(
        said=answer(
            "hourglass_flowing_sand",
            "GitHub takes no more reports from here for now.",
            t.mrkdwn("It will be sent {}, after everything has been checked again.", when(retry_at)),
        ),
        change=lambda alert: replace(alert, report=report),
        events=(Event(key, EventKind.REPORT_WAITING, report.at, person, {"until": retry_at}),),
        jobs=(again,),
        outcome=AuditOutcome.INTENDED,
        reason="waits_for_quota",
    )


def _not_taken(doing: Doing, status: int) -> Outcome:
    case, person = doing.case, doing.case.actor.person
    now = doing.tools.clock.now()
    report = Report(ReportState.FAILED, person, now, reason=f"http_{status}")
    event = Event(case.alert.key, EventKind.REPORT_FAILED, now, person, {"status": status})
    return Outcome(
        said=answer(
            "x",
            "GitHub did not take the report.",
            t.mrkdwn(
                "It answered {}. {} has the button too.", status, t.link(case.alert.html_url, "GitHub's page")
            ),
        ),
        change=lambda alert: replace(alert, report=report),
        events=(event,),
        outcome=AuditOutcome.FAILED,
        reason=f"http_{status}",
    )
