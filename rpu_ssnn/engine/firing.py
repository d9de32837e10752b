"""Membranes and thresholds of a block of neurons in one slot; compiled.

Each loop applies one operation to all neurons of the block, without a branch, so that numba makes
vector code. Layers have whole blocks; the padding neurons of the last block stay at rest.
"""

import numpy as np
from jaxtyping import Float32
from numba import uint64

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK

type Block = Float32[np.ndarray, " block"]
type Neurons = Float32[np.ndarray, " neurons"]
"""Of a layer, in whole blocks."""


@compiled_in_place
def _integrate(membrane: Block, current: Block, move: np.float32, keep: np.float32) -> None:
    """Eq. 3: add `move` x current to the membranes, then multiply the currents by `keep`."""
    for k in range(BLOCK):
        membrane[k] += move * current[k]
        current[k] *= keep


@compiled_in_place
def fire_from_current(
    at: int,
    membrane: Neurons,
    current: Neurons,
    move: np.float32,
    keep: np.float32,
    theta: np.float32,
    to_zero: bool,
    alive: np.uint64,
) -> np.uint64:
    """Eq. 1 and 3 of a block: neurons spike that have reached `theta` and are alive (flags).

    A spike lowers the membrane by theta, or resets it to zero.
    Returns the flags of those that spike.
    """
    v = membrane[at : at + BLOCK]
    _integrate(v, current[at : at + BLOCK], move, keep)
    spikes = uint64(0)
    for k in range(BLOCK):
        spikes |= uint64(v[k] >= theta) << uint64(k)
    spikes &= alive
    if spikes:
        for k in range(BLOCK):
            lowered = np.float32(0.0) if to_zero else v[k] - theta
            v[k] = lowered if (spikes >> uint64(k)) & uint64(1) else v[k]
    return spikes


@compiled_in_place
def fire_pairs(
    at: int,
    membrane: Neurons,
    current: Neurons,
    move: np.float32,
    keep: np.float32,
    theta: np.float32,
    to_zero: bool,
    is_open: np.uint64,
    hold: bool,
) -> tuple[np.uint64, np.uint64]:
    """Eq. 4 to 7 of a block of coupled branches (one membrane), which fire at half of theta.

    Only open neurons (flags) spike. A membrane at the threshold moves back by theta, or to zero;
    with `hold`, only that of an open neuron. Returns the flags of all neurons that spike, and of
    those with a positive spike.
    """
    v = membrane[at : at + BLOCK]
    _integrate(v, current[at : at + BLOCK], move, keep)
    half, up, down = np.float32(0.5) * theta, uint64(0), uint64(0)
    for k in range(BLOCK):
        up |= uint64(v[k] >= half) << uint64(k)
        down |= uint64(v[k] <= -half) << uint64(k)
    moves_back = (up | down) & is_open if hold else up | down
    if moves_back:
        for k in range(BLOCK):
            back = v[k] - theta if (up >> uint64(k)) & uint64(1) else v[k] + theta
            back = np.float32(0.0) if to_zero else back
            v[k] = back if (moves_back >> uint64(k)) & uint64(1) else v[k]
    return (up | down) & is_open, up & is_open
