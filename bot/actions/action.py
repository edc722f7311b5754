"""What every action is made of: when it is shown, what it needs, what is decided, what is done."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from bot.context import Context
from bot.options import Options
from bot.requests import ActionRequest, UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.permissions import Need
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from integrations.slack.blocks import Content, View
from integrations.slack.elements import Element, Option
from storage.records import (
    Alert,
    AuditOutcome,
    Event,
    NewJob,
    Person,
)

Decision = TypeVar("Decision")


@dataclass(frozen=True, slots=True)
class ActionRun:
    """The means of one action under way."""

    context: Context
    access: RepositoryAccess
    case: PersonalCase
    request: ActionRequest


def unchanged(alert: Alert) -> Alert:
    return alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an action, to be recorded in one transaction and told."""

    answer: Content | None
    """What the person is told, privately; None where the messages themselves show it."""
    unstored_answer: Content | None = None
    """The same, for what may be in no database: it is told before the end is recorded, and again after a crash."""
    facts: AlertFacts | None = None
    """What GitHub answered about the alert."""
    wrote_validity: bool = False
    """The validity that GitHub shows now is what Stanch wrote or cleared: that is no news."""
    by: Person | None = None
    """Who made the change that GitHub's answer shows."""
    change: Callable[[Alert], Alert] = unchanged
    """What else changes in our own record."""
    events: tuple[Event, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    outcome: AuditOutcome = AuditOutcome.DONE
    reason: str | None = None
    view: View | None = None
    """What the open modal shows now, for a button inside one."""


class Action(ABC, Generic[Decision]):
    """A control with an effect. It holds its own knowledge only; the steps around it are `flows/act`'s."""

    id: ClassVar[str]
    """Slack's action id of the control."""
    audited_as: ClassVar[str]
    needs: ClassVar[Need] = Need.VIEW
    asks_role_afresh: ClassVar[bool] = False
    works_offline: ClassVar[bool] = False
    """It changes nothing on GitHub, and goes on while GitHub is down."""
    verb_phrase: ClassVar[str] = "do this"
    """What it does, after "You can't", for whoever may see the alert and lacks what `needs` asks for besides."""

    @abstractmethod
    def decide(self, case: PersonalCase, user_input: UserInput) -> Decision:
        """What is to be done, or raises Refused."""

    @abstractmethod
    async def act(self, run: ActionRun, decision: Decision) -> Outcome:
        """Do it; raises Refused, or GitHubError when GitHub fails in the middle."""

    def abandon(self, alert: Alert) -> Alert:
        """The alert once a wish that had waited is refused after all."""
        return alert


class CardAction(Action[Decision]):
    """An action whose button or menu is on the card."""

    @abstractmethod
    def shown(self, case: Case) -> bool:
        """Whether the card has the control."""

    @abstractmethod
    def control(self, case: Case) -> Element:
        """The button or menu."""


class MenuAction(Action[Decision]):
    """An action that is a line of the card's overflow menu."""

    menu_line: ClassVar[Option]

    @abstractmethod
    def shown(self, case: Case) -> bool:
        """Whether the menu has the line."""


class FormAction(CardAction[Decision]):
    """A control that opens a form, whose submit has the effect."""

    callback_id: ClassVar[str]
    title: ClassVar[str]
    is_menu: ClassVar[bool] = False
    """Its control is a menu, which keeps what was picked until the card is drawn anew."""

    @abstractmethod
    def form(self, case: PersonalCase, user_input: UserInput, metadata: str) -> View:
        """The form; raises Refused where it makes no sense to fill it."""

    @abstractmethod
    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        """What is wrong with the fields, by block id; checked before the submit is stored."""


class ReadAction(ABC):
    """A line of the card's overflow menu that only shows something, privately."""

    id: ClassVar[str]
    menu_line: ClassVar[Option]
    asks_github: ClassVar[bool] = False
    """Needs access to the repository on GitHub, which `answer` is then given."""

    @abstractmethod
    def shown(self, case: Case) -> bool:
        """Whether the menu has the line."""

    @abstractmethod
    async def answer(self, context: Context, case: PersonalCase, access: RepositoryAccess | None) -> Content:
        """What the person sees; raises Refused, or GitHubError where GitHub has to be asked."""
