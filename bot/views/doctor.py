"""Draws the doctor's results: as text for a terminal, as JSON, and as counts for Slack."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.rules.check_results import GROUPS, CheckResult, Level, count
from bot.rules.masking import mask
from bot.views.answers import answer
from bot.views.doctor_platform_words import THEIRS
from bot.views.doctor_words import GROUP_TITLES, OURS
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.text import Mrkdwn

WORDS: Mapping[str, tuple[str, str]] = {**OURS, **THEIRS}
"""Text and remedy of every code."""
MOST_NAMES = 10
"""Names that the text lists; JSON has all."""
SIGNS = {Level.FAULT: "FAULT", Level.WARNING: "WARNING", Level.NOTE: "note"}
COMMAND_LINE = Mrkdwn("`stanch doctor` at the command line names each, with what to do.")


def sentence(result: CheckResult) -> str:
    """What was found, as one line."""
    return _filled(WORDS[result.code][0], result).replace("?.", "?")


def remedy(result: CheckResult) -> str:
    """What to do about it, as one line; empty where nothing has to be done."""
    return _filled(WORDS[result.code][1], result)


def report_lines(results: Sequence[CheckResult]) -> Iterator[str]:
    """The report by groups: a short line where nothing was found, two for a finding; then how many there are."""
    for group in GROUPS:
        mine = [result for result in results if result.group == group]
        if not mine:
            continue
        fine = "; ".join(sentence(result) for result in mine if result.level is Level.OK)
        yield f"{GROUP_TITLES[group]}: {fine}".rstrip()
        for result in mine:
            if result.level is not Level.OK:
                yield f"  {SIGNS[result.level]}: {sentence(result)}"
                if result.is_finding:
                    yield f"    -> {remedy(result)}"
    yield ""
    yield _summary(results)


def report_json(results: Iterable[CheckResult], version: str) -> dict[str, object]:
    """The report as an object; docs/operate.md describes it."""
    listed = list(results)
    return {
        "version": version,
        "healthy": not any(result.is_finding for result in listed),
        "counts": {level.value: count(listed, level) for level in Level},
        "results": [
            {
                "code": result.code,
                "level": result.level.value,
                "subject": _clean(result.subject) or None,
                "names": [_clean(name) for name in result.names],
                "text": sentence(result),
                "remedy": remedy(result) or None,
            }
            for result in listed
        ],
    }


def counts_answer(results: Sequence[CheckResult]) -> Content:
    """How many faults and warnings each group has, for an operator in Slack; no name of anything."""
    rows = []
    for group in GROUPS:
        faults, warnings = (count(results, level, group) for level in (Level.FAULT, Level.WARNING))
        if faults or warnings:
            rows.append(t.fact(GROUP_TITLES[group], _counted(faults, warnings)))
    if not rows:
        return answer("white_check_mark", "The doctor found nothing to do.")
    worst = "rotating_light" if any(result.level is Level.FAULT for result in results) else "warning"
    return answer(worst, f"The doctor found {_of_all(results)}.", t.lines(*rows), COMMAND_LINE)


def _summary(results: Sequence[CheckResult]) -> str:
    if not any(result.is_finding for result in results):
        return "Nothing to do."
    return f"{_of_all(results)}."


def _of_all(results: Sequence[CheckResult]) -> str:
    return _counted(count(results, Level.FAULT), count(results, Level.WARNING))


def _counted(faults: int, warnings: int) -> str:
    words = [
        f"{number} {word}{'s' * (number != 1)}" for number, word in ((faults, "fault"), (warnings, "warning"))
    ]
    return " and ".join(text for text in words if not text.startswith("0 "))


def _filled(template: str, result: CheckResult) -> str:
    values = {name: _clean(value).rstrip(".") for name, value in result.facts.items()}
    return template.format_map(values | {"subject": _clean(result.subject), "names": _listed(result.names)})


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    first = ", ".join(_clean(name) for name in names[:MOST_NAMES])
    return f"{first} and {more} more" if more > 0 else first


def _clean(text: str) -> str:
    """Outside text in one line: without control characters, and with what looks like a token masked."""
    return mask(t.clean(text), by_name=False)
