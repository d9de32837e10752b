"""Solves a crossbar with resistive lines at all nodes, and measures the error of the ladders.

The solution applies Kirchhoff's current law to both nodes of every cell, as badcrossbar does
(Joksas and Mehonic, SoftwareX 12, 100617, 2020), but here output lines may be driven too. The
simulator uses ladders instead (`rpu_ssnn.synapses.native.effects.line_resistance`).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import sparse
from scipy.sparse.linalg import splu

from rpu_ssnn.synapses.native.effects.line_resistance import CellValues, line_shares


def nodal_solution(
    drops: CellValues,
    inputs: Float64[np.ndarray, " inputs"],
    outputs: Float64[np.ndarray, " outputs"],
) -> tuple[CellValues, Float64[np.ndarray, " outputs"]]:
    """Returns voltages over all cells, and currents of output lines times a segment's resistance.

    Args:
        drops: resistance of a segment from cell to cell, over the resistance of each cell.
        inputs, outputs: voltages at the ends of the lines, in any unit.
    """
    n_in, n_out = drops.shape
    cells = sparse.diags_array(drops.ravel())
    along_inputs = sparse.kron(sparse.eye_array(n_in), _wire(n_out, open_end=n_out - 1))
    along_outputs = sparse.kron(_wire(n_in, open_end=0), sparse.eye_array(n_out))
    matrix = sparse.block_array(
        [[along_inputs + cells, -cells], [-cells, along_outputs + cells]], format="csc"
    )
    driven = np.zeros((2, n_in, n_out))
    driven[0, :, 0], driven[1, -1, :] = inputs, outputs
    above, below = splu(matrix).solve(driven.ravel()).reshape(2, n_in, n_out)
    return above - below, below[-1] - outputs


def _wire(cells: int, open_end: int) -> sparse.dia_array:
    """Returns the conductance matrix of one line's nodes, in units of a segment's conductance."""
    own = np.full(cells, 2.0)
    own[open_end] = 1.0
    between = np.full(cells - 1, -1.0)
    return sparse.diags_array([between, own, between], offsets=[-1, 0, 1], format="dia")


@dataclass(frozen=True)
class LineErrors:
    """Holds the errors in one random array, relative to ideal lines.

    Attributes:
        current_lost: norm of the loss of all read currents, by the nodal solution.
        current_error: norm of the error of the ladders in these currents.
        write_lost: mean loss of voltage over the cells that are written, by the nodal solution.
        write_error: mean part of that loss that the ladders miss.
    """

    current_lost: float
    current_error: float
    write_lost: float
    write_error: float


def line_errors(side: int, drop: float, active: float, seed: int) -> LineErrors:
    """Returns the errors of an array with `side` input lines, whose weights have a deviation of 0.3
    of their range.

    A weight lies on two output lines, of which the second is its reference at mid-range; OFF cells
    do not conduct.

    Args:
        side: the number of input lines.
        drop: drop along an input line whose cells are all at mid-range, to first order in the
            resistance: drops x side^2 / 2 at its far end.
        active: share of input lines that spike in a slot; 3 % of output lines spike in each stream.
        seed: the seed of weights and spikes.
    """
    rng = np.random.default_rng(seed)
    states = np.zeros((side, side))
    states[:, ::2] = np.clip(0.3 * rng.standard_normal((side, side // 2)), -1.0, 1.0)
    drops = drop / side**2 * 2.0 * (states + 1.0)
    spikes = np.zeros(side)
    spikes[rng.permutation(side)[: round(active * side)]] = 1.0
    streams = np.zeros(side)
    written, other = rng.permutation(side // 2)[: 2 * max(1, round(0.03 * side / 2))].reshape(2, -1)
    streams[2 * written], streams[2 * other] = -0.5, 0.5

    of_input, of_output = line_shares(drops)
    _, read = nodal_solution(drops, spikes, np.zeros(side))
    ideal, ladders = spikes @ drops, spikes @ (drops * of_input * of_output)
    exact, expected, found = (line[::2] - line[1::2] for line in (read, ideal, ladders))
    over_cells, _ = nodal_solution(drops, 0.5 * spikes, streams)
    selected = np.ix_(spikes > 0.0, streams < 0.0)
    shares = (of_input + of_output) / 2.0
    norm = np.linalg.norm
    return LineErrors(
        current_lost=float(norm(expected - exact) / norm(expected)),
        current_error=float(norm(found - exact) / norm(expected)),
        write_lost=float((1.0 - over_cells[selected]).mean()),
        write_error=float((shares - over_cells)[selected].mean()),
    )
