"""Makes the arrays of a class whose types give their dtypes and dimensions."""

from collections.abc import Mapping
from typing import Any, get_type_hints

import numpy as np


def zeros_of(
    kind: type[Any], sizes: Mapping[str, Any], several: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Returns zeros for all fields of a class that are arrays, by name.

    Args:
        kind: the class; the type of an array, such as ``Float32[np.ndarray, "batch lines"]``,
            names its dimensions.
        sizes: the size of each dimension that has a name.
        several: dimensions that are put in front.
    """
    zeros = {}
    for name, array in get_type_hints(kind).items():
        if hasattr(array, "dim_str"):
            shape = [int(sizes.get(dimension, dimension)) for dimension in array.dim_str.split()]
            zeros[name] = np.zeros((*several, *shape), array.dtypes[0])
    return zeros
