"""Models resistive lines as ladders, to find what share of a line's voltage reaches a cell.

Input lines are driven at output line 0, output lines (driven or held at 0 V) at the last input
line; the other ends are open. One resistance lies between neighbouring cells, and between a driver
and the first cell. A line that is driven alone sees its cells as resistors to 0 V: the other lines
are held there, and hardly rise. By reciprocity the share that reaches a cell is also the share of
the cell's current that leaves the line at its end. The errors against the nodal solution are in
`tests/support/rpu_ssnn/line_errors.py`.
"""

import numpy as np
from jaxtyping import Float64

CellValues = Float64[np.ndarray, "inputs outputs"]


def line_shares(drops: CellValues, side: int | None = None) -> tuple[CellValues, CellValues]:
    """Returns the share of the voltage at the end of its input line, and of its output line, that
    reaches each cell.

    Args:
        drops: line resistance from cell to cell over the resistance of each cell.
        side: largest number of cells on a line; longer lines are cut into lines with their own
            ends.
    """
    n_in, n_out = drops.shape
    inputs, outputs = np.empty_like(drops), np.empty_like(drops)
    for first in range(0, n_out, side or n_out):
        block = slice(first, first + (side or n_out))
        inputs[:, block] = _ladder(drops[:, block].T).T
    for first in range(0, n_in, side or n_in):
        block = slice(first, first + (side or n_in))
        outputs[block] = _ladder(drops[block][::-1])[::-1]
    return inputs, outputs


def _ladder(drops: Float64[np.ndarray, "cells lines"]) -> Float64[np.ndarray, "cells lines"]:
    """Returns the share of the voltage that reaches each cell of a line, by a continued fraction.

    Cell k of n equal cells d gets cosh((n - k - 1/2) u) / cosh((n + 1/2) u), with sinh(u / 2) =
    sqrt(d) / 2.

    Args:
        drops: those of the cells, from the driven end on.
    """
    drops = np.ascontiguousarray(drops)  # neighbouring cells then lie side by side
    kept = np.empty_like(drops)
    beyond = np.zeros(drops.shape[1])  # the conductance of all further cells, in segments
    for k in reversed(range(len(drops))):
        here = drops[k] + beyond
        kept[k] = 1.0 / (1.0 + here)
        np.multiply(here, kept[k], out=beyond)
    for k in range(1, len(kept)):
        kept[k] *= kept[k - 1]
    return kept
