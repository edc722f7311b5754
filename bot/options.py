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
    "link": "must be an address that starts with https:// and has no white space",
}
"""What a value of an option with a pattern looks like, by the last part of the option's name."""


RESOLUTIONS = ("revoked", "false_positive", "used_in_tests", "wont_fix")
"""GitHub's four reasons to close an alert."""
_BOOL = TypeAdapter(bool)


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
    """`[report]`: the kinds of tokens that may be reported besides personal access tokens."""

    oauth_tokens: bool = False
    app_user_tokens: bool = False
    refresh_tokens: bool = False


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
    def _never_is_never(self) -> "ValidityOptions":
        if not self.probes and self.check_on_arrival != "off":
            raise ValueError(
                'can\'t have check = "never" with check_on_arrival: set that to "off", or remove it'
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
    checklist: dict[str, tuple[Step, ...]] = {}
    """The steps by secret type; `default` holds for all types that are not named."""

    @field_validator("checklist")
    @classmethod
    def _one_to_ten_steps(cls, value: dict[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
        for secret_type, steps in value.items():
            if not 1 <= len(steps) <= 10 or len({step.id for step in steps}) != len(steps):
                raise ValueError(f"{secret_type} needs 1 to 10 steps with different ids")
        return value
