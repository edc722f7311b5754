"""Draws the steps of the set-up as text, for the terminal."""

import textwrap
from collections.abc import Sequence

from bot.rules.masking import mask
from bot.views.setup_html import StepLine
from bot.views.setup_panel import (
    CopyText,
    FactRows,
    InputField,
    Instructions,
    Panel,
    PanelForm,
    Paragraph,
    Part,
    WebLink,
    WideTable,
)
from integrations.slack.text import clean

WIDTH = 88
RARE = InputField("rare", "More options?", "check", optional=True)
ENTER = "Press Enter to go on. "
TRY_AGAIN = "Press Enter to try again. "
STOPPED = "Stopped. Finished steps are kept: run stanch setup to go on."
NO_MORE_INPUT = "There is no more input. Finished steps are kept: run stanch setup to go on."
REPEAT = "Press Enter to go on, or type the number of a step to do it again: "
OTHER_WAY = "Or press Enter to answer everything here, in the terminal."


def invitation(page: str, code: str) -> str:
    """How the page is opened."""
    return f"Open {page} in a browser on this machine, and enter the code {code}"


def steps_text(lines: Sequence[StepLine]) -> str:
    """All steps with their numbers."""
    shown: list[str] = []
    for number, line in enumerate(lines, 1):
        mark = "done" if line.done else "now" if line.current else ""
        summary = f" ({_outside(line.summary)})" if line.summary else ""
        shown.append(f"{number:3} {mark:5}{line.title}{summary}")
    return "\n".join(shown)


def panel_text(title: str, panel: Panel | None, fault: str) -> str:
    """A step: its title, what went wrong, and its parts."""
    blocks = [f"\n{title}\n{'=' * len(title)}"]
    if fault:
        blocks.append(_wrapped(f"! {_plain(fault)}", "  "))
    blocks += [_part(part) for part in panel.parts] if panel else []
    return "\n\n".join(blocks)


def choice_of_ways(forms: Sequence[PanelForm]) -> InputField:
    """Asks which of several forms to fill in."""
    choices = tuple((str(number), form.aside or form.button) for number, form in enumerate(forms, 1))
    return InputField("way", "How?", "choice", "1", choices=choices)


def when_done(button: str) -> str:
    """The prompt of a form without fields."""
    return f"\n{button}? {ENTER}"


def field_text(field: InputField) -> str:
    """What is said before a field is asked for."""
    optional = " (optional)" if field.optional and field.kind != "check" else ""
    hint = f"\n{_wrapped(_plain(field.hint), '  ', '  ')}" if field.hint else ""
    choices = "".join(f"\n  {value}: {label}" for value, label in field.choices)
    return f"{field.label}{optional}{hint}{choices}"


def prompt(field: InputField) -> str:
    """The prompt itself, with what an empty answer means."""
    if field.kind == "check":
        return "[Y/n] " if field.value == "yes" else "[y/N] "
    return f"[{field.value}] " if field.value and field.kind != "secret" else "> "


def _part(part: Part) -> str:
    match part:
        case Paragraph():
            return _wrapped(_plain(part.text))
        case WebLink():
            return f"{part.label}:\n{part.address}"
        case FactRows():
            width = max(len(name) for name, _ in part.rows)
            return "\n".join(f"{name:{width}}  {_outside(value)}" for name, value in part.rows)
        case Instructions():
            return "\n".join(
                _wrapped(f"{number}. {_plain(item)}", "   ") for number, item in enumerate(part.items, 1)
            )
        case CopyText():
            return f"{part.label}:\n{part.text}"
        case WideTable():
            return "\n".join(_wrapped(" | ".join(row), "    ") for row in part.rows)


def _wrapped(text: str, later: str = "", first: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(text: str) -> str:
    """Our own words without the marks of strong and code; a platform's reason in them can't move the cursor."""
    return clean(text).replace("*", "").replace("`", "")


def _outside(text: str) -> str:
    """A text from outside: masked, without control and bidirectional characters, cut."""
    return clean(mask(text), 300)
