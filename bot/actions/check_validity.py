"""Check validity: asks GitHub whether the secret still works, and tells whoever clicked."""

from dataclasses import dataclass, replace

import structlog

from bot.actions.action import ActionRun, CardAction, Outcome
from bot.actions.probe import APART, Probed, fetch_and_ask
from bot.actions.write_back import Written, write_back
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from bot.rules.validity import CheckKind, check_kind, confirmed_inactive
from bot.views.answers import answer
from bot.views.formatting import PROBE_REASONS, alert_name, duration_words
from integrations.github.errors import GitHubError
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Element, button
from storage.records import Alert, Event, EventKind, Probe, StoredJson

log = structlog.get_logger(__name__)
CHECK, REFRESH = "Check validity", "Refresh from GitHub"
ACTIVE, INACTIVE, UNKNOWN = (
    "It still works.",
    "It no longer works.",
    "It could not be found out whether it works.",
)
NOT_HERE = "It is not valid on this GitHub."
NOT_HERE_DETAIL = "It may have been revoked, or belong to another GitHub; nothing here ever accepted it."
WRITTEN, CLEARED = "GitHub's alert now says so too.", "GitHub's alert no longer says otherwise."
ONLY_THERE = "Only “Verify secret” on GitHub's page asks the provider."


@dataclass(frozen=True, slots=True)
class Check:
    """How to look; `recent` is an answer so fresh that nobody is asked again."""

    kind: CheckKind
    recent: Probe | None = None


class CheckValidity(CardAction[Check]):
    """For GitHub's own tokens a probe, for every other secret GitHub's word read again."""

    id = "check_validity"
    audited_as = "check_validity"
    needs = Need.VIEW

    def shown(self, case: Case) -> bool:
        return case.alert.is_open and case.repository.is_reachable

    def control(self, case: Case) -> Element:
        label = CHECK if check_kind(case.alert) is CheckKind.PROBE else REFRESH
        return button(label, action_id=self.id, value=str(case.alert.key))

    def decide(self, case: PersonalCase, user_input: UserInput) -> Check:
        kind, probe = check_kind(case.alert), case.alert.probe
        recent = probe if probe is not None and case.now - probe.at < APART else None
        return Check(kind, recent if kind is CheckKind.PROBE else None)

    async def act(self, run: ActionRun, decision: Check) -> Outcome:
        alert, repository = run.case.alert, run.case.repository
        if decision.kind is CheckKind.REFRESH:
            return Outcome(answer=refreshed(run.case))
        if decision.recent is not None:
            return Outcome(answer=found_out(run.case, decision.recent, again=True), reason="asked_recently")
        asked = await fetch_and_ask(run.context, run.access, alert, repository, by=run.case.actor.person)
        now_known = replace(run.case, alert=asked.remember(alert))
        written = await _write_back(run, now_known.alert)
        lost = written is None and _wrote_before(run.case, asked)

        def change(current: Alert) -> Alert:
            known = asked.remember(current)
            if written is None:
                return replace(known, validity_written=known.validity_written or lost)
            return replace(known, validity_written=written.value is not None)

        return Outcome(
            answer=found_out(now_known, asked.probe, written=written),
            facts=written.facts if written else None,
            wrote_validity=written is not None or lost,
            change=change,
            events=(_probed(run, asked, written),),
            reason=f"{asked.probe.verdict}: {asked.probe.reason}",
        )


async def _write_back(run: ActionRun, alert: Alert) -> Written | None:
    """Keep true what Stanch wrote; a new verdict only by someone who may resolve.

    A GitHub that will not take it keeps its own word, and the check is still an answer.
    """
    case = run.case
    if not case.server.overrides_validity:
        return None
    may_write = case.options.validity.write_back and case.actor.rights.resolve
    try:
        return await write_back(run.access, case.repository.full_name, alert, may_write=may_write)
    except GitHubError as error:
        log.warning("validity_not_written", alert=str(alert.key), reason=str(error))
        return None


def _wrote_before(case: PersonalCase, asked: Probed) -> bool:
    """Whether an interrupted run of this check has written GitHub's present word."""
    if case.intended_at is None or case.alert.validity != asked.probe.verdict:
        return False
    # GitHub cuts its times to whole seconds.
    return case.alert.updated_at + 1 > case.intended_at


def _probed(run: ActionRun, asked: Probed, written: Written | None) -> Event:
    details: dict[str, StoredJson] = {
        "verdict": asked.probe.verdict,
        "reason": asked.probe.reason,
        "ever_active": asked.probe.ever_active,
        # A probe may move the token's "last used": whoever reads its log can tell us from a thief.
        "user_agent": run.context.user_agent,
    }
    if written is not None:
        details["written"] = written.value
    return Event(run.case.alert.key, EventKind.PROBED, asked.probe.at, asked.probe.by, details)


def found_out(
    case: PersonalCase, probe: Probe, *, again: bool = False, written: Written | None = None
) -> Content:
    """What a probe found. `again`: it was made so recently that nobody was asked anew."""
    alert = case.alert
    name = alert_name(alert, case.repository)
    passed, least = duration_words(case.now - probe.at), duration_words(APART)
    ago = f"Asked {passed} ago; it is asked again after {least} at the earliest."
    extra = ago if again else (WRITTEN if written.value else CLEARED) if written else None
    reason = PROBE_REASONS.get(probe.reason, probe.reason)
    why = t.prose(reason[:1].upper() + reason[1:])
    if probe.verdict == "active":
        owner = alert.token.owner
        whose = t.mrkdwn("{}: it belongs to {}.", why, t.code(owner.login)) if owner else t.mrkdwn("{}.", why)
        return answer("rotating_light", ACTIVE, t.lines(name, whose, extra))
    if probe.verdict == "inactive" and confirmed_inactive(alert):
        return answer("white_check_mark", INACTIVE, t.lines(name, t.mrkdwn("{}.", why), extra))
    if probe.verdict == "inactive":
        return answer("grey_question", NOT_HERE, t.lines(name, NOT_HERE_DETAIL, extra))
    return answer("grey_question", UNKNOWN, t.lines(name, t.mrkdwn("{}.", why), extra))


def refreshed(case: PersonalCase) -> Content:
    """GitHub's own word, read again."""
    alert = case.alert
    sign, words = {
        "active": ("rotating_light", "GitHub says that it still works."),
        "inactive": ("white_check_mark", "GitHub says that it no longer works."),
    }.get(alert.validity, ("grey_question", "GitHub does not know whether it works."))
    there = t.mrkdwn("{} {}", ONLY_THERE, t.link(alert.html_url, "Open the alert there"))
    return answer(sign, words, t.lines(alert_name(alert, case.repository), there))
