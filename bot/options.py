"""The options of `stanch.toml`, with their defaults."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

SHAPES = {
    "id": "may have only small letters, digits and _, at most 40",
    "link": "must be an address that starts with https:// and has no white space",
}
"""What a value of an option with a pattern looks like, by the last part of the option's name."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ReportOptions(_Table):
    """`[report]`: the kinds of tokens that may be reported besides personal access tokens."""

    oauth_tokens: bool = False
    app_user_tokens: bool = False
    refresh_tokens: bool = False


class CloseOptions(_Table):
    """`[close]`: what is needed to close an alert."""

    require_comment: bool = False


class ValidityOptions(_Table):
    """`[validity]`: whether a check writes its verdict to GitHub."""

    write_back: bool = True


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
    checklist: dict[str, tuple[Step, ...]] = {}
    """The steps by secret type; `default` holds for all types that are not named."""

    @field_validator("checklist")
    @classmethod
    def _one_to_ten_steps(cls, value: dict[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
        for secret_type, steps in value.items():
            if not 1 <= len(steps) <= 10 or len({step.id for step in steps}) != len(steps):
                raise ValueError(f"{secret_type} needs 1 to 10 steps with different ids")
        return value
