"""Which neurons of a layer spike in a slot, 64 at a time, written for vector registers.

A block of neurons moves its membranes, asks all of them, resets those that fire and gives their
flags as the bits of one number, in one go. numba's own loops take several times as long: they keep
a flag as a byte and pass over memory once for each of these steps. The arithmetic is that of
single neurons, operation by operation. Every layer has whole blocks (`state.make_plan`); what fills
up its last one is at rest and never alive.
"""

from typing import Any

from llvmlite import ir
from numba import types, uint64

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.vectors import INDEX, Arrays, generated

NEURONS = 64
"""Of a block: the bits of one number."""

_FLAGS = ir.VectorType(ir.IntType(1), NEURONS)
_AT_REST = ir.Constant(ir.VectorType(ir.FloatType(), NEURONS), [0.0] * NEURONS)
_HALVES = ir.Constant(ir.VectorType(ir.FloatType(), NEURONS), [0.5] * NEURONS)


class _Block:
    """Neurons [at, at + NEURONS) in the arrays of a call; `at` is its first argument."""

    def __init__(self, *of: Any) -> None:
        self._arrays, self._builder, self._arguments = Arrays(*of), of[1], of[-1]

    def load(self, place: int) -> Any:
        return self._arrays.load(place, self._arguments[0], NEURONS)

    def store(self, value: Any, place: int) -> None:
        self._arrays.store(value, place, self._arguments[0])

    def scalar(self, place: int) -> Any:
        return self._arrays.everywhere(self._arguments[place], NEURONS)

    def flags(self, place: int) -> Any:
        """A flag for each neuron: the bits of a number."""
        return self._builder.bitcast(self._arguments[place], _FLAGS)


@generated
def fire_from_current(
    typing: Any, at: Any, membrane: Any, current: Any, move: Any, keep: Any, theta: Any,
    to_zero: Any, alive: Any,
) -> Any:  # fmt: skip
    """Membranes move by `move` times their current, which falls to `keep`; those at theta that are
    alive spike and are lowered.

    membrane, current: float32 [>= at + 64]; alive: bits; returns the bits of those that spike.
    """
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
def fire_pairs(
    typing: Any, at: Any, net: Any, current: Any, move: Any, keep: Any, theta: Any, to_zero: Any,
    is_open: Any, hold: Any,
) -> Any:  # fmt: skip
    """Coupled branches (one membrane, `net`) half a threshold from rest move back by theta.

    Only open ones (bits) spike; with `hold` only they move back. Returns the bits of all that
    spike, and of the positive ones among them.
    """
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


@generated
def _lowest_bit(typing: Any, bits: Any) -> Any:
    """Its number, from 0; the bits must not all be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@compiled_in_place
def all_of(neurons):  # type: ignore[no-untyped-def]
    """The bits of the first so many of a block."""
    return ~uint64(0) >> uint64(NEURONS - min(neurons, NEURONS))


@compiled_in_place
def without(words, neuron) -> None:  # type: ignore[no-untyped-def]
    """Clear the bit of a neuron."""
    words[neuron // NEURONS] &= ~(uint64(1) << uint64(neuron % NEURONS))


@compiled_in_place
def has(words, neuron) -> bool:  # type: ignore[no-untyped-def]
    """Whether the bit of a neuron is set."""
    return bool(words[neuron // NEURONS] >> uint64(neuron % NEURONS) & uint64(1))


@compiled_in_place
def list_spikes(bits, at, events, count):  # type: ignore[no-untyped-def]
    """Append the neurons of a block's bits, in order, to `events`; returns the new count."""
    while bits:
        events[count] = at + _lowest_bit(bits)
        count += 1
        bits &= bits - uint64(1)
    return count


@compiled_in_place
def list_signed(spikes, positive, at, events, signs, count):  # type: ignore[no-untyped-def]
    """As `list_spikes`, with a sign for each."""
    while spikes:
        place = _lowest_bit(spikes)
        events[count] = at + place
        signs[count] = 2 * int((positive >> uint64(place)) & uint64(1)) - 1
        count += 1
        spikes &= spikes - uint64(1)
    return count
