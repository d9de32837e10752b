"""The innermost loop of a read, written for vector registers.

numba's own loops load and store the sums once every few rows. Here the sums of a block of columns
stay in registers while the rows of all spikes of a slot are added, in the order of the spikes: the
same numbers to the bit, in half the time.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

VECTOR = 16
VECTORS = 4
BLOCK = VECTOR * VECTORS
"""Columns of a block: few enough that their sums fit the registers and a block of the rows that
are read fits the nearest cache."""

_FLOATS = ir.VectorType(ir.FloatType(), VECTOR)
_INDEX = ir.IntType(64)


@intrinsic
def add_block_rows(
    typing: Any, sums: Any, block: Any, rows: Any, first: Any, stop: Any, gain: Any
) -> Any:
    """sums += gain * block[rows[k]] for k in [first, stop), one k after the other.

    sums: float32 [BLOCK]; block: float32 [n_in x BLOCK], flat; rows: int32, each below n_in; all
    contiguous. No bounds are checked.
    """
    signature = types.void(sums, block, rows, types.int64, types.int64, types.float32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(place: int) -> Any:
            make = context.make_array(signature.args[place])
            return make(context, builder, arguments[place]).data

        def load(pointer: Any) -> Any:
            loaded = builder.load(pointer)
            loaded.align = 4  # numpy promises no more
            return loaded

        target = builder.bitcast(data(0), _FLOATS.as_pointer())
        weights, lines = data(1), data(2)
        first, stop, gain = arguments[3:]
        none = ir.Constant(_FLOATS, ir.Undefined)
        one = builder.insert_element(none, gain, ir.IntType(32)(0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
        factor = builder.shuffle_vector(one, none, everywhere)
        begin = [load(builder.gep(target, [_INDEX(v)])) for v in range(VECTORS)]

        before = builder.block
        ask, add, done = (builder.append_basic_block(name) for name in ("ask", "add", "done"))
        builder.branch(ask)
        builder.position_at_end(ask)
        k = builder.phi(_INDEX)
        k.add_incoming(first, before)
        held = []
        for start in begin:
            held.append(builder.phi(_FLOATS))
            held[-1].add_incoming(start, before)
        builder.cbranch(builder.icmp_signed("<", k, stop), add, done)

        builder.position_at_end(add)
        line = builder.sext(builder.load(builder.gep(lines, [k])), _INDEX)
        row = builder.gep(weights, [builder.mul(line, _INDEX(BLOCK))])
        row = builder.bitcast(row, _FLOATS.as_pointer())
        for v, old in enumerate(held):
            weight = load(builder.gep(row, [_INDEX(v)]))
            old.add_incoming(builder.fadd(old, builder.fmul(factor, weight)), add)
        k.add_incoming(builder.add(k, _INDEX(1)), add)
        builder.branch(ask)

        builder.position_at_end(done)
        for v, value in enumerate(held):
            builder.store(value, builder.gep(target, [_INDEX(v)])).align = 4
        return context.get_dummy_value()

    return signature, generate
