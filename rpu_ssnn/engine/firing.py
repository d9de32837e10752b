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
from numba.extending import intrinsic

from rpu_ssnn.compiled import compiled_in_place

NEURONS = 64
"""Of a block: the bits of one number."""

_FLOATS = ir.VectorType(ir.FloatType(), NEURONS)
_BYTES = ir.VectorType(ir.IntType(8), NEURONS)
_WORD = ir.IntType(64)
_ONES = ir.Constant(_BYTES, [1] * NEURONS)
_AT_REST = ir.Constant(_FLOATS, [0.0] * NEURONS)


class _Block:
    """Neurons [at, at + NEURONS) in the arrays that a call was given; `at` is its first argument."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self._context, self._builder = context, builder
        self._signature, self._arguments = signature, arguments

    def load(self, place: int) -> Any:
        pointer, alignment = self._pointer(place)
        value = self._builder.load(pointer)
        value.align = alignment
        return value

    def store(self, value: Any, place: int) -> None:
        pointer, alignment = self._pointer(place)
        self._builder.store(value, pointer).align = alignment

    def scalar(self, place: int) -> Any:
        """A vector of one number or truth value."""
        value = self._arguments[place]
        none = ir.Constant(ir.VectorType(value.type, NEURONS), ir.Undefined)
        first = self._builder.insert_element(none, value, ir.IntType(32)(0))
        copies = ir.Constant(ir.VectorType(ir.IntType(32), NEURONS), [0] * NEURONS)
        return self._builder.shuffle_vector(first, none, copies)

    def _pointer(self, place: int) -> tuple[Any, int]:
        array = self._context.make_array(self._signature.args[place])
        data = array(self._context, self._builder, self._arguments[place]).data
        first = self._builder.gep(data, [self._arguments[0]])
        floats = self._signature.args[place].dtype == types.float32
        kind, alignment = (_FLOATS, 4) if floats else (_BYTES, 1)  # numpy promises no more
        return self._builder.bitcast(first, kind.as_pointer()), alignment


def _fire(builder: Any, block: _Block, moved: Any, places: tuple[int, int, int, int, int]) -> Any:
    """Ask membranes that have moved, write them back; returns the block's flags."""
    membrane, theta, to_zero, alive, fired = places
    threshold = block.scalar(theta)
    reached = builder.fcmp_ordered(">=", moved, threshold)
    spikes = builder.and_(reached, builder.icmp_unsigned("==", block.load(alive), _ONES))
    lowered = builder.select(block.scalar(to_zero), _AT_REST, builder.fsub(moved, threshold))
    block.store(builder.select(spikes, lowered, moved), membrane)
    block.store(builder.or_(block.load(fired), builder.zext(spikes, _BYTES)), fired)
    return builder.bitcast(spikes, _WORD)


@intrinsic
def fire_driven(
    typing: Any, at: Any, membrane: Any, drive: Any, theta: Any, to_zero: Any, alive: Any, fired: Any
) -> Any:
    """Membranes move by `drive`; those at theta that are alive spike (bits) and are lowered.

    membrane, drive: float32 [>= at + 64]; alive, fired: uint8 of 0 and 1, `fired` takes note.
    """
    signature = types.uint64(
        types.int64, membrane, drive, types.float32, types.boolean, alive, fired
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _Block(context, builder, signature, arguments)
        moved = builder.fadd(block.load(1), block.load(2))
        return _fire(builder, block, moved, (1, 3, 4, 5, 6))

    return signature, generate


@intrinsic
def fire_from_current(
    typing: Any, at: Any, membrane: Any, current: Any, move: Any, keep: Any, theta: Any,
    to_zero: Any, alive: Any, fired: Any,
) -> Any:  # fmt: skip
    """As `fire_driven`; membranes move by `move` times their current, which falls to `keep`."""
    signature = types.uint64(
        types.int64, membrane, current, types.float32, types.float32, types.float32,
        types.boolean, alive, fired,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _Block(context, builder, signature, arguments)
        current = block.load(2)
        moved = builder.fadd(block.load(1), builder.fmul(block.scalar(3), current))
        block.store(builder.fmul(current, block.scalar(4)), 2)
        return _fire(builder, block, moved, (1, 5, 6, 7, 8))

    return signature, generate


@intrinsic
def fire_pairs(
    typing: Any, at: Any, net: Any, current: Any, move: Any, keep: Any, theta: Any, to_zero: Any,
    fired: Any, is_output: Any, hold: Any,
) -> Any:  # fmt: skip
    """Coupled branches (one membrane, `net`) half a threshold from rest move back by theta.

    A neuron is open once it has fired, or if it is an output. Only open ones spike; with `hold`
    only they move back. Returns bits of the neurons that spike, and of the positive ones among them.
    """
    signature = types.UniTuple(types.uint64, 2)(
        types.int64, net, current, types.float32, types.float32, types.float32, types.boolean,
        fired, types.boolean, types.boolean,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _Block(context, builder, signature, arguments)
        current, theta = block.load(2), block.scalar(5)
        moved = builder.fadd(block.load(1), builder.fmul(block.scalar(3), current))
        block.store(builder.fmul(current, block.scalar(4)), 2)
        half = builder.fmul(ir.Constant(_FLOATS, [0.5] * NEURONS), theta)
        up = builder.fcmp_ordered(">=", moved, half)
        down = builder.fcmp_ordered("<=", moved, builder.fneg(half))
        over = builder.or_(up, down)
        opened = builder.icmp_unsigned("==", block.load(7), _ONES)
        opened = builder.or_(opened, block.scalar(8))
        back = builder.select(up, builder.fsub(moved, theta), builder.fadd(moved, theta))
        back = builder.select(block.scalar(6), _AT_REST, back)
        moves_back = builder.and_(over, builder.or_(opened, builder.not_(block.scalar(9))))
        block.store(builder.select(moves_back, back, moved), 1)
        spikes = builder.and_(over, opened)
        bits = [builder.bitcast(flags, _WORD) for flags in (spikes, builder.and_(spikes, up))]
        return context.make_tuple(builder, signature.return_type, bits)

    return signature, generate


@intrinsic
def _lowest_bit(typing: Any, bits: Any) -> Any:
    """Its number, from 0; the bits must not all be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@compiled_in_place
def list_spikes(bits, at, events, count) -> int:  # type: ignore[no-untyped-def]
    """Append the neurons of a block's bits, in order, to `events`; returns the new count."""
    while bits:
        events[count] = at + _lowest_bit(bits)
        count += 1
        bits &= bits - uint64(1)
    return count


@compiled_in_place
def list_signed(spikes, positive, at, events, signs, count) -> int:  # type: ignore[no-untyped-def]
    """As `list_spikes`, with a sign for each."""
    while spikes:
        place = _lowest_bit(spikes)
        events[count] = at + place
        signs[count] = 2 * int((positive >> uint64(place)) & uint64(1)) - 1
        count += 1
        spikes &= spikes - uint64(1)
    return count
