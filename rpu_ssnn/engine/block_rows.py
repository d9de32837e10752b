"""The innermost loop of a read, written for vector registers.

numba's own loops load and store the sums once every few rows. Here the sums of a block of columns
stay in registers while the rows of all spikes of a slot are added, in the order of the spikes: the
same numbers to the bit, in half the time.
"""

from typing import Any

from numba import types

from rpu_ssnn.engine.firing import NEURONS
from rpu_ssnn.engine.vectors import INDEX, Arrays, generated

BLOCK = NEURONS
"""Columns of a block, one for each neuron that is asked with it: few enough that their sums fit the
registers and a block of the rows that are read fits the nearest cache."""

VECTOR = 16
VECTORS = BLOCK // VECTOR


@generated
def add_block_rows(
    typing: Any, sums: Any, block: Any, rows: Any, first: Any, stop: Any, gain: Any
) -> Any:
    """sums += gain * block[rows[k]] for k in [first, stop), one k after the other.

    sums: float32 [BLOCK]; block: float32 [n_in x BLOCK], flat; rows: int32, each below n_in.
    """
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
