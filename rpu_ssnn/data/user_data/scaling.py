"""Scales the values of a user's file to shares of full rate."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.data_spec import Bounds

_CHUNK = 4096
"""This many rows are scaled at a time, so that no copy of a large set in double precision is
kept."""


class Scale(NamedTuple):
    """Holds the values that stand for no and for full rate, for all columns together or for
    each."""

    low: Float64[np.ndarray, " columns_or_1"]
    high: Float64[np.ndarray, " columns_or_1"]

    @property
    def span(self) -> Float64[np.ndarray, " columns_or_1"]:
        """Returns the span from no to full rate, which is infinite where both are one value."""
        return np.where(self.high > self.low, self.high - self.low, np.inf)

    @property
    def zero(self) -> Float32[np.ndarray, " columns_or_1"]:
        """Returns the share of the value 0, which is outside [0, 1] where all values have one
        sign."""
        zero: Float32[np.ndarray, " columns_or_1"] = (-self.low / self.span).astype(np.float32)
        return zero


def scale_of(rows: np.ndarray, training: Int64[np.ndarray, " drawn"], rule: Bounds | str) -> Scale:
    """Returns the scale by a rule, from the training rows only.

    Args:
        rows: the values of the training file [n, columns].
        training: the places of the rows that are trained on.
        rule: the setting `OwnData.range`.

    Raises:
        InputError: the values are so far apart that their difference is infinite.
    """
    if isinstance(rule, str):
        seen = rows[training]
        low = seen.min(axis=0).astype(np.float64)
        high = seen.max(axis=0).astype(np.float64)
        if rule == "training":
            low, high = low.min(keepdims=True), high.max(keepdims=True)
    else:
        low, high = np.array(rule[:1], dtype=np.float64), np.array(rule[1:], dtype=np.float64)
    with np.errstate(over="ignore"):
        if not np.isfinite(high - low).all():
            ends = [low.min().item(), high.max().item()]
            raise InputError("data", "lowest and highest value", ends, "must be closer together")
    return Scale(low, high)


def shares(rows: np.ndarray, scale: Scale) -> Float32[np.ndarray, "n columns"]:
    """Returns the shares (value - low) / (high - low), clipped to [0, 1]; they are 0 where low and
    high are equal."""
    result = np.empty(rows.shape, dtype=np.float32)
    span = scale.span
    for first in range(0, len(rows), _CHUNK):
        part = rows[first : first + _CHUNK].astype(np.float64)
        result[first : first + _CHUNK] = np.clip((part - scale.low) / span, 0.0, 1.0)
    return result
