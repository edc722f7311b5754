"""What operators may change in `stanch.toml`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

SHAPES = {
    "id": "takes small letters, digits and _ alone, at most 40",
    "link": "must be an address that starts with https:// and has no white space",
}
"""What the options with a pattern take, by their last name."""


class ReportOptions(BaseModel):
    """`[report]`: which GitHub credentials may be reported besides personal access tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    oauth_tokens: bool = False
    app_user_tokens: bool = False
    refresh_tokens: bool = False


class CloseOptions(BaseModel):
    """`[close]`: what closing an alert asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    require_comment: bool = False


class ValidityOptions(BaseModel):
    """`[validity]`: what a check does with its verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    write_back: bool = True


class Step(BaseModel):
    """One step of a checklist: a short stable id, its words, and a link where one helps."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    text: Annotated[str, Field(min_length=1, max_length=70)]
    link: Annotated[str, Field(pattern=r"^https://[^\s<>|]+$")] | None = None


class Options(BaseModel):
    """What `stanch.toml` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    report: ReportOptions = ReportOptions()
    close: CloseOptions = CloseOptions()
    validity: ValidityOptions = ValidityOptions()
    checklist: dict[str, tuple[Step, ...]] = {}
    """By secret type; `default` replaces the built-in steps of every type that has none of its own."""

    @field_validator("checklist")
    @classmethod
    def _few_and_different(cls, value: dict[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
        for kind, steps in value.items():
            if not 1 <= len(steps) <= 10 or len({step.id for step in steps}) != len(steps):
                raise ValueError(f"{kind} needs 1 to 10 steps with different ids")
        return value
