"""Which neurons of a block spike in a slot (switch: `fire`).

Membranes move, spikes are found, those that spike are reset and the flags are packed into bits, all
in registers. The arithmetic is that of single neurons, operation by operation.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types, uint64

from rpu_ssnn.compiled import compiled_in_place, is_plain
from rpu_ssnn.engine.blocks import BLOCK, lowest_flag
from rpu_ssnn.engine.intrinsics.vectors import INDEX, Arrays, generated

_FLAGS = ir.VectorType(ir.IntType(1), BLOCK)
_AT_REST = ir.Constant(ir.VectorType(ir.FloatType(), BLOCK), [0.0] * BLOCK)
_HALVES = ir.Constant(ir.VectorType(ir.FloatType(), BLOCK), [0.5] * BLOCK)


class _Block:
    """Neurons [at, at + BLOCK) in the arrays of a call; `at` is its first argument."""

    def __init__(self, *of: Any) -> None:
        self._arrays, self._builder, self._arguments = Arrays(*of), of[1], of[-1]

    def load(self, place: int) -> Any:
        return self._arrays.load(place, self._arguments[0], BLOCK)

    def store(self, value: Any, place: int) -> None:
        self._arrays.store(value, place, self._arguments[0])

    def scalar(self, place: int) -> Any:
        return self._arrays.everywhere(self._arguments[place], BLOCK)

    def flags(self, place: int) -> Any:
        """A flag for each neuron: the bits of a number."""
        return self._builder.bitcast(self._arguments[place], _FLAGS)


@generated
def by_hand_from_current(
    typing: Any, at: Any, membrane: Any, current: Any, move: Any, keep: Any, theta: Any,
    to_zero: Any, alive: Any,
) -> Any:  # fmt: skip
    """As `plain_from_current`."""
    signature = types.uint64(
        types.int64, membrane, current, types.float32, types.float32, types.float32,
        types.boolean, types.uint64,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _Block(context, builder, signature, arguments)
        current, theta = block.load(2), block.scalar(5)
        moved = builder.fadd(block.load(1), builder.fmul(block.scalar(3), current))
        block.store(builder.fmul(current, block.scalar(4)), 2)
        spikes = builder.and_(builder.fcmp_ordered(">=", moved, theta), block.flags(7))
        lowered = builder.select(block.scalar(6), _AT_REST, builder.fsub(moved, theta))
        block.store(builder.select(spikes, lowered, moved), 1)
        return builder.bitcast(spikes, INDEX)

    return signature, generate


@generated
def by_hand_pairs(
    typing: Any, at: Any, net: Any, current: Any, move: Any, keep: Any, theta: Any, to_zero: Any,
    is_open: Any, hold: Any,
) -> Any:  # fmt: skip
    """As `plain_pairs`."""
    two_words: Any = types.UniTuple(types.uint64, 2)  # type: ignore[no-untyped-call]
    signature = two_words(
        types.int64, net, current, types.float32, types.float32, types.float32, types.boolean,
        types.uint64, types.boolean,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _Block(context, builder, signature, arguments)
        current, theta, is_open = block.load(2), block.scalar(5), block.flags(7)
        moved = builder.fadd(block.load(1), builder.fmul(block.scalar(3), current))
        block.store(builder.fmul(current, block.scalar(4)), 2)
        half = builder.fmul(_HALVES, theta)
        up = builder.fcmp_ordered(">=", moved, half)
        over = builder.or_(up, builder.fcmp_ordered("<=", moved, builder.fneg(half)))
        back = builder.select(up, builder.fsub(moved, theta), builder.fadd(moved, theta))
        back = builder.select(block.scalar(6), _AT_REST, back)
        moves_back = builder.and_(over, builder.or_(is_open, builder.not_(block.scalar(8))))
        block.store(builder.select(moves_back, back, moved), 1)
        spikes = builder.and_(over, is_open)
        bits = [builder.bitcast(flags, INDEX) for flags in (spikes, builder.and_(spikes, up))]
        return context.make_tuple(builder, signature.return_type, bits)

    return signature, generate


@compiled_in_place
def plain_from_current(at, membrane, current, move, keep, theta, to_zero, alive):  # type: ignore[no-untyped-def]
    """Eq. 1 and 3: move membranes by `move` times their current, which falls to `keep` of itself.

    Neurons at `theta` that are alive (flags) spike, and fall by theta or to rest.
    membrane, current: float32, at least at + BLOCK. Returns the flags of those that spike.
    """
    v, i = membrane[at : at + BLOCK], current[at : at + BLOCK]
    for k in range(BLOCK):
        v[k] += move * i[k]
        i[k] *= keep
    spikes = uint64(0)
    for k in range(BLOCK):
        spikes |= uint64(v[k] >= theta) << uint64(k)
    spikes &= alive
    resets = spikes
    while resets:
        k = lowest_flag(resets)
        v[k] = np.float32(0.0) if to_zero else v[k] - theta
        resets &= resets - uint64(1)
    return spikes


@compiled_in_place
def plain_pairs(at, net, current, move, keep, theta, to_zero, is_open, hold):  # type: ignore[no-untyped-def]
    """Eq. 4 to 7 of coupled branches (one membrane, `net`), which fire at half of `theta`.

    Only open neurons (flags) spike. A membrane at the threshold moves back by theta, or to rest;
    with `hold`, that of an open neuron only. Returns the flags of all that spike, and of those of
    them whose spike is positive.
    """
    v, i = net[at : at + BLOCK], current[at : at + BLOCK]
    for k in range(BLOCK):
        v[k] += move * i[k]
        i[k] *= keep
    half, up, over = np.float32(0.5) * theta, uint64(0), uint64(0)
    for k in range(BLOCK):
        up |= uint64(v[k] >= half) << uint64(k)
        over |= uint64(v[k] >= half or v[k] <= -half) << uint64(k)
    resets = over & is_open if hold else over
    while resets:
        k = lowest_flag(resets)
        back = v[k] - theta if (up >> uint64(k)) & uint64(1) else v[k] + theta
        v[k] = np.float32(0.0) if to_zero else back
        resets &= resets - uint64(1)
    return over & is_open, up & is_open


fire_from_current = plain_from_current if is_plain("fire") else by_hand_from_current
fire_pairs = plain_pairs if is_plain("fire") else by_hand_pairs
