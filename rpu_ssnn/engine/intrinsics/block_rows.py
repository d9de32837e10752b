"""`add_block_rows`: the innermost loop of a linear read.

The sums of a block of columns stay in registers while the rows of all spikes of a slot are added,
in the order of the spikes. numba's own loop loads and stores the sums every few rows.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32, Int32
from numba import types

from rpu_ssnn.compiled import PLAIN, compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.intrinsics.vectors import INDEX, Arrays, generated
from rpu_ssnn.engine.propagation import add_rows

VECTOR = 16
VECTORS = BLOCK // VECTOR


@compiled_in_place
def plain(
    sums: Float32[np.ndarray, " block"],
    block: Float32[np.ndarray, " n_in_x_block"],
    rows: Int32[np.ndarray, " spikes"],
    first: int,
    stop: int,
    gain: np.float32,
) -> None:
    """sums += gain * block[rows[k]] for k in [first, stop), one k after the other.

    block: flat; rows: each below n_in.
    """
    add_rows(sums, block, rows[first:stop], stop - first, BLOCK, gain)


@generated
def by_hand(typing: Any, sums: Any, block: Any, rows: Any, first: Any, stop: Any, gain: Any) -> Any:
    """As `plain`."""
    signature = types.void(sums, block, rows, types.int64, types.int64, types.float32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = Arrays(context, builder, signature, arguments)
        first, stop, gain = arguments[3:]
        factor = arrays.everywhere(gain, VECTOR)
        begin = [arrays.load(0, INDEX(v * VECTOR), VECTOR) for v in range(VECTORS)]

        before = builder.block
        ask, add, done = (builder.append_basic_block(name) for name in ("ask", "add", "done"))
        builder.branch(ask)
        builder.position_at_end(ask)
        k = builder.phi(INDEX)
        k.add_incoming(first, before)
        held = []
        for start in begin:
            held.append(builder.phi(start.type))
            held[-1].add_incoming(start, before)
        builder.cbranch(builder.icmp_signed("<", k, stop), add, done)

        builder.position_at_end(add)
        row = builder.mul(builder.sext(arrays.element(2, k), INDEX), INDEX(BLOCK))
        for v, old in enumerate(held):
            weight = arrays.load(1, builder.add(row, INDEX(v * VECTOR)), VECTOR)
            old.add_incoming(builder.fadd(old, builder.fmul(factor, weight)), add)
        k.add_incoming(builder.add(k, INDEX(1)), add)
        builder.branch(ask)

        builder.position_at_end(done)
        for v, value in enumerate(held):
            arrays.store(value, 0, INDEX(v * VECTOR))
        return context.get_dummy_value()

    return signature, generate


add_block_rows = plain if PLAIN else by_hand
