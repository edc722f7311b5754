"""A case: everything that a decision or a drawing about one alert looks at, gathered beforehand."""

from dataclasses import dataclass, field

from bot.options import Options
from bot.rules.permissions import Rights
from bot.rules.report_eligibility import ServerAbilities
from storage.records import Alert, Identity, Person, Repository, UnixTime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the Slack user, the GitHub account that is theirs, and what it may do."""

    identity: Identity
    rights: Rights

    @property
    def person(self) -> Person:
        return Person(self.identity.slack_team, self.identity.slack_user, self.identity.github)


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
    """How far the checklist is; 0 of 0 while there is none."""

    def for_person(
        self,
        actor: Actor,
        *,
        token_owner: Identity | None = None,
        offline: bool = False,
        waited: bool = False,
        intended_at: UnixTime | None = None,
    ) -> "PersonalCase":
        """The case with the person who acts, and with what only their request tells."""
        return PersonalCase(
            alert=self.alert,
            repository=self.repository,
            now=self.now,
            server=self.server,
            options=self.options,
            steps_done=self.steps_done,
            steps_total=self.steps_total,
            actor=actor,
            token_owner=token_owner,
            offline=offline,
            waited=waited,
            intended_at=intended_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalCase(Case):
    """A case in front of one person."""

    actor: Actor
    token_owner: Identity | None = None
    """The token's owner, where that GitHub account is linked here."""
    offline: bool = False
    """GitHub is down: the alert and the rights are as they were last known."""
    waited: bool = False
    """The wish was accepted before and had to wait; this is its next try."""
    intended_at: UnixTime | None = None
    """When an earlier run, which was interrupted, had decided to act."""

    @property
    def resumed(self) -> bool:
        """Whether it may be done already."""
        return self.intended_at is not None

    @property
    def changed_since(self) -> bool:
        """Whether GitHub changed the alert after that, by the interrupted run's doing or another's."""
        # GitHub cuts its times to whole seconds, so that what was changed just before never counts.
        return self.intended_at is not None and self.alert.updated_at > self.intended_at
