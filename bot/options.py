"""The options of `stanch.toml`, with their defaults."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

SHAPES = {
    "id": "may have only small letters, digits and _, at most 40",
    "domains": "must be domains, as octo.example",
    "link": "must be an address that starts with https:// and has no white space",
}
"""What a value of an option with a pattern looks like, by the last part of the option's name."""


RESOLUTIONS = ("revoked", "false_positive", "used_in_tests", "wont_fix")
"""GitHub's four reasons to close an alert."""
DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$"
"""A domain in ASCII, in small letters."""
_BOOL = TypeAdapter(bool)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _reasons(value: object) -> object:
    """True, False, or the reasons of a list; raises ValueError for anything else."""
    if isinstance(value, list | frozenset) and all(one in RESOLUTIONS for one in value):
        return frozenset(value)
    try:
        return _BOOL.validate_python(value)
    except ValidationError:
        raise ValueError(f"must be true, false, or a list of {', '.join(RESOLUTIONS)}") from None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ReportOptions(_Table):
    """`[report]`: the kinds of tokens that may be reported besides personal access tokens, and by how many people."""

    oauth_tokens: bool = False
    app_user_tokens: bool = False
    refresh_tokens: bool = False
    approvals: Literal[1, 2] = 1
    """How many people it takes to report a secret."""
    alone_after: Annotated[int, Field(ge=1, le=59)] | None = None
    """Minutes after which one person is enough where GitHub names nobody else with the right; None: never."""

    @property
    def needs_approval(self) -> bool:
        """Whether a second person has to approve a report."""
        return self.approvals > 1

    @model_validator(mode="after")
    def _refuse_alone_without_two(self) -> "ReportOptions":
        if self.alone_after is not None and self.approvals == 1:
            raise ValueError("can't have alone_after without approvals = 2: set that, or remove it")
        return self


class CloseOptions(_Table):
    """`[close]`: what is needed to close an alert."""

    require_comment: Annotated[bool | frozenset[str], BeforeValidator(_reasons)] = False
    """For every reason, for none, or for these."""

    def requires_comment(self, resolution: object) -> bool:
        """Whether closing for this reason needs a comment."""
        if isinstance(self.require_comment, bool):
            return self.require_comment
        return resolution in self.require_comment


class ValidityOptions(_Table):
    """`[validity]`: when GitHub is asked with a secret, and whether a check writes its verdict to GitHub."""

    check: Literal["click", "never"] = "click"
    check_on_arrival: Literal["off", "members", "all"] = "off"
    """Which new tokens are checked without a click: none, those of the organization's members, or all."""
    write_back: bool = True

    @property
    def probes(self) -> bool:
        """Whether GitHub may be asked with a secret at all."""
        return self.check != "never"

    @model_validator(mode="after")
    def _refuse_arrival_without_probes(self) -> "ValidityOptions":
        if not self.probes and self.check_on_arrival != "off":
            raise ValueError(
                'can\'t have check = "never" with check_on_arrival: set that to "off", or remove it'
            )
        return self


class LinkOptions(_Table):
    """`[link]`: how people sign in."""

    lasts: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days after which somebody has to sign in again."""


class GitHubOptions(_Table):
    """`[github]`: in whose name a click goes out to GitHub."""

    act_as: Literal["user", "app", "user_or_app"] = "user_or_app"
    """`user_or_app`: the App's for people of whom Stanch keeps no token."""


class DirectoryOptions(_Table):
    """`[directory]`: which identities come from the organization's directory."""

    source: Literal["off", "saml", "verified_domains", "auto"] = "off"
    interval: Annotated[int, Field(ge=900, le=30 * 86400)] = 86400
    """Seconds between two readings."""
    domains: tuple[Annotated[str, BeforeValidator(_lower), Field(pattern=DOMAIN)], ...] = ()
    """The domains of the addresses by which people are found."""
    acts: bool = False
    """Whether people who are known by the directory alone may take, check, report and close."""

    @model_validator(mode="after")
    def _domains_are_named(self) -> "DirectoryOptions":
        if self.source != "off" and not self.domains:
            raise ValueError(
                'needs domains: the domains of your people\'s addresses, as domains = ["octo.example"]'
            )
        return self


class LimitsOptions(_Table):
    """`[limits]`: how much one person may do in an hour."""

    reports_per_hour: Annotated[int, Field(ge=1, le=1000)] = 10
    closes_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 50


class Step(_Table):
    """One step of a checklist: an id that is stored, a text, and an optional link."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    text: Annotated[str, Field(min_length=1, max_length=70)]
    link: Annotated[str, Field(pattern=r"^https://[^\s<>|]+$")] | None = None


class Options(_Table):
    """All options."""

    report: ReportOptions = ReportOptions()
    close: CloseOptions = CloseOptions()
    validity: ValidityOptions = ValidityOptions()
    limits: LimitsOptions = LimitsOptions()
    link: LinkOptions = LinkOptions()
    github: GitHubOptions = GitHubOptions()
    directory: DirectoryOptions = DirectoryOptions()
    checklist: dict[str, tuple[Step, ...]] = {}
    """The steps by secret type; `default` holds for all types that are not named."""

    @field_validator("checklist")
    @classmethod
    def _one_to_ten_steps(cls, value: dict[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
        for secret_type, steps in value.items():
            if not 1 <= len(steps) <= 10 or len({step.id for step in steps}) != len(steps):
                raise ValueError(f"{secret_type} needs 1 to 10 steps with different ids")
        return value
