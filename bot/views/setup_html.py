"""Draws the parts, forms and steps of the set-up's pages as HTML; all outside text is escaped. No JavaScript."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from bot.rules.masking import mask
from bot.views.setup_panel import (
    CopyText,
    FactRows,
    InputField,
    Instructions,
    PanelForm,
    Paragraph,
    Part,
    WebLink,
    WideTable,
)
from integrations.slack.text import clean


@dataclass(frozen=True, slots=True)
class StepLine:
    """A line of the list of steps."""

    name: str
    title: str
    done: bool
    current: bool
    summary: str = ""


MORE = "More options"


def fault(sentence: str, sites: Sequence[str] = ()) -> str:
    """What went wrong. Addresses below these origins can be clicked; others may come from outside."""
    if not sentence:
        return ""
    words = _marked(sentence)
    for site in sites:
        words = re.sub(rf"{re.escape(escape(site))}/[\w/?=.%#-]*[\w/]", _link, words, flags=re.ASCII)
    return f'<p class="fault" role="alert">{words}</p>'


def _link(found: re.Match[str]) -> str:
    return f'<a href="{found[0]}" target="_blank" rel="noopener noreferrer">{found[0]}</a>'


def paragraph(text: str) -> str:
    return f"<p>{_marked(text)}</p>"


def _marked(text: str) -> str:
    """Our own words with *strong* and `code`; there may be a platform's reason in them."""
    strong = re.sub(r"\*([^*\n]+)\*", r"<strong>\1</strong>", escape(clean(text)))
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", strong)


def part(part: Part) -> str:
    match part:
        case Paragraph():
            return paragraph(part.text)
        case WebLink():
            return (
                f'<p><a class="go" href="{escape(part.address)}" target="_blank" rel="noopener noreferrer">'
                f"{escape(part.label)}</a></p>"
            )
        case FactRows():
            rows = "".join(f"<dt>{escape(name)}</dt><dd>{_outside(value)}</dd>" for name, value in part.rows)
            return f"<dl>{rows}</dl>"
        case Instructions():
            return "<ol>" + "".join(f"<li>{_marked(item)}</li>" for item in part.items) + "</ol>"
        case CopyText(folded=True):
            text = f'<pre tabindex="0">{escape(part.text)}</pre>'
            return f"<details><summary>{escape(part.label)}</summary>{text}</details>"
        case CopyText():
            return f'<p class="label">{escape(part.label)}</p><pre tabindex="0">{escape(part.text)}</pre>'
        case WideTable():
            return _table(part)


def _table(table: WideTable) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.headings)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(heading)}">{_marked(cell)}</td>'
            for heading, cell in zip(table.headings, row, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def form(
    form: PanelForm,
    hidden: Mapping[str, str],
    *,
    state: str = "",
    wrong: str | None = None,
    entered: Mapping[str, str] | None = None,
) -> str:
    """A form of ours with `hidden`; one that goes to GitHub carries its own fields alone, and the state.

    `wrong` is the field that was refused, `entered` what was typed then.
    """
    carried = form.hidden if form.to else {**hidden, **form.hidden}
    address = f"{form.to}?state={state}" if form.to else "/"
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in carried.items()
    ) + _fields(form.fields, entered or {}, wrong)
    drawn = (
        f'<form method="post" action="{escape(address)}" autocomplete="off">{fields}'
        f'<button type="submit">{escape(form.button)}</button></form>'
    )
    if not form.aside:
        return drawn
    unfolded = " open" if any(one.name == wrong for one in form.fields) else ""
    return f"<details{unfolded}><summary>{escape(form.aside)}</summary>{drawn}</details>"


def _fields(fields: Sequence[InputField], entered: Mapping[str, str], wrong: str | None) -> str:
    """All fields; the rare ones are folded away unless one was filled in or refused."""
    filled = [_filled(one, entered) for one in fields]
    usual = "".join(_field(one, wrong == one.name) for one in filled if not one.rare)
    rare = "".join(_field(one, wrong == one.name) for one in filled if one.rare)
    if not rare:
        return usual
    unfolded = any(
        one.name == wrong or one.value != before.value
        for one, before in zip(filled, fields, strict=True)
        if one.rare
    )
    return f"{usual}<details{' open' if unfolded else ''}><summary>{MORE}</summary>{rare}</details>"


def _filled(field: InputField, entered: Mapping[str, str]) -> InputField:
    """The field as it was filled in; an unticked check sends nothing."""
    if not entered or field.kind == "secret":
        return field
    return replace(field, value=entered.get(field.name, ""))


def _outside(text: str) -> str:
    """A text from outside: masked, without invisible and bidirectional characters, cut, escaped."""
    return escape(clean(mask(text), 300))


def _field(field: InputField, wrong: bool) -> str:
    name, label = escape(field.name), escape(field.label)
    hint = f'<span class="hint">{_marked(field.hint)}</span>' if field.hint else ""
    needed = "" if field.optional else " required"
    mark = ' aria-invalid="true"' if wrong else ""
    if field.kind == "check":
        ticked = " checked" if field.value == "yes" else ""
        box = f'<input type="checkbox" name="{name}" value="yes"{ticked}{mark}>'
        return f'<label class="check">{box}<span>{label}{hint}</span></label>'
    optional = ' <span class="optional">optional</span>' if field.optional else ""
    if field.kind == "choice":
        options = "".join(
            f'<option value="{escape(value)}"{" selected" if value == field.value else ""}>{escape(words)}</option>'
            for value, words in field.choices
        )
        control = f'<select name="{name}"{needed}{mark}>{options}</select>'
    else:
        secret = field.kind == "secret"
        value = "" if secret else escape(field.value)
        control = (
            f'<input type="{"password" if secret else "text"}" name="{name}" value="{value}" autocomplete="off" '
            f'autocapitalize="off" spellcheck="false"{needed}{mark}>'
        )
    return f"<label>{label}{optional}{hint}{control}</label>"


def steps(lines: Sequence[StepLine], hidden: Mapping[str, str]) -> str:
    """The list of all steps; those that are done can be done again."""
    items = "".join(_line(line, hidden) for line in lines)
    return f'<nav aria-label="Steps"><h2>Steps</h2><ol class="steps">{items}</ol></nav>'


def _line(line: StepLine, hidden: Mapping[str, str]) -> str:
    state = "done" if line.done else "now" if line.current else "later"
    words = {"done": "Done", "now": "Now", "later": "Later"}[state]
    summary = f'<span class="hint">{_outside(line.summary)}</span>' if line.summary else ""
    again = ""
    if line.done and hidden:
        carried = {**hidden, "do": "repeat", "step": line.name}
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in carried.items()
        )
        again = (
            f'<form method="post" action="/">{inputs}<button class="quiet" type="submit" '
            f'aria-label="Do again: {escape(line.title)}">Do again</button></form>'
        )
    name = f'<span class="name">{escape(line.title)}{summary}</span>'
    return f'<li class="{state}"><span class="state">{words}</span>{name}{again}</li>'
