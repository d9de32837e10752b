"""Copies of the weights of all crossbars as matrices, for the compiled simulation."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.propagation import Matrices
from rpu_ssnn.synapses.base import Synapses, Weights


class WeightCopies:
    """Copies of the weights as linear reads give them; `refresh` updates changed ones.

    Args:
        synapses: of all crossbars.
        lookahead: keep the first crossbar in blocks of columns, for `engine.lookahead`.

    Attributes:
        linear: whether all reads are matrix products; only then do the matrices hold anything.
    """

    def __init__(self, synapses: Sequence[Synapses], *, lookahead: bool) -> None:
        self._synapses = synapses
        ends = np.cumsum([0, *(a * b for a, b in (s.shape for s in synapses))])
        n_in, n_out = synapses[0].shape
        blocks = -(-n_out // BLOCK) * BLOCK * n_in if lookahead else 0
        self.matrices = Matrices(*(np.zeros(n, np.float32) for n in (ends[-1], ends[-1], blocks)))
        weights, transposed, _ = self.matrices
        self._places = []
        """Of each crossbar [n_in, n_out] and [n_out, n_in]; no gradient passes the first."""
        for layer, (each, (a, b)) in enumerate(zip(synapses, pairwise(ends), strict=True)):
            passed = transposed[a:b] if layer > 0 else transposed[:0]
            turned = passed.reshape(-1, each.shape[0])
            self._places.append((weights[a:b].reshape(each.shape), turned))
        self._seen = [-1] * len(synapses)
        self.linear = True
        self.refresh()

    def refresh(self) -> None:
        """Update the crossbars that have changed since the last refresh."""
        blocks = self.matrices.blocks
        for layer, synapses in enumerate(self._synapses):
            if synapses.changes == self._seen[layer]:
                continue
            matrix, turned = self._places[layer]
            in_blocks_only = layer == 0 and len(blocks) > 0
            known = self._seen[layer] >= 0 and not in_blocks_only
            if known and synapses.write_changes(self._seen[layer], matrix, turned):
                self._seen[layer] = synapses.changes
                continue
            read = synapses.linear_read()
            if read is None:
                self.linear = False
                return
            self._seen[layer] = synapses.changes
            if in_blocks_only:
                in_blocks(read, blocks)
            else:
                matrix[:] = read
            if len(turned):
                turned[:] = read.T


def in_blocks(weights: Weights, out: Float32[np.ndarray, " blocks_x_n_in_x_block"]) -> None:
    """Write a crossbar in blocks of BLOCK columns; padding columns stay zero."""
    n_in, n_out = weights.shape
    whole = n_out // BLOCK
    blocks = out.reshape(-1, n_in, BLOCK)
    columns = weights[:, : whole * BLOCK].reshape(n_in, whole, BLOCK, copy=False)
    blocks[:whole] = columns.transpose(1, 0, 2)
    if n_out > whole * BLOCK:
        blocks[whole, :, : n_out - whole * BLOCK] = weights[:, whole * BLOCK :]
