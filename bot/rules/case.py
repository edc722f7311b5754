"""The case: all facts about one alert that a decision or a message is made from."""

from dataclasses import dataclass, field, fields

from bot.options import Options
from bot.rules.report_eligibility import ServerAbilities
from bot.rules.rights import Rights
from storage.records import Alert, Approval, Identity, Person, Repository, SlackUserId, UnixTime


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts: their Slack user, their GitHub account and its rights."""

    identity: Identity
    rights: Rights

    @property
    def person(self) -> Person:
        return Person(self.identity.slack_team, self.identity.slack_user, self.identity.github)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The person to whom the alert is to be handed over."""

    user: SlackUserId
    outsider: str | None = None
    """Why they can't act here, as one short word: `guest`, `not_linked`, `slack_unreachable`, …"""
    identity: Identity | None = None
    """None for an outsider."""
    rights: Rights | None = None
    """None for an outsider."""

    @property
    def person(self) -> Person:
        """The receiver as a person; raises ValueError for an outsider."""
        if self.identity is None:
            raise ValueError("nobody hands an alert over to an outsider")
        return Person(self.identity.slack_team, self.user, self.identity.github)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alert at one moment."""

    alert: Alert
    repository: Repository
    now: UnixTime
    server: ServerAbilities = field(default_factory=ServerAbilities)
    options: Options = field(default_factory=Options)
    steps_done: int = 0
    steps_total: int = 0
    """Progress of the checklist; 0 of 0 without one."""
    committer_name: str | None = None
    """The Slack name of the person who made the leaking commit, if that is proved and the account is linked."""
    approval: Approval | None = None
    """The open request for approval of a report. For a click on its buttons, and for the report that was approved,
    the request that they name, in any state."""

    def for_person(self, actor: Actor) -> "PersonalCase":
        """The same case for the person who acts."""
        return PersonalCase(**{one.name: getattr(self, one.name) for one in fields(self)}, actor=actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalCase(Case):
    """A case with the person who acts."""

    actor: Actor
    token_owner: Identity | None = None
    """The token's owner, if their GitHub account is linked to a Slack user."""
    held_for: Person | None = None
    """Stanch holds this very token: it acts on GitHub for this person with it."""
    owner_is_outside: bool = False
    """Slack calls the token's owner a guest, deactivated or of another organization, or does not say."""
    owner_views: bool = False
    """GitHub lets the token's owner see this alert."""
    owner_told: bool = False
    """The token's owner has been told of this alert."""
    owner_answer: str | None = None
    """The last answer of the token's owner, as its stored word."""
    actor_name: str = ""
    """The name in Slack of the person who acts; empty where it was not asked for."""
    is_approved_run: bool = False
    """This is the report of an approved request."""
    denied_at: UnixTime | None = None
    """When a second person last denied this person's request for this alert."""
    others_can_approve: bool | None = None
    """Whether GitHub names somebody else with the right; None if it was not asked, or not all is known."""
    who_approves: str = ""
    """Who can approve, as Slack markup; empty where nobody asked."""
    receiver: Receiver | None = None
    """Whom the person picked to hand the alert over to."""
    own_name: bool = False
    """What the action changes on GitHub is changed in the person's own name, with their own token."""
    offline: bool = False
    """GitHub can't be reached: the alert and the rights are the last known ones."""
    waited: bool = False
    """The request was accepted earlier and had to wait; this is its next attempt."""
    intended_at: UnixTime | None = None
    """When an earlier attempt, which was interrupted, had decided to act; None if there was none."""

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt was interrupted, so the action may be done already."""
        return self.intended_at is not None

    @property
    def changed_since(self) -> bool:
        """Whether the alert changed on GitHub after `intended_at`, by the interrupted attempt or by somebody else."""
        # GitHub cuts times to whole seconds, so a change just before `intended_at` never counts.
        return self.intended_at is not None and self.alert.updated_at > self.intended_at
