"""One run of the set-up: which step is next, what it shows, and what is written after each finished step."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.flows.setup.files import SetupFiles
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused, looks_secret
from bot.rules.env_file import Unwritable, quoted
from bot.setting_values import strip
from bot.settings import environment
from bot.views.setup_github_refusals import in_environment
from bot.views.setup_html import StepLine
from bot.views.setup_panel import Panel


@dataclass(frozen=True, slots=True)
class Overview:
    """What a page or the terminal shows: all steps, and the panel of the next one."""

    steps: tuple[tuple[SetupStep, bool], ...]
    """Each step, and whether it is done."""
    current: SetupStep | None
    """The next step; None if all are done."""
    panel: Panel | None
    """None if there is no next step, or if it can't be shown because of `problem`."""
    known: Known
    problem: StepRefused | None = None
    entered: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The form that was refused with this problem."""


def step_lines(overview: Overview) -> list[StepLine]:
    """The lines of the list of steps."""
    return [
        StepLine(
            step.name,
            step.title,
            done,
            step is overview.current,
            step.summary(overview.known) if done else "",
        )
        for step, done in overview.steps
    ]


class SetupProgress:
    """The state of one run; callers let one call end before they make another."""

    def __init__(
        self, context: SetupContext, files: SetupFiles, steps: Sequence[SetupStep], known: Known
    ) -> None:
        self._context = context
        self._files = files
        self._steps = steps
        self._known = known
        self._unwritten: dict[str, str] = {}

    @property
    def known(self) -> Known:
        """What is known now."""
        return self._known

    async def overview(self, problem: StepRefused | None = None) -> Overview:
        """The next step and what it shows; steps that turn out to be done are passed over."""
        for step in self._steps:
            if step.done(self._known):
                continue
            try:
                self._write()
                self._keep(await step.look(self._context, self._known))
                if step.done(self._known):
                    continue
                return self._shown(step, await step.view(self._context, self._known), problem)
            except StepRefused as refused:
                return self._shown(step, None, problem or refused)
        try:
            self._write()
        except StepRefused as refused:
            return self._shown(self._steps[-1], None, refused)
        return self._shown(None, None, problem)

    def _shown(self, current: SetupStep | None, panel: Panel | None, problem: StepRefused | None) -> Overview:
        steps = tuple((step, step.done(self._known)) for step in self._steps)
        return Overview(steps, current, panel, self._known, problem)

    async def submit(self, name: str, form: Mapping[str, str]) -> Overview:
        """Submit a form of the step with this name; a form of another step than the next one changes nothing."""
        step = self._next()
        if step is None or step.name != name:
            return await self.overview()
        entered = {key: strip(value) for key, value in form.items()}
        overview = await self.change(lambda known: step.submit(self._context, known, entered))
        if overview.problem is None:
            return overview
        # A secret that was typed into the wrong field is not shown again.
        shown = {key: value for key, value in entered.items() if not looks_secret(value)}
        return replace(overview, entered=shown)

    async def change(self, work: Callable[[Known], Awaitable[Known]]) -> Overview:
        """Do a part of a step, write what it found, and show the next step, or why it was refused."""
        try:
            self._keep(await work(self._known))
        except StepRefused as refused:
            return await self.overview(refused)
        return await self.overview()

    async def repeat(self, name: str) -> Overview:
        """Do a step again: what it found is forgotten here, and stays in `.env` until it is replaced."""
        step = next((step for step in self._steps if step.name == name), None)
        if step is None:
            return await self.overview()
        fixed = sorted(environment().keys() & set(step.owns))
        if fixed:
            return await self.overview(StepRefused(in_environment(fixed[0])))
        former = {f"former {one}": value for one in step.owns if (value := self._known.get(one))}
        self._known = self._known.without(*step.owns).finding(**former)
        return await self.overview()

    def _next(self) -> SetupStep | None:
        return next((step for step in self._steps if not step.done(self._known)), None)

    def _keep(self, known: Known) -> None:
        """Take over what is known now; the next `_write` writes the settings that are new.

        It is kept even if it can't be written now: GitHub shows an App's secrets once.
        """
        before = self._known.values
        new = {name: value for name, value in known.values.items() if before.get(name) != value}
        for name, value in new.items():
            try:
                quoted(value)
            except Unwritable as fault:
                raise StepRefused(f"{name} {fault}.") from None
        self._unwritten |= new
        self._known = known

    def _write(self) -> None:
        """Write the settings that are new. Raises StepRefused."""
        if self._unwritten:
            self._files.write_settings(self._unwritten)
            self._unwritten = {}
