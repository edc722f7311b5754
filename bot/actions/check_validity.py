"""Check validity: asks GitHub whether the secret still works, and answers the person who clicked."""

from dataclasses import replace

import structlog

from bot.actions.action import ActionRun, CardAction, Outcome
from bot.actions.probe import PROBE_INTERVAL, ProbeResult, fetch_and_probe
from bot.actions.write_back import WriteBack, write_back
from bot.errors import Refused, RetryLater
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.validity import confirmed_inactive, is_probed
from bot.views.answers import answer
from bot.views.formatting import PROBE_REASONS, alert_name, duration_words
from integrations.github.errors import GitHubError
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Element, button
from storage.records import Alert, Event, EventKind, Probe, StoredJson

log = structlog.get_logger(__name__)
CHECK, REFRESH = "Check validity", "Refresh from GitHub"
ACTIVE, INACTIVE = "It still works.", "It no longer works."
UNKNOWN = "It could not be found out whether it works."
NOT_HERE = "It is not valid on this GitHub."
NOT_HERE_DETAIL = "It may have been revoked, or belong to another GitHub server; this one never accepted it."
WRITTEN = "GitHub's alert now says so too."
WRITTEN_AS = "GitHub's alert now says so too, in your name."
CLEARED = "The validity that Stanch had written to GitHub's alert was cleared."
ONLY_THERE = "Only “Verify secret” on GitHub's page asks the provider."


class CheckValidity(CardAction[Probe | None]):
    """Probes GitHub's own tokens; for every other secret, and with probes off, reads GitHub's validity again.

    The decision is the probe of the last 30 seconds, if there was one: its result is shown again.
    """

    id = "check_validity"
    audited_as = "check_validity"

    def shown(self, case: Case) -> bool:
        return case.alert.is_open and case.repository.is_reachable

    def control(self, case: Case) -> Element:
        label = CHECK if is_probed(case.alert, case.options.validity) else REFRESH
        return button(label, action_id=self.id, value=str(case.alert.key))

    def decide(self, case: PersonalCase, user_input: UserInput) -> Probe | None:
        probe = case.alert.probe
        return probe if probe is not None and case.now - probe.at < PROBE_INTERVAL else None

    async def act(self, run: ActionRun, decision: Probe | None) -> Outcome:
        alert, repository = run.case.alert, run.case.repository
        if not is_probed(alert, run.case.options.validity):
            return Outcome(answer=refresh_answer(run.case))
        if decision is not None:
            return Outcome(answer=probe_answer(run.case, decision, again=True), reason="asked_recently")
        probed = await fetch_and_probe(run.context, run.access, alert, repository, by=run.case.actor.person)
        after = replace(run.case, alert=probed.apply_to(alert))
        written = await _write_back(run, after.alert)
        lost = written is None and _wrote_before(run.case, probed)

        def change(current: Alert) -> Alert:
            after = probed.apply_to(current)
            if written is None:
                return replace(after, validity_written=after.validity_written or lost)
            return replace(after, validity_written=written.value is not None)

        return Outcome(
            answer=probe_answer(after, probed.probe, written=written),
            is_shown=alert.is_open,
            facts=written.facts if written else None,
            wrote_validity=written is not None or lost,
            change=change,
            events=(_probe_event(run, probed, written),),
            own_name=_in_own_name(run, written),
            reason=f"{probed.probe.verdict}: {probed.probe.reason}",
        )


async def _write_back(run: ActionRun, alert: Alert) -> WriteBack | None:
    """Clear an untrue validity that Stanch wrote; write a new one only for a person who may resolve the alert.

    If GitHub refuses it or fails, only the log says so: the verdict is an answer without it too.
    """
    case = run.case
    if not case.server.overrides_validity:
        return None
    # In the person's own name GitHub decides itself.
    may_write = case.options.validity.write_back and (case.own_name or case.actor.rights.resolve)
    name = case.repository.full_name
    try:
        return await write_back(run.access, name, alert, may_write=may_write, write=run.write)
    except (GitHubError, Refused, RetryLater) as error:
        log.warning("validity_not_written", alert=str(alert.key), reason=str(error))
        return None


def _wrote_before(case: PersonalCase, probed: ProbeResult) -> bool:
    """Whether an interrupted run of this check wrote the validity that GitHub shows now."""
    if case.intended_at is None or case.alert.validity != probed.probe.verdict:
        return False
    # GitHub truncates its times to whole seconds.
    return case.alert.updated_at + 1 > case.intended_at


def _in_own_name(run: ActionRun, written: WriteBack | None) -> bool:
    """Whether a validity was written in the person's own name; it is cleared in the App's."""
    return run.case.own_name and written is not None and written.value is not None


def _probe_event(run: ActionRun, probed: ProbeResult, written: WriteBack | None) -> Event:
    details: dict[str, StoredJson] = {
        "verdict": probed.probe.verdict,
        "reason": probed.probe.reason,
        "ever_active": probed.probe.ever_active,
        # A probe may change the token's "last used" time; the User-Agent shows that it was Stanch.
        "user_agent": run.context.user_agent,
    }
    if written is not None:
        details["written"] = written.value
        if _in_own_name(run, written):
            details["own_name"] = True
    return Event(run.case.alert.key, EventKind.PROBED, probed.probe.at, probed.probe.by, details)


def probe_answer(
    case: PersonalCase, probe: Probe, *, again: bool = False, written: WriteBack | None = None
) -> Content:
    """A probe's result. `again`: it is the stored one, since the secret was probed a moment ago."""
    alert = case.alert
    name = alert_name(alert, case.repository)
    passed, least = duration_words(case.now - probe.at), duration_words(PROBE_INTERVAL)
    ago = f"Asked {passed} ago; it is asked again after {least} at the earliest."
    done = CLEARED if written is None or not written.value else WRITTEN_AS if case.own_name else WRITTEN
    extra = ago if again else done if written else None
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


def refresh_answer(case: PersonalCase) -> Content:
    """GitHub's validity, read again."""
    alert = case.alert
    sign, words = {
        "active": ("rotating_light", "GitHub says that it still works."),
        "inactive": ("white_check_mark", "GitHub says that it no longer works."),
    }.get(alert.validity, ("grey_question", "GitHub does not know whether it works."))
    there = t.mrkdwn("{} {}", ONLY_THERE, t.link(alert.html_url, "Open the alert there"))
    return answer(sign, words, t.lines(alert_name(alert, case.repository), there))
