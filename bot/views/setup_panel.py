"""What a step of the set-up shows, as records: the page draws them as HTML, the terminal as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Our own words, in which *strong* and `code` are marked. Outside text goes into FactRows."""

    text: str


@dataclass(frozen=True, slots=True)
class WebLink:
    """An address to open in a new tab."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class FactRows:
    """Names and values; the values may be outside text."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Instructions:
    """What to do elsewhere, one after another; marked like a Paragraph."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopyText:
    """A text to copy as it is."""

    label: str
    text: str
    folded: bool = False
    """Whether it is long and seldom needed."""


@dataclass(frozen=True, slots=True)
class WideTable:
    """A table with headings, as of permissions and their reasons; cells may be outside text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part: TypeAlias = Paragraph | WebLink | FactRows | Instructions | CopyText | WideTable


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of a form. A secret one is never filled in, nor shown while it is typed."""

    name: str
    label: str
    kind: Literal["text", "secret", "choice", "check"] = "text"
    value: str = ""
    """What is filled in or chosen at first; of a check `yes` if it is ticked."""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Of a choice: value and label."""
    optional: bool = False
    rare: bool = False
    """Few people need it, so it is folded away below the others; it is optional then."""


@dataclass(frozen=True, slots=True)
class PanelForm:
    """A form and its button. Its fields come to the step's `submit` together with `hidden`."""

    button: str
    fields: tuple[InputField, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    to: str | None = None
    """An address of GitHub's that the browser posts it to, with a single-use `state`; None for our own page."""
    aside: str = ""
    """The heading under which the form is folded away, as another way of doing the step."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What a step shows: its parts, then its forms."""

    parts: tuple[Part, ...]
    forms: tuple[PanelForm, ...]
