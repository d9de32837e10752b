"""The sweep of a study: grids, ranges, and settings that change together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.validation import validated
from rpu_ssnn.spec import Spec

DIGITS = 6
"""Significant digits of a computed value, so that titles and identities can be read and retyped."""


class Span(Spec):
    """Between two numbers: `{from: 10, to: 1000, scale: log, whole: true}`."""

    model_config = ConfigDict(validate_by_name=True)

    start: float = Field(alias="from")
    to: float
    scale: Literal["linear", "log"] = "linear"
    whole: bool = Field(False, description="values are rounded to whole numbers")

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.start == self.to:
            raise ValueError(f"must end elsewhere than it starts, {self.start:g}")
        if self.scale == "log" and min(self.start, self.to) <= 0:
            raise ValueError("must be above 0 at both ends where the scale is log")
        return self

    def at(self, share: float) -> float | int:
        """The value at a share of the way, 0 to 1."""
        if self.scale == "log":
            value = math.exp(
                math.log(self.start) + share * (math.log(self.to) - math.log(self.start))
            )
        else:
            value = self.start + share * (self.to - self.start)
        return round(value) if self.whole else float(f"{value:.{DIGITS}g}")


class Range(Span):
    """A span in even steps: `{from: 10, to: 1000, n: 5, scale: log}`."""

    n: Annotated[int, Field(ge=2, le=10_000)] = Field(description="values, both ends included")

    def values(self) -> list[float | int]:
        """The values in the order from start to end."""
        return [self.at(k / (self.n - 1)) for k in range(self.n)]


@dataclass(frozen=True)
class SweepAxis:
    """Settings that vary together.

    Attributes:
        where: key of the study that declares it, for errors.
        paths: dotted.
        rows: a value for each path.
    """

    where: str
    paths: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def expanded(raw: object) -> object:
    """A raw `sweep` with its ranges as lists.

    Raises:
        InputError: a range is not valid.
    """
    if not isinstance(raw, Mapping):
        return raw
    return {
        path: validated(Range, values, str(path)).values()
        if isinstance(values, Mapping)
        else values
        for path, values in raw.items()
    }


def axes_of(
    sweep: Mapping[str, Sequence[Any]],
    together: Sequence[Mapping[str, Sequence[Any]]],
) -> list[SweepAxis]:
    """The axes whose product is the study's grid, outermost first.

    Raises:
        InputError: lists that go together differ in length, or a path is varied twice.
    """
    axes = [
        SweepAxis("sweep", (path,), tuple((v,) for v in values)) for path, values in sweep.items()
    ]
    for index, columns in enumerate(together, 1):
        where = f"together {index}"
        first = len(next(iter(columns.values())))
        for path, values in columns.items():
            if len(values) != first:
                allowed = f"must have {first} values, as many as the first"
                raise InputError("study", f"{where}.{path}", list(values), allowed)
        axes.append(SweepAxis(where, tuple(columns), tuple(zip(*columns.values(), strict=True))))
    seen: dict[str, str] = {}
    for axis in axes:
        for path in axis.paths:
            if not all(path.split(".")):
                allowed = "must be a path such as network.T, with a point between its parts"
                raise InputError("study", axis.where, path, allowed)
            if path in seen:
                allowed = f"is varied by {seen[path]} already"
                raise InputError("study", f"{axis.where}.{path}", path, allowed)
            seen[path] = axis.where
    return axes
