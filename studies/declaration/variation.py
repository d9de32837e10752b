"""The sweep of a study: grids, ranges, settings that change together, and samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import Spec
from studies.common.explain import validated

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
        """In the order from start to end."""
        return [self.at(k / (self.n - 1)) for k in range(self.n)]


def _kind(raw: object) -> str | None:
    """The tag of a source of samples; see `explain.TAG_MARK`."""
    if isinstance(raw, Span | Mapping):
        return "<span>"
    return "<choices>" if isinstance(raw, list) else None


def _span_or_list(raw: object) -> object:
    if _kind(raw) is None:
        allowed = "must be a span, {from: 1, to: 10}, or a list to choose from"
        raise InputError("study", "", raw, allowed)
    return raw


_SpanOrChoices = Annotated[
    Annotated[Span, Tag("<span>")] | Annotated[list[Any], Field(min_length=2), Tag("<choices>")],
    Discriminator(_kind),
    BeforeValidator(_span_or_list),
]


class SampledPoints(Spec):
    """Points drawn at random from a box: each is one value for every path of `over`."""

    n: Annotated[int, Field(ge=1, le=10_000)] = Field(description="points")
    method: Literal["random", "latin_hypercube"] = Field(
        "latin_hypercube",
        description="latin_hypercube: each n-th part of each span has one point (scipy.stats.qmc)",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="of the draw")
    over: Annotated[dict[str, _SpanOrChoices], Field(min_length=1)] = Field(
        description="dotted path to a span, or to a list to choose from"
    )

    def rows(self) -> list[tuple[Any, ...]]:
        """The points; the same for the same declaration."""
        import numpy as np

        if self.method == "random":
            shares = np.random.default_rng(self.seed).random((self.n, len(self.over)))
        else:
            from scipy.stats import qmc

            shares = qmc.LatinHypercube(len(self.over), rng=self.seed).random(self.n)
        return [
            tuple(
                over.at(float(share)) if isinstance(over, Span) else over[int(share * len(over))]
                for share, over in zip(row, self.over.values(), strict=True)
            )
            for row in shares
        ]


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
    sample: SampledPoints | None,
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
    if sample is not None:
        axes.append(SweepAxis("sample.over", tuple(sample.over), tuple(sample.rows())))
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
