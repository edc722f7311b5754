"""Asks for the steps of the set-up in the terminal; secrets are not echoed."""

import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.cli.console import flush, say
from bot.flows.setup.progress import Overview, SetupProgress, step_lines
from bot.setting_values import strip
from bot.views import setup_text as words
from bot.views.setup_panel import InputField, PanelForm

Read = Callable[[str, bool], str]
"""Shows a prompt and returns the typed line, which is not echoed if the flag says that it is secret."""


async def ask_steps(progress: SetupProgress, read: Read) -> None:
    """Ask for one step after another until all are done. Raises what `read` raises at the end of the input."""
    await _Questions(progress, read).ask()


@dataclass(frozen=True, slots=True)
class _Questions:
    progress: SetupProgress
    read: Read

    async def ask(self) -> None:
        overview = await self._repeated(await self.progress.overview())
        shown = None
        while (step := overview.current) is not None:
            problem = str(overview.problem) if overview.problem else ""
            # After a refusal the same panel is not read out again.
            say(words.panel_text(step.title, None if overview.panel == shown else overview.panel, problem))
            shown = overview.panel
            if overview.panel is None:
                self.read(words.TRY_AGAIN, False)
                overview = await self.progress.overview()
                continue
            form = self._chosen(overview.panel.forms)
            entered = self._entered(form.fields, overview.entered)
            if not form.fields:
                self.read(words.when_done(form.button), False)
            overview = await self.progress.submit(step.name, {**form.hidden, **entered})

    async def _repeated(self, overview: Overview) -> Overview:
        """Show the steps, and forget the one that the person wants to do again."""
        lines = step_lines(overview)
        say(words.steps_text(lines))
        while any(line.done for line in lines):
            typed = self.read(words.REPEAT, False)
            if not typed:
                break
            if typed.isdecimal() and 0 < int(typed) <= len(lines):
                return await self.progress.repeat(lines[int(typed) - 1].name)
        return overview

    def _chosen(self, forms: Sequence[PanelForm]) -> PanelForm:
        """The way that the person wants; forms for a browser are none."""
        ways = [form for form in forms if form.to is None]
        if len(ways) == 1:
            return ways[0]
        return ways[int(self._ask(words.choice_of_ways(ways), None)) - 1]

    def _entered(self, fields: Sequence[InputField], before: Mapping[str, str]) -> dict[str, str]:
        """What the person enters into all fields; into the rare ones only after a yes."""
        rare = [field for field in fields if field.rare]
        entered = {field.name: self._ask(field, before.get(field.name)) for field in fields if not field.rare}
        if rare and self._ask(words.RARE, None) == "yes":
            entered |= {field.name: self._ask(field, before.get(field.name)) for field in rare}
        return entered

    def _ask(self, field: InputField, before: str | None) -> str:
        """What the person enters; an empty answer is what is filled in, or what was typed `before`."""
        say(f"\n{words.field_text(field)}")
        secret = field.kind == "secret"
        default = field.value if before is None or secret else before
        while True:
            typed = self.read(words.prompt(replace(field, value=default)), secret)
            if field.kind == "check":
                return _ticked(typed, default)
            answer = typed or default
            if field.choices and answer not in dict(field.choices):
                continue
            if answer or field.optional:
                return answer


def _ticked(typed: str, default: str) -> str:
    answer = typed.lower() or ("y" if default == "yes" else "n")
    return "yes" if answer in ("y", "yes") else ""


def read_line(prompt: str, secret: bool) -> str:
    """A line of standard input, without white space around it. Raises EOFError at its end."""
    flush()
    if secret and sys.stdin.isatty():
        return strip(getpass.getpass(prompt))
    sys.stdout.write(prompt)
    flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return strip(line)
