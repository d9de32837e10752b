"""Refuses values that a `SpikingClassifier` cannot take, and names their place."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.files import refusing
from rpu_ssnn.spec import Positive, Spec
from rpu_ssnn.spec.layers import Neurons
from rpu_ssnn.spec.network import Slots

WHERE = "SpikingClassifier"

MOST_THREADS = 1024
"""More threads than any machine has CPUs would only take memory."""


class OwnSettings(Spec):
    """Checks those parameters of the classifier that no other settings check."""

    hidden: Neurons | Annotated[tuple[Neurons, ...], Field(min_length=1)]
    T: Slots
    learning_rate: Positive
    scale: Literal["training", "each"]
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    verbose: bool


def numbers_of(X: ArrayLike, images: bool) -> np.ndarray:
    """Returns the argument X as an array.

    Args:
        images: whether the first layer takes images.

    Raises:
        InputError: X has too few or too many dimensions, or an array of numbers has one that is not
            finite.
        ValueError: rows differ in length.
    """
    _refuse_masked("X", X)
    values = np.asarray(X)
    one = "Reshape your data by X.reshape(1, -1) for one row, by X.reshape(-1, 1) for one column"
    allowed = (
        f"must be rows [n, columns], not sparse; images need network={{'layers': [...]}}; {one}"
    )
    fits = values.ndim == 2 or (images and values.ndim > 2)
    field, found = ("shape of X", values.shape) if values.shape else ("X", X)
    require(fits, WHERE, field, found, allowed)
    kind, allowed = values.dtype, "must be real numbers (Complex data not supported)"
    require(kind.kind in "biufO", WHERE, "kind of values of X", kind.name, allowed)
    for at in np.argwhere(~np.isfinite(values))[:1].tolist() if kind.kind == "f" else ():
        allowed = "must be a finite number, neither NaN nor inf"
        raise InputError(WHERE, f"X: index {at}", float(values[tuple(at)]), allowed)
    return values


def labels_of(rows: np.ndarray, y: ArrayLike) -> np.ndarray:
    """Returns the argument y as an array.

    Args:
        rows: the argument X as an array of numbers.

    Raises:
        InputError: y is not one class for each row.
    """
    _refuse_masked("y", y)
    allowed = f"must be a class for each of the {len(rows)} rows of X, all text or whole numbers"
    with refusing(WHERE, allowed, ValueError, field="y"):
        _, labels = check_X_y(rows, y)
        check_classification_targets(labels)
    return np.asarray(labels)


def _refuse_masked(field: str, values: ArrayLike) -> None:
    """Refuses masked values, whose mask scikit-learn would drop."""
    found = Fault("some values are masked")
    require(not np.ma.is_masked(values), WHERE, field, found, "must hold all values")
