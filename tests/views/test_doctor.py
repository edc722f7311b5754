"""The doctor's report as it is printed and as JSON, with every result that there is, and its counts for Slack."""

import json
import re
from collections.abc import Sequence

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.rules.check_results import CheckResult, Level, fault, in_order, note, ok, warning
from bot.views.doctor import WORDS, counts_answer, report_json, report_lines, sentence
from tests.views.sending import sent

SAMPLES = {
    "subject": "SUBJECT",
    "names": "",
    "page": "https://github.com/organizations/octo/settings/apps/stanch",
    "url": "https://octo.slack.com/",
    "reason": "because of this.",
    "at": "2026-11-26 08:15",
    "number": "3",
}
LEVELS = {True: fault, False: note}


def every_result() -> tuple[CheckResult, ...]:
    """One result of each code; facts without a sample are their own names."""
    found = []
    for code, words in WORDS.items():
        facts = {name: SAMPLES.get(name, name) for name in re.findall(r"\{(\w+)\}", "".join(words))}
        level = ok if code.endswith("ok") else fault if words[1] else note
        names = tuple(f"octo/r{number}" for number in range(12)) if "{names}" in words[0] else ()
        made = level(code, "SUBJECT", **{key: facts[key] for key in facts if key not in ("subject", "names")})
        found.append(CheckResult(code, made.level, made.subject, made.facts, names))
    return in_order(found)


HEALTHY = (ok("settings.ok"), note("settings.no_sign_in", "STANCH_PUBLIC_URL"), ok("channels.ok", number=2))
SICK = (
    *HEALTHY,
    fault(
        "slack.token_refused",
        "SLACK_BOT_TOKEN",
        server="https://slack.com/api/",
        reason="invalid_auth",
        page="https://api.slack.com/apps",
    ),
    warning("repositories.scanning_off", "octo", ["octo/web", "octo/api"], number=2),
    warning("repositories.refused", "octo", ["octo/ops"], number=1, reason="IP not allowed"),
    fault("github.clock_off", seconds=400, side="behind"),
)
REPORTS = {"every": every_result(), "healthy": HEALTHY, "sick": in_order(SICK)}


@pytest.mark.parametrize("name", REPORTS)
def test_doctor_report(golden: SnapshotAssertion, name: str) -> None:
    assert list(report_lines(REPORTS[name])) == golden


@pytest.mark.parametrize("name", ["healthy", "sick"])
def test_doctor_json(golden: SnapshotAssertion, name: str) -> None:
    assert report_json(REPORTS[name], "0.2.0") == golden


@pytest.mark.parametrize("name", ["healthy", "sick"])
def test_doctor_counts(golden: SnapshotAssertion, name: str) -> None:
    assert sent(counts_answer(REPORTS[name])) == golden


def test_the_counts_for_slack_name_nothing() -> None:
    shown = json.dumps(sent(counts_answer(every_result())))
    assert "SUBJECT" not in shown
    assert "octo/" not in shown


def test_outside_text_neither_moves_the_cursor_nor_shows_a_token() -> None:
    token = "ghp_" + "a1B2" * 9
    hostile = warning(
        "repositories.refused", "octo\x1b[2J", [f"octo/{token}"], number=1, reason="a\nb\u202e {page}"
    )
    said = sentence(hostile)
    assert said.isprintable()
    assert token not in said
    assert "{page}" in said


@pytest.mark.parametrize("results", [HEALTHY, SICK])
def test_it_is_healthy_where_nothing_has_to_be_done(results: Sequence[CheckResult]) -> None:
    report = report_json(results, "0.2.0")
    assert report["healthy"] is (results is HEALTHY)
    assert report["counts"] == {
        level.value: sum(result.level is level for result in results) for level in Level
    }
