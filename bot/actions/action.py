"""The base classes of actions, and the records that an action gets and returns."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias, TypeVar

from bot.context import Context
from bot.errors import Refused
from bot.options import LimitsOptions, Options
from bot.requests import ActionRequest, UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.rights import Need
from bot.rules.source_rights import Deed
from integrations.github.alert_calls import AlertCalls
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from integrations.slack.blocks import Block, Content, View, modal
from integrations.slack.elements import Element, Option
from storage.db import Tx
from storage.records import Alert, AuditOutcome, Event, NewJob, Person

Decision = TypeVar("Decision")
Change: TypeAlias = Callable[[AlertCalls], Awaitable[AlertFacts]]
"""A change of the alert on GitHub, made with the calls that it gets."""
Write: TypeAlias = Callable[[Change], Awaitable[AlertFacts]]
"""Makes such a change in somebody's name, and returns GitHub's alert after it. Raises GitHubError."""


@dataclass(frozen=True, slots=True)
class ActionRun:
    """What `act` works with."""

    context: Context
    access: RepositoryAccess
    case: PersonalCase
    request: ActionRequest
    write: Write
    """Changes the alert on GitHub in the person's own name or the App's, as `case.own_name` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an action. All of it is recorded in one transaction, except `unstored_answer` and `view`."""

    answer: Content | None
    """The private answer; None if there is none in any case."""
    is_shown: bool = False
    """The card shows the result, or for a button inside a modal its new content does. Then the answer is sent only
    if the card that was clicked, or the modal, is not updated in time."""
    unstored_answer: Content | None = None
    """A private answer that must not be stored; sent before the result is recorded, so a crash can repeat it."""
    facts: AlertFacts | None = None
    """What GitHub answered about the alert."""
    own_name: bool = False
    """`facts` shows a change that was made in the person's own name."""
    wrote_validity: bool = False
    """Stanch wrote or cleared the validity that GitHub shows now, so the change gets no entry in the timeline."""
    by: Person | None = None
    """Who made the change that `facts` shows."""
    change: Callable[[Alert], Alert] = lambda alert: alert
    """What else changes in the stored alert."""
    stored_besides: Callable[[Tx], Awaitable[None]] | None = None
    """What else is stored in that transaction; raises Refused if that is no longer possible."""
    events: tuple[Event, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    outcome: AuditOutcome = AuditOutcome.DONE
    reason: str | None = None
    view: View | None = None
    """The new content of the open modal, for a button inside a modal."""


def by_app(access: AlertCalls) -> Write:
    """Makes changes in the App's name."""

    async def write(change: Change) -> AlertFacts:
        return await change(access)

    return write


class Action(ABC, Generic[Decision]):
    """A control with an effect: what it needs, what it decides, what it does.

    The steps that all actions share are in `flows/acting`.
    """

    id: ClassVar[str]
    """Slack's action id of the control."""
    audited_as: ClassVar[str]
    """The action's word in the audit log."""
    needs: ClassVar[Need] = Need.VIEW
    """The right that a person must have."""
    deed: ClassVar[Deed] = Deed.ACT
    """What the source of the person's link has to allow."""
    needs_fresh_role: ClassVar[bool] = False
    """The person's role is asked for now; otherwise one of the last five minutes is used again."""
    asks_about_owner: ClassVar[bool] = False
    """Its form, or without a form its decision, needs to know whether the token's owner can be told."""
    asks_about_approval: ClassVar[bool] = False
    """It needs the request for approval of a report: to make it, to decide it, or to show the report's form."""
    works_offline: ClassVar[bool] = False
    """It changes nothing on GitHub, so it is done while GitHub is down too."""
    receiver_block: ClassVar[str | None] = None
    """The block of its form with a people picker: the picked person is loaded as the case's `receiver`.

    The picker's action id is the same; each pick fills the form again.
    """
    verb_phrase: ClassVar[str] = "do this"
    """Verb phrase for the refusal "You can't {verb_phrase}", for people who may see the alert but lack `needs`."""

    @abstractmethod
    def decide(self, case: PersonalCase, user_input: UserInput) -> Decision:
        """What to do; raises Refused."""

    @abstractmethod
    async def act(self, run: ActionRun, decision: Decision) -> Outcome:
        """Do it; raises Refused, or GitHubError if GitHub fails."""

    def most_per_hour(self, limits: LimitsOptions) -> int | None:
        """How often one person may do it within an hour; None: as often as they like."""
        return None

    def abandon(self, alert: Alert) -> Alert:
        """The alert after a request that had waited is refused."""
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


class FormAction(Action[Decision]):
    """An action whose control opens a form; submitting the form has the effect.

    It is a `CardAction` or a `MenuAction` too.
    """

    callback_id: ClassVar[str]
    title: ClassVar[str]
    is_menu: ClassVar[bool] = False
    """The control is a menu. Slack shows the picked option in it until the card is drawn again."""

    def form(self, case: PersonalCase, user_input: UserInput, metadata: str) -> View:
        """The form; raises Refused if the action is not possible."""
        return modal(
            callback_id=self.callback_id,
            title=self.title,
            submit=self.title,
            private_metadata=metadata,
            blocks=self.form_blocks(case, user_input),
        )

    @abstractmethod
    def form_blocks(self, case: PersonalCase, user_input: UserInput) -> Sequence[Block | None]:
        """The content of the form; raises Refused if the action is not possible."""

    def input_refusal(self, case: PersonalCase) -> Refused | None:
        """Why what was picked so far is refused; the form shows it, and it is audited."""
        return None

    @abstractmethod
    def form_errors(self, user_input: UserInput, options: Options) -> dict[str, str]:
        """What is wrong with the fields, by block id; checked before the submit is stored."""


class ReadAction(ABC):
    """A line of the card's overflow menu that shows something privately and changes nothing."""

    id: ClassVar[str]
    menu_line: ClassVar[Option]
    asks_github: ClassVar[bool] = False
    """`answer` needs access to the repository on GitHub."""

    @abstractmethod
    def shown(self, case: Case) -> bool:
        """Whether the menu has the line."""

    @abstractmethod
    async def answer(self, context: Context, case: PersonalCase, access: RepositoryAccess | None) -> Content:
        """The private answer; `access` is there if `asks_github` is set. Raises Refused and GitHubError."""
