"""Measured figures: their median, their target, and the table that is printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


def percentile(values: Sequence[float], part: float) -> float:
    """The percentile at `part` (0 to 1) of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Series:
    """One figure, measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def shown(self, digits: int) -> str:
        """The median, and the least and the greatest value where there are several."""
        text = f"{self.median:,.{digits}f}"
        if len(self.values) == 1:
            return text
        return f"{text} ({min(self.values):,.{digits}f}-{max(self.values):,.{digits}f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `target` is a share of the baseline, or else a limit in `unit`."""

    what: str
    unit: str
    product: Series
    baseline: Series | None = None
    target: float | None = None
    kind: Literal["share", "at most", "for comparison"] = "at most"
    digits: int = 0

    @property
    def is_met(self) -> bool | None:
        """None where there is no target."""
        if self.target is None:
            return None
        if self.kind == "share":
            assert self.baseline is not None
            return self.product.median >= self.target * self.baseline.median
        return self.product.median <= self.target

    def cells(self) -> tuple[str, ...]:
        share = f"{self.product.median / self.baseline.median:.2f}" if self.baseline else ""
        return (
            f"{self.what} [{self.unit}]",
            self.product.shown(self.digits),
            self.baseline.shown(self.digits) if self.baseline else "-",
            share,
            self._wanted(),
            {True: "met", False: "MISSED", None: ""}[self.is_met],
        )

    def _wanted(self) -> str:
        if self.target is None:
            return ""
        return f">= {self.target} of it" if self.kind == "share" else f"<= {self.target:,.0f}"


HEADS = ("figure", "product", "baseline", "share", "target", "")


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned columns of text."""
    cells = [HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
